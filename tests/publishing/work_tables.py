"""The weekly tables about work, of a fleet that a test made up."""

from datetime import date

import polars as pl

from fleet_pipeline import drift, headroom, tables, worktypes
from fleet_pipeline.home import Home
from fleet_pipeline.org import Org


def work_tables(
    org: Org, made: dict[str, pl.DataFrame], readings: pl.DataFrame, home: Home, close: date
) -> dict[str, pl.DataFrame]:
    """Make them from the tables that are there already: requests, target_proxy, daily_usage."""
    requests, targets = made["requests"], made["target_proxy"]
    turns = worktypes.turns(requests, org)
    plans = drift.plans_before(home, close, targets=targets, routes=worktypes.routes(org))
    return {
        "turns": turns,
        "task_mix": tables.run("task_mix", turns=turns.drop("acts", "places")),
        "eligible_share": worktypes.eligible_share(turns, targets),
        "routing_policy": worktypes.routes(org),
        "five_hour_blocks": headroom.five_hour_blocks(requests, targets),
        "exchange_rates": headroom.exchange_rates(readings, requests=requests, as_of=close),
        "realised": drift.realised(requests, turns, plans, close=close),
        "agent_days": drift.agent_days(made["daily_usage"]),
        "hot_week_chance": drift.hot_week_chance(made["daily_usage"]),
    }
