"""The home's price snapshots: one immutable Parquet file for each answer of a feed, kept for good.

Belongs here: where snapshots lie, adding one, reading those that were known by a moment.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Final

import polars as pl

from fleet_pipeline.home import Home
from fleet_pipeline.ledger.store import UNREADABLE, damaged, write_frame
from fleet_pipeline.pricing.observations import SCHEMA

_TIME_IN_NAME: Final = "%Y%m%dT%H%M%S%fZ"


def folder(home: Home) -> Path:
    """Return where the snapshots of a home are."""
    return home.lake / "prices" / "snapshots"


def add(home: Home, frame: pl.DataFrame) -> Path:
    """Keep one snapshot (one source, one moment) and return its file; a repeat changes nothing.

    Raises ValueError for rows of several answers.
    """
    [(source, observed_at, recorded_at)] = (
        frame.select("source", "observed_at", "recorded_at").unique().iter_rows()
    )
    seen = observed_at.astimezone(UTC).strftime(_TIME_IN_NAME)
    learned = recorded_at.astimezone(UTC).strftime(_TIME_IN_NAME)
    name = f"{seen}.parquet" if seen == learned else f"{seen}-learned-{learned}.parquet"
    path = folder(home) / f"source={source}" / name
    write_frame(path, frame)
    return path


def observations(home: Home, known_by: date | None = None) -> pl.DataFrame:
    """Return every row of every snapshot that was recorded before ``known_by`` (00:00 UTC).

    None for all of them. Raises SourceError naming a damaged file.
    """
    return read(sorted(folder(home).glob("source=*/*.parquet")), known_by)


def read(files: Iterable[Path], known_by: date | None = None) -> pl.DataFrame:
    """Return the rows of snapshot ``files``, as ``observations`` does."""
    files = list(files)
    if not files:
        return pl.DataFrame(schema=SCHEMA)
    try:
        rows = _rows(files)
    except UNREADABLE:
        rows = pl.concat(map(_rows_alone, files))
    if known_by is None:
        return rows
    return rows.filter(pl.col("recorded_at") < datetime.combine(known_by, time(), UTC))


def _rows(files: list[Path]) -> pl.DataFrame:
    # A folder's name may hold signs that a pattern would be made of.
    rows = pl.read_parquet(files, glob=False).select(SCHEMA.names())
    return rows.cast({name: kind for name, kind in SCHEMA.items()})


def _rows_alone(file: Path) -> pl.DataFrame:
    """Return the rows of one file; raises SourceError naming it."""
    try:
        return _rows([file])
    except (OSError, *UNREADABLE):
        raise damaged(file) from None
