"""Stage 4: what happened beside what was planned, and beside what usually does."""

import dagster as dg
import polars as pl

from assets.partitions import close_of
from assets.resources import Fleet
from assets.tables import weekly
from fleet_pipeline import drift

GROUP = "drift"


@weekly(GROUP, sql="realised")
def realised(
    context: dg.AssetExecutionContext,
    fleet: Fleet,
    requests: pl.DataFrame,
    turns: pl.DataFrame,
    target_proxy: pl.DataFrame,
    routing_policy: pl.DataFrame,
) -> pl.DataFrame:
    """Realised moves of the last weeks, each against the plan that stood as it began.

    Reads the targets and matrices of earlier weeks; today's stand in for one that was never made.
    """
    close = close_of(context)
    plans = drift.plans_before(
        fleet.settings().home, close, targets=target_proxy, routes=routing_policy
    )
    return drift.realised(requests, turns, plans, close=close)


@weekly(GROUP)
def agent_days(daily_usage: pl.DataFrame) -> pl.DataFrame:
    """Days of each agent with a robust score against its own history.

    One row: one agent's active UTC day, both clients together.
    """
    return drift.agent_days(daily_usage)


@weekly(GROUP)
def hot_week_chance(daily_usage: pl.DataFrame) -> pl.DataFrame:
    """Chance of the hottest week: how hot the same days in random order would run.

    One row: the hottest seven covered days in a row; none where no week is whole.
    """
    return drift.hot_week_chance(daily_usage)


assets = [realised, agent_days, hot_week_chance]
