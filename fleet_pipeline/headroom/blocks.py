"""Blocks of five hours: how much each client used in the rhythm of the five-hour windows.

What a window truly held is only known from quota readings; a block says what the ledger saw in a
stretch of the same length. The definition is that of ccusage, whose users plan by it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from fleet_pipeline import tables

LENGTH: Final = timedelta(hours=5)


def five_hour_blocks(requests: pl.DataFrame, targets: pl.DataFrame) -> pl.DataFrame:
    """Return one row for each block of each client; see ``sql/five_hour_blocks.sql``.

    ``targets`` is the weekly table ``target_proxy``.
    """
    ordered = requests.sort("client", "ts")
    starts = [
        start
        for part in ordered.partition_by("client", maintain_order=True)
        for start in block_starts(part["ts"])
    ]
    return tables.run(
        "five_hour_blocks",
        numbered=ordered.with_columns(
            started_at=pl.Series(starts, dtype=pl.Datetime("us", "UTC")),
        ),
        targets=targets.select("agent", "target_share"),
    )


def block_starts(times: Iterable[datetime]) -> list[datetime]:
    """Return for each of some ascending times (UTC) when its block begins."""
    starts: list[datetime] = []
    last: datetime | None = None
    for time in times:
        if last is None or time - starts[-1] >= LENGTH or time - last >= LENGTH:
            starts.append(time.replace(minute=0, second=0, microsecond=0))
        else:
            starts.append(starts[-1])
        last = time
    return starts
