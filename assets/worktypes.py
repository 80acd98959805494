"""Stage 3: what kind of work the turns of the window were, and how much of it may move."""

import dagster as dg
import polars as pl

from assets.resources import Fleet
from assets.tables import shown, weekly, weekly_check
from fleet_pipeline import quality, tables, worktypes

GROUP = "worktypes"


@weekly(GROUP, "python", sql="turns", deps=("organisation",))
def turns(fleet: Fleet, requests: pl.DataFrame) -> pl.DataFrame:
    """Turns of the window, each with the kind of its work and the rule that decided."""
    return worktypes.turns(requests, fleet.settings().organisation())


@weekly(GROUP, sql="task_mix")
def task_mix(turns: pl.DataFrame) -> pl.DataFrame:
    """Mix of work: kinds, rules, drivers and efforts of each agent's turns."""
    return tables.run("task_mix", turns=turns.drop("acts", "places"))


@weekly(GROUP)
def eligible_share(turns: pl.DataFrame, target_proxy: pl.DataFrame) -> pl.DataFrame:
    """Share of each agent's input in bounded, movable turns, with its interval, beside its target.

    One row: one agent, the whole fleet first under an empty name.
    """
    return worktypes.eligible_share(turns, target_proxy)


@weekly(GROUP, deps=("organisation",))
def routing_policy(fleet: Fleet) -> pl.DataFrame:
    """Routing matrix of the week: what later weeks' traffic is held against.

    One row: one kind of one agent's work that the matrix names.
    """
    return worktypes.routes(fleet.settings().organisation())


@weekly_check(eligible_share)
def targets_are_movable(eligible_share: pl.DataFrame) -> dg.AssetCheckResult:
    """No target asks for more than what sits in movable turns: otherwise it cannot be reached."""
    return shown(quality.targets_are_movable(eligible_share))


@weekly_check(task_mix, "usage_totals", blocking=True)
def turns_add_up(task_mix: pl.DataFrame, usage_totals: pl.DataFrame) -> dg.AssetCheckResult:
    """The turns' rows, the unknown ones among them, are the whole of both clients' usage."""
    return shown(quality.turns_add_up(task_mix, usage_totals))


assets = [turns, task_mix, eligible_share, routing_policy]
checks = [targets_are_movable, turns_add_up]
