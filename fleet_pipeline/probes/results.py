"""The home's probe results: one immutable Parquet file for each run of probes, kept for good.

Belongs here: where results lie, adding one run, reading what was known by a moment.
"""

from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Final, Literal

import polars as pl

from fleet_pipeline.home import Home
from fleet_pipeline.ledger.store import UNREADABLE, damaged, write_frame

Outcome = Literal["pass", "fail", "schema_fail", "refused", "truncated", "unavailable"]

UNAVAILABLE: Final[Outcome] = "unavailable"
"""No answer: 429, 5xx, a timeout, an exhausted quota. Availability, never quality."""

SCHEMA: Final = pl.Schema(
    {
        "probe_run_id": pl.String(),
        "item_id": pl.String(),
        "item_version": pl.Int64(),
        "work_type": pl.String(),
        "is_anchor": pl.Boolean(),
        "model": pl.String(),
        "repeat": pl.Int64(),
        "due_on": pl.Date(),
        "started_at": pl.Datetime("us", "UTC"),
        "lane": pl.String(),
        "fingerprint": pl.String(),
        "outcome": pl.String(),
        "says": pl.String(),
        "attempts": pl.Int64(),
        "input_tokens": pl.Int64(),
        "output_tokens": pl.Int64(),
        "total_ms": pl.Int64(),
        "answer_sha256": pl.String(),
    }
)
"""One row: one packet that one model was asked, and what became of it; never the answer itself.

``outcome``: pass, fail, schema_fail, refused, truncated (the four are failures) or unavailable.
``fingerprint``: the model that the provider says answered; null where it does not say.
"""

_ORDER: Final = ("started_at", "model", "item_id", "repeat")


def folder(home: Home) -> Path:
    """Return where the results of a home are."""
    return home.lake / "probes" / "results"


def add(home: Home, rows: pl.DataFrame) -> Path | None:
    """Keep the results of one run and return their file; None where there are none.

    Raises ValueError for rows of several runs.
    """
    if rows.is_empty():
        return None
    [run] = rows["probe_run_id"].unique().to_list()
    first = rows["started_at"].min()
    assert isinstance(first, datetime)
    path = folder(home) / f"{first.astimezone(UTC):%Y%m%dT%H%M%S%fZ}-{run}.parquet"
    write_frame(path, rows.select(SCHEMA.names()).sort(_ORDER))
    return path


def read(home: Home, known_by: date | None = None) -> pl.DataFrame:
    """Return every result of a probe that was started before ``known_by`` (00:00 UTC), in order.

    None for all of them. Raises SourceError naming a damaged file.
    """
    frames = [_file(path) for path in sorted(folder(home).glob("*.parquet"))]
    rows = pl.concat([pl.DataFrame(schema=SCHEMA), *frames]).sort(_ORDER)
    if known_by is None:
        return rows
    return rows.filter(pl.col("started_at") < datetime.combine(known_by, time(), UTC))


def _file(path: Path) -> pl.DataFrame:
    try:
        rows = pl.read_parquet(path, hive_partitioning=False, glob=False).select(SCHEMA.names())
        return rows.cast({name: kind for name, kind in SCHEMA.items()})
    except (OSError, *UNREADABLE):
        raise damaged(path) from None
