"""Evidence as files that one home hands to another: for hosts that keep their transcripts.

The names under which they travel, and what becomes of one that arrives. Merging is commutative and
idempotent, so that a table may come at any time, any number of times.
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path, PurePath
from typing import Final

import polars as pl

from fleet_pipeline.errors import SourceError
from fleet_pipeline.home import Home
from fleet_pipeline.ledger.gathered import Gathered, Kind
from fleet_pipeline.ledger.intake import TABLES, place_of
from fleet_pipeline.ledger.store import UNREADABLE

_UNKNOWN: Final = "evidence of a kind that this version does not know"
_DAMAGED: Final = "damaged evidence"


def tables_of(home: Home, host: str) -> Iterator[tuple[str, Path]]:
    """Yield each table of a host's evidence, by day where it is kept by day, with its name."""
    for kind, table in sorted(TABLES.items()):
        place = place_of(kind, home, host)
        paths = sorted(place.glob("date=*.parquet")) if table.by_day else [place]
        for path in paths:
            if path.is_file():
                yield (f"{kind}/{path.name}" if table.by_day else f"{kind}.parquet"), path


def kind_of(name: PurePath) -> Kind:
    """Return the kind of evidence that a table of this name holds; raises SourceError if none."""
    called = name.stem if name.parent == PurePath() else name.parent.name
    for kind in TABLES:
        if kind == called:
            return kind
    raise SourceError(_UNKNOWN)


def take_in(gathered: Gathered, kind: Kind, data: bytes, transcripts: bytes | None = None) -> None:
    """Add a table to what was read.

    What was not believed of the host's ``transcripts`` (that table, beside the rejected lines) is
    told anew in whole. Raises SourceError where a table cannot be what it is called.
    """
    frame = _frame(kind, data)
    if transcripts is not None:
        for file_id in _frame("transcripts", transcripts)["file_id"]:
            gathered.read_again.append(file_id)
    gathered.tables.append((kind, frame))


def _frame(kind: Kind, data: bytes) -> pl.DataFrame:
    """Return the rows of one table in the columns of this version."""
    schema = TABLES[kind].schema
    try:
        frame = pl.read_parquet(BytesIO(data), hive_partitioning=False)
        rows = frame.select(
            (pl.col(name) if name in frame.columns else pl.lit(None, dtype)).cast(dtype).alias(name)
            for name, dtype in schema.items()
        )
    except (OSError, *UNREADABLE):
        raise SourceError(_DAMAGED) from None
    keys = [name for name in ("client", "file_id") if name in schema]
    keys += ["ts"] if TABLES[kind].by_day else []
    if rows.select(pl.any_horizontal(pl.col(keys).is_null()).any()).item():
        raise SourceError(_DAMAGED)
    return rows
