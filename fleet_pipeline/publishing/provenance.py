"""What each table of a week was made of: statements, functions, upstream tables, outer inputs.

The same sums stand in ``page.json`` under ``provenance``; the sum of a table is that of its
published Parquet file. A test holds ``LINEAGE`` against the graph.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Final

import polars as pl

from fleet_pipeline import catalog, ledger, worktypes
from fleet_pipeline.home import Home
from fleet_pipeline.ledger.versions import PARSER_VERSION, RULES_VERSION
from fleet_pipeline.org import Org
from fleet_pipeline.publishing.stated import ROWS
from fleet_pipeline.publishing.tables import parquet_bytes
from fleet_pipeline.tables import statement
from fleet_pipeline.weeks import window

Record = dict[str, object]
Tables = Mapping[str, pl.DataFrame]


@dataclass(frozen=True, slots=True)
class Made:
    """How a table is made: by a statement of ``sql/``, a function, or one inside the other."""

    of: tuple[str, ...]
    sql: str | None = None
    function: str | None = None
    """As ``fleet_pipeline.<room>.<module>:<name>``."""


_REQUESTS: Final = ("requests",)
_PRICED: Final = ("requests", "organisation", "price_list", "price_snapshots")
_REPLAYED: Final = ("turns", *_PRICED)

_MADE: Final[Mapping[str, Made]] = {
    "requests": Made(("usage_ledger", "organisation"), "requests", "fleet_pipeline.usage:requests"),
    "window_coverage": Made(_REQUESTS, "window_coverage"),
    "weekly_volumes": Made(("usage_ledger",), "weekly_volumes"),
    "model_contexts": Made(
        ("requests", "price_list", "price_snapshots"),
        "model_contexts",
        "fleet_pipeline.pricing.price_frames:model_contexts",
    ),
    "usage_totals": Made(_REQUESTS, "usage_totals"),
    "daily_usage": Made(_REQUESTS, "daily_usage"),
    "agent_usage": Made(("requests", "organisation"), "agent_usage"),
    "context_profile": Made(_REQUESTS, "context_profile"),
    "context_curve": Made(_REQUESTS, "context_curve"),
    "model_mix": Made(_REQUESTS, "model_mix"),
    "codex_usage": Made(_REQUESTS, "codex_usage"),
    "target_proxy": Made(("agent_usage", "organisation"), "target_proxy"),
    "reconciliation": Made(
        ("usage_ledger",), "reconciliation", "fleet_pipeline.ledger.counting:sessions"
    ),
    "turns": Made(("requests", "organisation"), "turns", "fleet_pipeline.worktypes.turns:turns"),
    "task_mix": Made(("turns",), "task_mix"),
    "eligible_share": Made(
        ("turns", "target_proxy"),
        function="fleet_pipeline.worktypes.eligibility:eligible_share",
    ),
    "routing_policy": Made(("organisation",), function="fleet_pipeline.worktypes.turns:routes"),
    "headroom": Made(
        ("requests", "transcript_evidence"), "headroom", "fleet_pipeline.headroom.windows:headroom"
    ),
    "five_hour_blocks": Made(
        ("requests", "target_proxy"),
        "five_hour_blocks",
        "fleet_pipeline.headroom.blocks:five_hour_blocks",
    ),
    "exchange_rates": Made(
        ("requests", "transcript_evidence"),
        function="fleet_pipeline.headroom.exchange:exchange_rates",
    ),
    "realised": Made(
        ("requests", "turns", "target_proxy", "routing_policy"),
        "realised",
        "fleet_pipeline.drift.realised:realised",
    ),
    "agent_days": Made(("daily_usage",), function="fleet_pipeline.drift.agent_days:agent_days"),
    "hot_week_chance": Made(
        ("daily_usage",), function="fleet_pipeline.drift.chance:hot_week_chance"
    ),
    "agent_weeks": Made(("usage_ledger", "organisation"), "agent_weeks"),
    "deciding_figures": Made(
        ("usage_ledger", "organisation", "transcript_evidence", "price_snapshots"),
        function="fleet_pipeline.past_weeks:deciding_figures",
    ),
    "prices": Made(
        ("model_mix", "organisation", "price_list", "price_snapshots"),
        function="fleet_pipeline.pricing.price_frames:prices_table",
    ),
    "cost_scenarios": Made(
        _PRICED, "offload_tokens", "fleet_pipeline.costing.scenarios:cost_scenarios"
    ),
    "context_fit": Made(
        ("requests", "turns", "organisation"),
        "context_fit",
        "fleet_pipeline.costing.context_fit:context_fit",
    ),
    "cost_corners": Made(_PRICED, function="fleet_pipeline.costing.corners:cost_corners"),
    "break_even": Made(_PRICED, function="fleet_pipeline.costing.corners:break_even"),
    "offload_replay": Made(_REPLAYED, function="fleet_pipeline.costing.replay:replay"),
    "replay_routes": Made(_REPLAYED, function="fleet_pipeline.costing.replay:replay"),
    "replay_cuts": Made(_REPLAYED, function="fleet_pipeline.costing.replay:replay"),
    "subscription_room": Made(
        (*_REPLAYED, "headroom", "exchange_rates"),
        function="fleet_pipeline.costing.room:subscription_room",
    ),
    "subscription_value": Made(
        ("requests", "price_list", "price_snapshots"),
        "subscription_value",
        "fleet_pipeline.costing.subscription:subscription_value",
    ),
    "price_sources": Made(
        ("price_snapshots",), function="fleet_pipeline.catalog.listing:price_sources"
    ),
    "model_catalog": Made(
        ("price_snapshots", "organisation"),
        function="fleet_pipeline.catalog.listing:model_catalog",
    ),
    "free_quotas": Made(
        ("price_snapshots", "organisation"),
        function="fleet_pipeline.catalog.free_apis:free_quotas",
    ),
    "probe_results": Made((), function="fleet_pipeline.probes.results:read"),
    "quality_observations": Made(
        ("organisation",), function="fleet_pipeline.ranking.observations:quality_observations"
    ),
    "model_ranking": Made(
        ("probe_results", "quality_observations", *_PRICED),
        function="fleet_pipeline.ranking.model_ranking:model_ranking",
    ),
    "rank_history": Made(
        ("organisation", "probe_results", "quality_observations"),
        function="fleet_pipeline.ranking.rank_history:rank_history",
    ),
    "changes": Made(
        ("price_snapshots", "organisation", "model_ranking"),
        function="fleet_pipeline.catalog.changes:changes",
    ),
}
LINEAGE: Final[Mapping[str, Made]] = {
    **_MADE,
    "quality": Made(tuple(_MADE), function="fleet_pipeline.quality.expectations:judge"),
}
"""Every weekly table; the names that are no table are inputs from outside, see ``_inputs``."""

_STATED_OF: Final = {
    "candidates": ("organisation",),
    "assumptions": ("organisation",),
    "execution_routes": ("organisation",),
    "ledger_counts": ("usage_ledger",),
    "ledger_reconciliation": ("usage_ledger",),
    "hosts": ("usage_ledger", "organisation"),
    "checks": (),
}

PRIVATE: Final = frozenset({"requests", "turns"})
"""One row for each request or turn: their sums are told, their rows are not published."""

PUBLISHED: Final = frozenset({*LINEAGE, *ROWS} - PRIVATE)


def provenance(home: Home, org: Org, close: date, tables: Tables) -> Record:
    """Return how each of the ``tables`` came about, and the sums of all that went into them.

    The same inputs give the same sums; none of them tells a path or a name of a folder.
    """
    return {
        "inputs": _inputs(home, org, close),
        "tables": [
            {
                "table": name,
                "published": name not in PRIVATE,
                "rows": frame.height,
                "sha256": _sha256(parquet_bytes(frame)),
                "made_by": made_by(name),
                "of": list(made(name).of),
            }
            for name, frame in tables.items()
        ],
    }


def made(table: str) -> Made:
    """Return how a table is made. Raises KeyError for one that nobody declared."""
    if table in ROWS:
        return Made(_STATED_OF[table], function="fleet_pipeline.publishing.stated:stated_tables")
    return LINEAGE[table]


def made_by(table: str) -> list[Record]:
    """Return the statement and the function of a table, with the sums of its text and its file."""
    how = made(table)
    found: list[Record] = []
    if how.sql:
        text = statement_bytes(table)
        found.append({"sql": f"sql/{how.sql}.sql", "sha256": _sha256(text or b"")})
    if how.function:
        module, _, _ = how.function.partition(":")
        source = import_module(module).__file__ or ""
        found.append({"function": how.function, "sha256": _sha256(Path(source).read_bytes())})
    return found


def statement_bytes(table: str) -> bytes | None:
    """Return the SQL that a table is made by; None where it is a function's alone."""
    name = LINEAGE[table].sql if table in LINEAGE else None
    return statement(name).encode() if name else None


def _inputs(home: Home, org: Org, close: date) -> Record:
    days = window(close)
    usage = ledger.usage(home, days)
    known = catalog.known_at(home, close)
    seen = known.observations["observed_at"].max()
    readings = ledger.quota(home)
    readings = readings.filter(pl.col("ts") < datetime.combine(close, time(), UTC))
    kinds: tuple[catalog.Kind, ...] = ("endpoints", "quotas", "headers", "own_counts")
    told = {kind: catalog.newest(home, kind, close) for kind in kinds}
    return {
        "usage_ledger": {
            "from": days[0].isoformat(),
            "to": days[1].isoformat(),
            "rows": usage.height,
            "sha256": _sha256(parquet_bytes(usage)),
            "parser_version": PARSER_VERSION,
            "rules_version": RULES_VERSION,
            "work_rules_version": worktypes.version(),
        },
        "transcript_evidence": {
            "quota_readings": readings.height,
            "sha256": _sha256(parquet_bytes(readings)),
        },
        "organisation": {
            path.name: _sha256(path.read_bytes()) for path in sorted(org.folder.glob("*.yaml"))
        },
        "price_list": {"package": "genai-prices", "version": version("genai-prices")},
        "price_snapshots": {
            "observations": known.observations.height,
            "newest": seen.isoformat() if isinstance(seen, datetime) else None,
            "sha256": _sha256(parquet_bytes(known.observations)),
            **{f"{name}_sha256": _sha256(parquet_bytes(frame)) for name, frame in told.items()},
        },
    }


def price_snapshot(page: Mapping[str, object]) -> str | None:
    """Return which prices a page knows, in one short text; None for a page without provenance."""
    found = page.get("provenance")
    inputs = found.get("inputs") if isinstance(found, Mapping) else None
    if not isinstance(inputs, Mapping):
        return None
    snapshots, listed = inputs["price_snapshots"], inputs["price_list"]
    newest = snapshots["newest"] or "no feed"
    return f"{newest} {snapshots['sha256'][:12]}, {listed['package']} {listed['version']}"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
