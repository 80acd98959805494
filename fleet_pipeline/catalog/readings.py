"""What the sweep noted beside prices: endpoint health, quota left, the free tiers as configured.

One immutable Parquet file for each kind and moment, kept for good. Belongs here: where they lie,
adding one, and reading what was known by a week's close.
"""

from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Final, Literal

import polars as pl

from fleet_pipeline.catalog import endpoints
from fleet_pipeline.home import Home
from fleet_pipeline.ledger.store import read_frame, write_frame

Kind = Literal["endpoints", "quotas", "headers", "own_counts", "free_apis"]

QUOTAS: Final = pl.Schema(
    {
        "provider": pl.String(),
        "observed_at": pl.Datetime("us", "UTC"),
        "recorded_at": pl.Datetime("us", "UTC"),
        "requests_per_day": pl.Int64(),
        "requests_used": pl.Int64(),
        "requests_left": pl.Int64(),
    }
)
"""One row: what is left of a day's free requests, as a provider said or as this home counted."""

FREE_APIS: Final = pl.Schema(
    {
        "provider": pl.String(),
        "observed_at": pl.Datetime("us", "UTC"),
        "recorded_at": pl.Datetime("us", "UTC"),
        "field": pl.String(),
        "value": pl.String(),
    }
)
"""One row: one field of a free provider's row in the organisation's files, as text."""

SCHEMAS: Final[dict[Kind, pl.Schema]] = {
    "endpoints": endpoints.SCHEMA,
    "quotas": QUOTAS,
    "headers": QUOTAS,
    "own_counts": QUOTAS,
    "free_apis": FREE_APIS,
}


def add(home: Home, kind: Kind, frame: pl.DataFrame, at: datetime) -> None:
    """Keep what was noted at one moment (UTC); rows in the schema of its ``kind``."""
    name = f"{at.astimezone(UTC):%Y%m%dT%H%M%S%fZ}.parquet"
    write_frame(_folder(home, kind) / name, frame)


def newest(home: Home, kind: Kind, known_by: date | None = None) -> pl.DataFrame:
    """Return the last note of a kind that was made before ``known_by`` (00:00 UTC), if any.

    Raises SourceError naming a damaged file.
    """
    until = None if known_by is None else datetime.combine(known_by, time(), UTC)
    files = sorted(_folder(home, kind).glob("*.parquet"))
    known = [path for path in files if until is None or path.stem < f"{until:%Y%m%dT}"]
    schema = SCHEMAS[kind]
    return read_frame(known[-1], schema) if known else pl.DataFrame(schema=schema)


def _folder(home: Home, kind: Kind) -> Path:
    return home.lake / "catalog" / kind
