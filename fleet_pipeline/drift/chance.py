"""What the hottest week would be by chance alone: the fleet's own days in random order.

The largest of all rolling weeks lies above the month's mean in the steadiest fleet. Only what lies
above what shuffled days give says anything about that week.
"""

import random
from collections.abc import Sequence
from datetime import date
from typing import Final

import polars as pl

from fleet_pipeline.costing.run_rate import FEWEST_DAYS_FOR_A_MONTH, hot_week

DRAWS: Final = 2_000
SEED: Final = 20_260_618
_WEEK: Final = 7

_SCHEMA: Final = pl.Schema(
    {
        "window_start": pl.Date(),
        "window_end": pl.Date(),
        "multiplier": pl.Float64(),
        "expected_multiplier": pl.Float64(),
        "p95_multiplier": pl.Float64(),
        "days_covered": pl.Int64(),
        "verdict": pl.String(),
    }
)


def hot_week_chance(daily_usage: pl.DataFrame) -> pl.DataFrame:
    """Return one row for the hottest week of Claude's full input, none where no week is whole.

    ``multiplier`` is that week's daily mean over the covered days' mean; expected and 95th
    percentile are those of DRAWS fleets whose days are drawn from the same days with replacement.
    ``verdict`` is ``beyond_chance``, ``within_chance`` or, below 14 covered days, ``too_few_days``.
    """
    covered: dict[date, int] = dict.fromkeys(sorted(daily_usage["date"].unique()), 0)
    claude = daily_usage.filter(pl.col("client") == "claude")
    sums = claude.group_by("date").agg(pl.col("full_input_tokens").sum())
    covered |= dict(sums.sort("date").iter_rows())
    week = hot_week(covered)
    total = sum(covered.values())
    if week is None or not total:
        return pl.DataFrame(schema=_SCHEMA)
    days = list(covered.values())
    multiplier = week.full_input_tokens / _WEEK / (total / len(days))
    row: dict[str, object] = {
        "window_start": week.start,
        "window_end": week.end,
        "multiplier": multiplier,
        "days_covered": len(days),
        "verdict": "too_few_days",
    }
    if len(days) >= FEWEST_DAYS_FOR_A_MONTH:
        chance = random.Random(SEED)
        drawn = sorted(_hottest(chance.choices(days, k=len(days))) for _ in range(DRAWS))
        row["expected_multiplier"] = sum(drawn) / DRAWS
        row["p95_multiplier"] = drawn[round(0.95 * (DRAWS - 1))]
        row["verdict"] = (
            "beyond_chance" if multiplier > drawn[round(0.95 * (DRAWS - 1))] else ("within_chance")
        )
    return pl.DataFrame([row], schema=_SCHEMA)


def _hottest(days: Sequence[int]) -> float:
    """Return the hottest rolling week's daily mean over the mean of all days."""
    total = sum(days)
    if not total:
        return 1.0
    week = hottest = sum(days[:_WEEK])
    for entering, leaving in zip(days[_WEEK:], days, strict=False):
        week += entering - leaving
        hottest = max(hottest, week)
    return hottest / _WEEK / (total / len(days))
