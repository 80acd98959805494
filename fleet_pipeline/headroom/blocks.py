"""Blocks of five hours: how much each client used in the rhythm of the five-hour windows.

What a window truly held is only known from quota readings; a block says what the ledger saw in a
stretch of the same length. The definition is that of ccusage, whose users plan by it.
"""

from datetime import timedelta
from typing import Final

import polars as pl

from fleet_pipeline import tables

BLOCK: Final = timedelta(hours=5)
"""How long a billing block of Claude's subscriptions lasts."""

_HOUR_MICROS: Final = 3_600_000_000
_BLOCK_MICROS: Final = 5 * _HOUR_MICROS


def five_hour_blocks(requests: pl.DataFrame, targets: pl.DataFrame) -> pl.DataFrame:
    """Return one row for each block of each client; see ``sql/five_hour_blocks.sql``.

    ``targets`` is the weekly table ``target_proxy``.
    """
    ordered = requests.sort("client", "ts")
    return tables.run(
        "five_hour_blocks",
        numbered=ordered.with_columns(
            pl.col("ts").map_batches(block_starts).over("client").alias("started_at")
        ),
        targets=targets.select("agent", "target_share"),
    )


def block_starts(moments: pl.Series) -> pl.Series:
    """Return the start of the five-hour block of each moment; ``moments`` ascend, in UTC.

    A block begins at the full UTC hour of its first request. Another one begins when more than
    five hours have passed since that hour, or since the last request (as ccusage defines it).
    """
    starts: list[int] = []
    start = last = -_BLOCK_MICROS * 2
    for moment in moments.to_physical():
        if moment - start > _BLOCK_MICROS or moment - last > _BLOCK_MICROS:
            start = moment - moment % _HOUR_MICROS
        starts.append(start)
        last = moment
    return pl.Series(moments.name, starts, pl.Int64).cast(pl.Datetime("us", "UTC"))
