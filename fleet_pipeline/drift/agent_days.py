"""Days on which an agent used far more, or far less, than it usually does: robust z-scores.

Volumes differ by factors, not by sums, so scores are taken of their logarithm: the distance from
the median in units of 1.4826 times the median absolute deviation, which is the standard deviation
of a normal distribution and which no single wild day can move. |z| > 3.5 is the usual bound
(Iglewicz and Hoaglin 1993).
"""

from typing import Final

import polars as pl

FEWEST_DAYS: Final = 10
"""With fewer active days an agent has no usual day."""
FAR: Final = 3.5
LEAST_SPREAD: Final = 0.1
"""Of the logarithm: days that differ by less than a tenth are alike, whatever the others do."""


def agent_days(daily_usage: pl.DataFrame) -> pl.DataFrame:
    """Return one row for each agent and active UTC day, both clients together.

    ``typical_tokens`` is the median of the agent's active days. ``verdict`` is ``runaway``,
    ``quiet``, ``usual`` or ``too_few_days``; the score is null for the last. A day without any
    request has no row: it is missing or idle, and nobody can tell which.
    """
    of_agent = "agent"
    log = pl.col("full_input_tokens").log()
    median = log.median().over(of_agent)
    return (
        daily_usage.group_by("agent", "date")
        .agg(pl.col("requests", "full_input_tokens").sum())
        .filter(pl.col("full_input_tokens") > 0)
        .sort("agent", "date")
        .with_columns(
            active_days=pl.len().over(of_agent).cast(pl.Int64),
            typical_tokens=pl.col("full_input_tokens").median().over(of_agent).round(),
            distance=log - median,
        )
        .with_columns(spread=pl.col("distance").abs().median().over(of_agent) * 1.4826)
        .with_columns(
            robust_z=pl.when(pl.col("active_days") >= FEWEST_DAYS).then(
                pl.col("distance") / pl.max_horizontal("spread", pl.lit(LEAST_SPREAD))
            )
        )
        .select(
            "agent",
            "date",
            "requests",
            "full_input_tokens",
            pl.col("typical_tokens").cast(pl.Int64),
            "active_days",
            "robust_z",
            verdict=pl.when(pl.col("robust_z").is_null())
            .then(pl.lit("too_few_days"))
            .when(pl.col("robust_z") > FAR)
            .then(pl.lit("runaway"))
            .when(pl.col("robust_z") < -FAR)
            .then(pl.lit("quiet"))
            .otherwise(pl.lit("usual")),
        )
    )
