"""Stage 4: what happened beside what was planned, beside what usually does, and before."""

import dagster as dg
import polars as pl

from assets.partitions import close_of
from assets.resources import Fleet
from assets.tables import weekly, weekly_tables
from fleet_pipeline import drift, ledger, past_weeks, pricing, tables, usage
from fleet_pipeline.org import agents_table

GROUP = "drift"

_OF_TODAY = ("usage_ledger", "organisation", "transcript_evidence", "price_snapshots")


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


@weekly_tables(
    GROUP,
    deps=_OF_TODAY,
    deps_of={"agent_weeks": ("usage_ledger", "organisation"), "deciding_figures": _OF_TODAY},
    sql=("agent_weeks",),
    agent_weeks="Use of each agent in each of the last eight weeks, as the ledger has it today.",
    deciding_figures=(
        "Deciding figures of this week and the seven before it, made anew under today's policy."
        "\n\nOne row: one week, named by its close, whose window of 30 days holds any request."
    ),
)
def weeks_before(
    context: dg.AssetExecutionContext, fleet: Fleet
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One reading of the ledger over all of the past weeks, which two tables tell of."""
    settings, close = fleet.settings(), close_of(context)
    home, org, days = settings.home, settings.organisation(), past_weeks.span(close)
    requests = usage.requests(ledger.usage(home, days), org, days)
    weeks = pl.DataFrame({"week_start": past_weeks.week_starts(close)})
    reference = org.reference.price_provider, org.reference.price_model
    return (
        tables.run("agent_weeks", weeks=weeks, requests=requests, agents=agents_table(org)),
        past_weeks.deciding_figures(
            requests,
            ledger.quota(home),
            org,
            close=close,
            price_at=lambda week: pricing.price_book(home, week).find(*reference, week),
        ),
    )


assets = [realised, agent_days, hot_week_chance, weeks_before]
