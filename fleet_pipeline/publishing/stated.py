"""Tables of what is stated and not measured: the organisation's files, the store's counts, checks.

They are published beside the weekly tables, so that every figure of the page can be read from a
published table.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import polars as pl

from fleet_pipeline.hosts import Host
from fleet_pipeline.ledger import Sources
from fleet_pipeline.org import Org
from fleet_pipeline.quality import Outcome

ROWS: Final[Mapping[str, str]] = {
    "candidates": "One row: one candidate model of the organisation, in its own order.",
    "assumptions": "One row: one assumption of the replay, with its value in each case.",
    "execution_routes": "One row: one kind of work that a default route is for.",
    "ledger_counts": "One row: one count over all that was ever read; a part names what of it.",
    "ledger_reconciliation": "One row: one client, over the whole ledger.",
    "hosts": "One row: one machine whose transcripts were read, or that is listed.",
    "checks": "One row: one check of this publication.",
}
"""The tables of this module, each with what one row is."""


def stated_tables(
    org: Org, sources: Sources, hosts: Iterable[Host], outcomes: Iterable[Outcome]
) -> dict[str, pl.DataFrame]:
    """Return the tables of ``ROWS`` by name."""
    return {
        "candidates": _candidates(org),
        "assumptions": _assumptions(org),
        "execution_routes": _execution_routes(org),
        "ledger_counts": _ledger_counts(sources),
        "ledger_reconciliation": _ledger_reconciliation(sources),
        "hosts": pl.DataFrame(
            list(hosts),
            schema={
                "host": pl.String,
                "requests": pl.Int64,
                "last_ts": pl.String,
                "quiet_days": pl.Int64,
            },
        ),
        "checks": _checks(outcomes),
    }


def _candidates(org: Org) -> pl.DataFrame:
    rows = [
        {
            "rank": rank,
            "model": model.id,
            "name": model.name,
            "price_provider": model.price_provider,
            "price_model": model.price_model,
            "is_free": model.free,
            "is_reference": model.id == org.reference_model,
            "context_tokens": model.context_tokens,
            "cache_ttl_seconds": model.cache.ttl_seconds if model.cache else None,
        }
        for rank, model in enumerate(org.models, start=1)
    ]
    schema = {
        "rank": pl.Int64,
        "model": pl.String,
        "name": pl.String,
        "price_provider": pl.String,
        "price_model": pl.String,
        "is_free": pl.Boolean,
        "is_reference": pl.Boolean,
        "context_tokens": pl.Int64,
        "cache_ttl_seconds": pl.Int64,
    }
    return pl.DataFrame(rows, schema=schema)


def _assumptions(org: Org) -> pl.DataFrame:
    rows: list[tuple[str, float | None, float, float | None, str | None]] = []
    if org.replay:
        rows = [
            (name, float(value.low), float(value.expected), float(value.high), value.because)
            for name, value in org.replay.assumptions
        ]
        rows += [("room", None, float(org.replay.room), None, None)]
    schema = {
        "name": pl.String,
        "low": pl.Float64,
        "expected": pl.Float64,
        "high": pl.Float64,
        "because": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _execution_routes(org: Org) -> pl.DataFrame:
    rows = [
        (route.work_type, kind, route.default_route)
        for route in org.execution_routing
        for kind in route.kinds
    ]
    names = ("work_type", "kind", "default_route")
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def _ledger_counts(sources: Sources) -> pl.DataFrame:
    rows = [
        ("files", "", sources["files"]),
        ("bytes", "", sources["bytes"]),
        ("lines", "", sources["lines"]),
        ("requests_lines", "", sources["requests_lines"]),
        ("duplicates", "", sources["duplicates"]),
        *(("quarantined", reason, count) for reason, count in sources["quarantined"].items()),
        *(
            (measure, client, counts[measure])
            for client, counts in sources["clients"].items()
            for measure in ("files", "lines")
        ),
    ]
    schema = {"measure": pl.String, "part": pl.String, "amount": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _ledger_reconciliation(sources: Sources) -> pl.DataFrame:
    rows = [{"client": client, **record} for client, record in sources["reconciliation"].items()]
    return pl.DataFrame(rows, infer_schema_length=None)


def _checks(outcomes: Iterable[Outcome]) -> pl.DataFrame:
    schema = {
        "name": pl.String,
        "severity": pl.String,
        "passed": pl.Boolean,
        "broken": pl.Boolean,
        "table": pl.String,
        "says": pl.String,
        "remedy": pl.String,
    }
    rows = [dict(each.record()) for each in outcomes]
    return pl.DataFrame(rows, schema=schema).sort("name")
