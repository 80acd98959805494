"""What a week's templates are given: its records, places of marks, findings, words for codes."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fleet_pipeline.publishing import charts, findings
from fleet_pipeline.publishing.addressed import Figures
from fleet_pipeline.publishing.escaping import anchors
from fleet_pipeline.publishing.figures import (
    Record,
    address,
    canonical_bytes,
    number,
    records,
    text,
)

CLASS_NAMES: Final = {
    "input": "fresh input",
    "output": "output",
    "cache_write": "cache write",
    "cache_read": "cache read",
}
CLASS_FILLS: Final = {
    "input": "f-accent",
    "output": "f-accent",
    "cache_write": "f-used",
    "cache_read": "f-warn",
}
KIND_NAMES: Final = {
    "orchestration": "Orchestration",
    "conversation": "Conversation",
    "external_action": "External action",
    "implementation": "Implementation",
    "test_writing": "Test writing",
    "editing": "Editing",
    "review": "Review",
    "checks": "Checks",
    "extraction": "Extraction",
    "research": "Research",
    "text_cleanup": "Text cleanup",
    "packet": "Packet",
    "overhead": "Client overhead",
    "unknown": "Unknown",
}
REFUSALS: Final = {
    "too_few_steps": "the meter moved too seldom",
    "too_few_windows": "too few windows were read",
    "plan_changed": "the plan changed in between",
    "spent_elsewhere": "much of the window went where this ledger saw no token",
    "does_not_fit": "the tokens do not explain what the meter did",
    "drifted": "the rate changed in between",
}
USAGE_ROWS: Final = (
    ("count", "requests", "Requests"),
    ("tokens", "input_tokens", "Fresh input"),
    ("tokens", "cache_write_5m_tokens", "Cache write, 5 min"),
    ("tokens", "cache_write_1h_tokens", "Cache write, 1 h"),
    ("tokens", "cache_read_tokens", "Cache read"),
    ("tokens", "full_input_tokens", "Full input"),
    ("share_fine", "cache_read_share", "Cache-read share"),
    ("tokens", "output_tokens", "Output"),
    ("tokens", "reasoning_tokens", "Reasoning, part of output"),
    ("context", "context_p50", "Context, median"),
    ("context", "context_p90", "Context, 90th percentile"),
    ("context", "context_p99", "Context, 99th percentile"),
)


@dataclass(frozen=True, slots=True)
class MatrixGroup:
    """The rows of the routing matrix that belong to one agent."""

    agent: str
    name: str
    measured: bool
    rows: tuple[Record, ...]


def view(page: Mapping[str, object]) -> dict[str, object]:
    """Return all that the templates of one week name."""
    figures = Figures(page)
    headroom = records(page, "headroom")
    rank_chart = charts.ranks(page)
    ranked_at = {text(row, "close"): text(row, "model") for row in records(page, "rank_history")}
    return {
        "page": page,
        "findings": findings.find(page),
        "at": figures.at,
        "fig": figures.fig,
        "cell": figures.cell,
        "mark": figures.mark,
        "say": figures.say,
        "principle": lambda name: _principle(page, name),
        "principle_block": lambda name: _principle_block(page, name),
        "lower_bound": lambda client: _is_lower_bound(page, client),
        "backbone": records(page, "backbone"),
        "headroom": headroom,
        "codex_week": _codex_window(headroom, findings.WEEK_MINUTES),
        "codex_hours": _codex_window(headroom, findings.FIVE_HOURS_MINUTES),
        "tight": findings.TIGHT_REMAINING_SHARE,
        "scenario_lengths": charts.lengths(_amounts(page, "cost_usd_micros")),
        "cost_chart": charts.cost_chart(page),
        "context_chart": charts.context_chart(page),
        "frontier": charts.frontier(page),
        "rank_chart": rank_chart,
        "rank_columns": [
            (
                figures.fig("day_short", "rank_history.{}.{}.close", ranked_at[close], close),
                "count",
                f"{close}.rank",
            )
            for _, close in rank_chart.weeks
        ]
        if rank_chart
        else [],
        "sparks": charts.sparks(page),
        "since": _record(page, "since_last_week"),
        "trend": charts.trend(page),
        "daily": records(page, "daily"),
        "mirage_lengths": _mirage_lengths(page),
        "mirage_bars": charts.mirage_bars(page),
        "class_names": CLASS_NAMES,
        "class_fills": CLASS_FILLS,
        "matrix": _matrix(page),
        "route_anchors": _anchors(page, "route", "routing_matrix", "agent"),
        "agents": records(page, "agents"),
        "agent_anchors": _anchors(page, "agent", "agents", "agent"),
        "volumes": charts.volumes(records(page, "agents"), "target_tokens"),
        "kind_names": KIND_NAMES,
        "kind_volumes": charts.volumes(records(page, "task_mix.kinds"), "movable_tokens"),
        "eligible": records(page, "eligible.agents"),
        "windows": records(page, "windows"),
        "blocks": records(page, "blocks"),
        "realised": records(page, "realised"),
        "far_days": records(page, "anomalies.agent_days"),
        "refusals": REFUSALS,
        "usage_rows": USAGE_ROWS,
        "models": records(page, "models"),
        "free_apis": records(page, "free_api_catalog"),
        "ranking": records(page, "ranking"),
        "model_anchors": _anchors(page, "model", "ranking", "model"),
        "execution": records(page, "execution_routing"),
        "changes": records(page, "changes"),
        "price_sources": records(page, "prices.sources"),
        "hard_rules": _texts(page.get("hard_rules")),
        "checks": records(page, "checks.results"),
        "accepted": records(page, "checks.accepted"),
        "hosts": records(page, "sources.hosts"),
        "digest": hashlib.sha256(canonical_bytes(page)).hexdigest(),
        "made": {text(row, "table"): row for row in records(page, "provenance.tables")},
    }


def _anchors(page: Record, prefix: str, path: str, field: str) -> dict[str, str]:
    return anchors(prefix, (text(row, field) for row in records(page, path)))


def _principle(page: Record, name: str) -> str:
    principles = page.get("principles")
    value = principles.get(name) if isinstance(principles, Mapping) else None
    return value if isinstance(value, str) else ""


def _principle_block(page: Record, name: str) -> dict[str, str] | None:
    """Return a titled block of policy prose, or None where the org has not written it."""
    principles = page.get("principles")
    value = principles.get(name) if isinstance(principles, Mapping) else None
    if not isinstance(value, Mapping):
        return None
    return {"title": text(value, "title"), "text": text(value, "text")}


def _record(page: Record, name: str) -> Record:
    value = page.get(name)
    return value if isinstance(value, Mapping) else {}


def _is_lower_bound(page: Record, client: str) -> bool:
    final_share = number(page, f"usage.{client}.output_final_share")
    return final_share is not None and final_share < 1


def _codex_window(headroom: Sequence[Record], minutes: int) -> Record | None:
    """Return Codex's own window of a given length, found by length and not by its place."""
    rows = [row for row in headroom if findings.is_codex(row)]
    return next((row for row in rows if row.get("window_minutes") == minutes), None)


def _amounts(page: Record, field: str) -> list[float | None]:
    names = [text(row, "name") for row in records(page, "costs.scenarios")]
    return [number(page, address(f"costs.scenarios.{{}}.{field}", name)) for name in names]


def _mirage_lengths(page: Record) -> dict[str, str]:
    """Return the bars under the prices of one slice of work; packets at their dearest."""
    packets = [row for row in records(page, "costs.corners") if row.get("packet_tokens")]
    dearest = (
        address("costs.corners.{}.cost_usd_micros", text(packets[-1], "name")) if packets else ""
    )
    amounts = {
        "naive": number(page, "costs.naive.cost_usd_micros"),
        "packets": number(page, dearest) if packets else None,
        "cached": number(page, "costs.scenarios.expected.cached_cost_usd_micros"),
        "full": number(page, "costs.scenarios.expected.cost_usd_micros"),
    }
    return dict(zip(amounts, charts.lengths(list(amounts.values())), strict=True))


def _matrix(page: Record) -> tuple[MatrixGroup, ...]:
    """Group the routing matrix by agent, in the order in which the agents first appear."""
    measured = {text(row, "agent") for row in records(page, "agents")}
    groups: dict[str, list[Record]] = {}
    for row in records(page, "routing_matrix"):
        groups.setdefault(text(row, "agent"), []).append(row)
    return tuple(
        MatrixGroup(agent, text(rows[0], "display_name", agent), agent in measured, tuple(rows))
        for agent, rows in groups.items()
    )


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
