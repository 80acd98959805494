"""The living Markdown ranking, ``cheap-model-offload-ranking.md``, for agents and for diffs.

One row per line, no padding, a total order and anchors that come from ids: an unchanged week
changes the front matter only, a changed cell changes one line. All text from outside is escaped;
the anchors and the marks of the regions are the only HTML.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from fleet_pipeline.publishing import formats
from fleet_pipeline.publishing.escaping import PROSE_CAP, anchors, markdown_id, markdown_text
from fleet_pipeline.publishing.figures import (
    Record,
    address,
    canonical_bytes,
    number,
    records,
    resolve,
    text,
)
from fleet_pipeline.publishing.provenance import price_snapshot
from fleet_pipeline.publishing.regions import fenced

RANKING_TITLE: Final = "Cheap-model offload ranking"


def render_ranking(page: Mapping[str, object]) -> str:
    """Return the Markdown of a week: UTF-8 text, one newline at the end.

    Raises PublicationError when a figure that it shows is missing from ``page``.
    """
    head = [
        "Generated; do not edit between the marks: change the files of the org instead. "
        "Notes outside of them are kept.",
        f"# {RANKING_TITLE}",
        *(["**Demo data:** a generated fleet that nobody runs."] if page.get("demo") else []),
    ]
    regions = {
        "head": "\n\n".join(head),
        "ranking": _ranking(page),
        "routing-matrix": _routing_matrix(page),
        "execution-routing": _execution_routing(page),
        "free-api-catalog": _free_apis(page),
        "costs": _costs(page),
        "headroom": _headroom(page),
        "changes": _changes(page),
    }
    body = (fenced(name, content) for name, content in regions.items())
    return "\n\n".join([_front_matter(page), *body]) + "\n"


def _front_matter(page: Record) -> str:
    """Return the YAML block; every value is JSON, which YAML reads as it stands."""
    values = {
        "schema_version": resolve(page, "schema_version"),
        "as_of": resolve(page, "as_of"),
        "window_start": resolve(page, "window.start"),
        "window_end": resolve(page, "window.end"),
        "generator": resolve(page, "generator.name"),
        "generator_version": resolve(page, "generator.version"),
        "data_sha256": hashlib.sha256(canonical_bytes(page)).hexdigest(),
        "demo": bool(page.get("demo")),
        "price_snapshot": price_snapshot(page),
        "price_source": resolve(page, "costs.price.source"),
        "price_age_days": number(page, "prices.age_days"),
        "checks_passed": number(page, "checks.passed"),
        "checks_failed": number(page, "checks.failed"),
        "checks_warned": number(page, "checks.warned"),
    }
    lines = [f"{name}: {json.dumps(value)}" for name, value in values.items()]
    return "\n".join(["---", *lines, "---"])


def without_front_matter(ranking: str) -> str:
    """Return a ranking for whoever would show its front matter as a heading, as Dagster does."""
    return ranking.partition("\n---\n")[2].lstrip()


def _section(anchor: str, title: str, *paragraphs: str) -> str:
    return "\n\n".join([f'<a id="{anchor}"></a>\n## {title}', *(p for p in paragraphs if p)])


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return an unpadded table of finished cells, or the words that there is none."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if not lines:
        return "None configured."
    return "\n".join([f"| {' | '.join(header)} |", "|" + " --- |" * len(header), *lines])


def _cells(row: Record, *names: str) -> list[str]:
    return [markdown_text(text(row, name)) for name in names]


def _ranking(page: Record) -> str:
    rows = records(page, "ranking")
    anchor = anchors("model", (text(row, "model") for row in rows))
    body = [
        [
            formats.count(number(page, address("ranking.{}.rank", row.get("model")))),
            f'<a id="{anchor[text(row, "model")]}"></a>{markdown_id(text(row, "model"))}',
            *_cells(row, "name", "route"),
            markdown_text(text(row, "cost_badge", formats.MISSING)),
            formats.context(number(page, address("ranking.{}.context_tokens", row.get("model")))),
            *_cells(row, "evidence"),
        ]
        for row in rows
    ]
    header = ("#", "Model", "Name", "Best fleet route", "Cost", "Context", "Evidence")
    withheld = resolve(page, "prices.ranking_withheld")
    if isinstance(withheld, str):
        return _section("ranking", "Model ranking", f"None this week: {markdown_text(withheld)}.")
    return _section("ranking", "Model ranking", "Quality first; cost is a badge, not the sort key.",
                    _table(header, body))  # fmt: skip


def _routing_matrix(page: Record) -> str:
    columns = ("task_type", "driver", "effort", "now", "target", "rationale")
    body = [
        [markdown_text(text(row, "display_name") or text(row, "agent")), *_cells(row, *columns)]
        for row in records(page, "routing_matrix")
    ]
    header = ("Agent", "Task type", "Driver", "Effort", "Now", "Target", "Rationale")
    return _section("routing-matrix", "Routing matrix", _table(header, body))


def _execution_routing(page: Record) -> str:
    rows = records(page, "execution_routing")
    body = [_cells(row, "work_type", "default_route", "escalate_when") for row in rows]
    rules = page.get("hard_rules")
    listed = [
        f"- **Hard rule.** {markdown_text(rule, PROSE_CAP)}"
        for rule in (rules if isinstance(rules, list) else [])
        if isinstance(rule, str)
    ]
    header = ("Work type", "Default route", "Escalate to Claude when")
    return _section("execution-routing", "Execution routing", _table(header, body),
                    "\n".join(listed))  # fmt: skip


def _free_apis(page: Record) -> str:
    rows = records(page, "free_api_catalog")
    body = [
        [
            *_cells(row, "provider", "best_lane", "use_when", "avoid_when"),
            formats.count(
                number(page, address("free_api_catalog.{}.packets_per_day", row["provider"]))
            ),
            *_cells(row, "verified_at", "freshness"),
        ]
        for row in rows
    ]
    rule = markdown_text(text(page, "operating_rule"), PROSE_CAP)
    header = ("Provider", "Best fleet lane", "Use when", "Avoid when", "Packets a day",
              "Looked up", "That is")  # fmt: skip
    return _section("free-api-catalog", "Free-API catalog", _table(header, body),
                    f"**Operating rule.** {rule}" if rule else "")  # fmt: skip


def _costs(page: Record) -> str:
    title = "Cost if normal work moved"
    if not number(page, "usage.claude.requests"):
        return _section("costs", title, "None: no Claude Code request falls into this window.")
    costs = page.get("costs")
    name = markdown_text(text(costs, "reference_model_name")) if isinstance(costs, dict) else ""
    prices = [
        formats.price(number(page, f"costs.price.{kind}_usd_per_mtok"))
        for kind in ("input", "output", "cache_read")
    ]
    monthly = number(page, "window.monthly_factor") is not None
    days = formats.count(number(page, "window.days_covered"))
    said = (
        f"{name}: {prices[0]} in, {prices[1]} out, {prices[2]} cached reads, per million tokens. "
        f"Amounts are {'per month' if monthly else f'for the {days} covered days'}."
    )
    header = ("Basis", "Scenario", "Share moved", "No cache hit", "Listed cache price")
    hot = _scenarios(page, "Hot week", "costs.hot_week")
    naive = number(page, "costs.naive.cost_usd_micros")
    body = [
        ["Naive, no context sent", "expected",
         formats.share_policy(number(page, "costs.naive.share")), _money(naive), formats.MISSING],
        *_scenarios(page, "Whole window", "costs"),
        *hot,
    ]  # fmt: skip
    return _section("costs", title, said, _table(header, body))


def _scenarios(page: Record, basis: str, base: str) -> list[list[str]]:
    rows = []
    for scenario in records(page, f"{base}.scenarios"):
        path = address(f"{base}.scenarios.{{}}", scenario.get("name"))
        rows.append(
            [
                basis,
                markdown_text(text(scenario, "name")),
                formats.share_policy(number(page, f"{path}.share")),
                _money(number(page, f"{path}.cost_usd_micros")),
                _money(number(page, f"{path}.cached_cost_usd_micros")),
            ]
        )
    return rows


def _money(micros: float | None) -> str:
    return formats.money_exact(None if micros is None else int(micros))


def _headroom(page: Record) -> str:
    body = []
    for row in records(page, "headroom"):
        path = address("headroom.{}.{}", row.get("limit_id"), row.get("window_minutes"))
        minutes = number(page, f"{path}.window_minutes")
        remaining = number(page, f"{path}.remaining_share")
        body.append(
            [
                markdown_text(text(row, "limit")),
                formats.window(None if minutes is None else int(minutes)),
                "unknown" if remaining is None else formats.share(remaining),
                formats.age(number(page, f"{path}.age_minutes")),
                markdown_text(text(row, "status")),
            ]
        )
    header = ("Limit", "Window", "Remaining", "Read before as-of", "Reading")
    return _section("headroom", "Headroom", _table(header, body) if body else "Unknown.")


def _changes(page: Record) -> str:
    body = [
        [
            *_cells(row, "kind", "field"),
            markdown_id(text(row, "subject")),
            *(markdown_text(text(row, name, formats.MISSING)) for name in ("before", "after")),
            *_cells(row, "on", "source"),
        ]
        for row in records(page, "changes")
    ]
    header = ("Change", "Field", "Of", "Before", "After", "Since", "Source")
    return _section("changes", "What changed since last week",
                    _table(header, body) if body else "Nothing that is known changed.")  # fmt: skip
