"""The weekly tables and the org's files as one dictionary: the contents of ``page.json``.

Belongs here: which figure of which table stands where on the page. Nothing is measured or priced
here, and no word of the page is written here; costs are in ``page_data_costs``.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl

from fleet_pipeline.costing import monthly_factor
from fleet_pipeline.home import DEMO_HOST
from fleet_pipeline.org import Org
from fleet_pipeline.publishing.page_data_costs import costs
from fleet_pipeline.publishing.page_data_history import history, week_change
from fleet_pipeline.publishing.page_data_prices import (
    change_records,
    free_api_catalog,
    price_facts,
)
from fleet_pipeline.publishing.page_data_ranking import rank_history, ranking
from fleet_pipeline.publishing.page_data_replay import context_fit
from fleet_pipeline.publishing.page_data_work import of_matrix_row, of_route, work
from fleet_pipeline.quality import CheckOutcome

SCHEMA_VERSION = 1
GENERATOR = {"name": "fleet_pipeline", "version": "0.1.0"}

Record = dict[str, object]
Tables = Mapping[str, pl.DataFrame]


def build_page(
    org: Org,
    as_of: date,
    tables: Tables,
    sources: Mapping[str, object],
    checks: Iterable[CheckOutcome],
    accepted: Sequence[Mapping[str, str]] = (),
) -> Record:
    """Return the contents of ``page.json`` (schema 1) for the week that closes at ``as_of``.

    ``tables`` holds the weekly tables by name: requests, usage_totals, daily_usage, agent_usage,
    context_profile, model_mix, target_proxy, headroom, prices, cost_scenarios, context_fit,
    cost_corners, break_even, offload_replay, replay_routes, replay_cuts, subscription_value,
    window_coverage, price_sources, model_catalog, free_quotas, changes, model_ranking,
    rank_history, agent_weeks, deciding_figures, context_curve, and those that ``page_data_work``
    names. ``sources`` comes from the ledger's store as it is; ``accepted`` are checks that failed
    and that the operator let pass.
    Only what JSON can say comes out: ints stay ints, unknown is None, dates are ISO texts (UTC).
    """
    iso = as_of.isocalendar()
    prices = price_facts(tables)
    page: Record = {
        "schema_version": SCHEMA_VERSION,
        "org": org.name,
        "title": org.title,
        "owner": org.owner,
        "as_of": as_of,
        "week": f"{iso.year}-W{iso.week:02d}",
        "demo": set(tables["requests"]["host"].unique()) == {DEMO_HOST},
        "generator": GENERATOR,
        "window": _window(tables["window_coverage"]),
        "usage": _usage(tables),
        "agents": [
            {**row, **week_change(tables["agent_weeks"], as_of, row["agent"])}
            for row in _agents(org, tables)
        ],
        "models": _rows(tables["model_mix"].drop("output_tokens")),
        "daily": _daily(tables),
        "target": _target(tables),
        "headroom": _rows(tables["headroom"]),
        "costs": costs(org, as_of, tables),
        "context_fit": context_fit(org, tables),
        "context_curve": _rows(tables["context_curve"]),
        **history(tables, as_of),
        **work(org, tables),
        **_policy(org, tables["task_mix"]),
        "free_api_catalog": free_api_catalog(org, tables["free_quotas"]),
        "prices": prices,
        # Without prices that are fresh enough there is no ranking; the page says why.
        "ranking": [] if prices["ranking_withheld"] else ranking(org, tables),
        "rank_history": [] if prices["ranking_withheld"] else rank_history(tables),
        "model_catalog": _rows(tables["model_catalog"]),
        "sources": sources,
        "checks": {**_checks(checks), "accepted": list(accepted)},
        "changes": change_records(tables["changes"], ranked=not prices["ranking_withheld"]),
    }
    return {name: _plain(value) for name, value in page.items()}


def _window(coverage: pl.DataFrame) -> Record:
    row = coverage.row(0, named=True)
    factor = monthly_factor(row["days_covered"])
    return {
        "start": row["window_start"],
        "end": row["window_end"],
        "days": row["days"],
        "days_covered": row["days_covered"],
        "first_day": row["first_day"],
        "last_day": row["last_day"],
        "monthly_factor": None if factor is None else float(factor),
    }


def _usage(tables: Tables) -> Record:
    whole = tables["context_profile"].filter(pl.col("agent") == "")
    context_p99 = dict(whole.select("client", "p99").iter_rows())
    return {
        row["client"]: {
            **{name: value for name, value in row.items() if name != "client"},
            "context_p99": context_p99.get(row["client"]),
        }
        for row in tables["usage_totals"].iter_rows(named=True)
    }


def _agents(org: Org, tables: Tables) -> list[Record]:
    display_names = {agent.name: agent.display_name for agent in org.agents}
    targets = tables["target_proxy"].select("agent", "target_share", "target_tokens")
    usage = tables["agent_usage"].join(
        targets, on="agent", how="left", validate="1:1", maintain_order="left"
    )
    return [
        {**row, "display_name": display_names.get(row["agent"], "Unattributed")}
        for row in usage.iter_rows(named=True)
    ]


def _daily(tables: Tables) -> list[Record]:
    """Return every covered day for each client of the window, also the days it did nothing."""
    daily = tables["daily_usage"]
    grid = daily.select("date").unique().join(daily.select("client").unique(), how="cross")
    sums = daily.group_by("date", "client").agg(
        pl.col("requests").sum(), pl.col("full_input_tokens").sum()
    )
    filled = grid.join(sums, on=["date", "client"], how="left").fill_null(0)
    return _rows(filled.sort("date", "client"))


def _target(tables: Tables) -> Record:
    tokens = int(tables["target_proxy"]["target_tokens"].sum())
    full_input = int(tables["agent_usage"]["full_input_tokens"].sum())
    return {"tokens": tokens, "share": tokens / full_input if full_input else None}


def _policy(org: Org, task_mix: pl.DataFrame) -> Record:
    """Return what the operator decided, word for word, with what is measured beside it."""
    display_names = {agent.name: agent.display_name for agent in org.agents}
    return {
        "backbone": [
            {"role": role.role, "model": role.model, "use": role.use} for role in org.backbone
        ],
        "principles": org.principles.model_dump(mode="json"),
        "routing_matrix": [
            {
                "agent": row.agent,
                "display_name": display_names.get(row.agent, row.agent),
                "task_type": row.task_type,
                "driver": row.driver,
                "effort": row.effort,
                "now": row.now,
                "target": row.target,
                "rationale": row.rationale,
                "kinds": list(row.kinds),
                "measured": of_matrix_row(row, task_mix),
            }
            for row in org.routing_matrix
        ],
        "execution_routing": [
            {
                "work_type": route.work_type,
                "default_route": route.default_route,
                "escalate_when": route.escalate_when,
                "kinds": list(route.kinds),
                "measured": of_route(route, task_mix),
            }
            for route in org.execution_routing
        ],
        "operating_rule": org.operating_rule,
        "hard_rules": list(org.hard_rules),
    }


def _checks(outcomes: Iterable[CheckOutcome]) -> Record:
    results = sorted(outcomes, key=lambda outcome: outcome["name"])
    missed = [outcome["severity"] for outcome in results if not outcome["passed"]]
    warned = missed.count("warn")
    return {
        "passed": len(results) - len(missed),
        "failed": len(missed) - warned,
        "warned": warned,
        "results": results,
    }


def _rows(frame: pl.DataFrame) -> list[Record]:
    return list(frame.iter_rows(named=True))


def _plain(value: object) -> object:
    """Return a value as JSON can say it; dates and times become ISO texts in UTC."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    return value
