"""Files of the lake that cannot be read: found, and put out of the way of what makes them anew.

A day of the ledger is dropped: the evidence has everything that it takes. Evidence is the record:
it is set aside under another name and kept, since somebody may still mend it or bring it back.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl

from fleet_pipeline.errors import SourceError
from fleet_pipeline.home import Home
from fleet_pipeline.ledger import store
from fleet_pipeline.ledger.columns import USAGE
from fleet_pipeline.ledger.intake import TABLES

_DAMAGED: Final = ".damaged"


def is_whole(path: Path, schema: pl.Schema | None = None) -> bool:
    """Say whether all of a file can be read, in ``schema`` if given; one that is gone is.

    Arrow looks first: at some damage Polars ends the process.
    """
    # Loaded for those who look for damage, not for all who count.
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # A day is too small to be shared by threads.
        pq.read_table(pa.BufferReader(path.read_bytes()), use_threads=False)
        store.read_frame(path, schema) if schema else store.read_table(path)
    except FileNotFoundError:
        return True
    except MemoryError:  # which Arrow's own is, too
        raise
    except (OSError, ValueError, pa.ArrowException, SourceError):
        return False
    return True


def damaged_evidence(home: Home) -> list[Path]:
    """Return the files of the evidence that cannot be read, of every kind and host."""
    return [path for path, schema in _evidence(home) if not is_whole(path, schema)]


def damaged_days(home: Home) -> list[Path]:
    """Return the files of the ledger that cannot be read."""
    paths = sorted((home.lake / "usage").glob("host=*/date=*.parquet"))
    return [path for path in paths if not is_whole(path, USAGE)]


def drop_damaged_days(home: Home) -> list[Path]:
    """Take away what cannot be read of the ledger; return what was there.

    The next count makes it anew. Raises SourceError, with nothing taken away, where the evidence
    for that is damaged itself.
    """
    damaged = damaged_days(home)
    if damaged and (in_the_way := damaged_evidence(home)):
        raise store.damaged(in_the_way[0])
    for path in damaged:
        path.unlink()
    return damaged


def set_aside(home: Home) -> list[Path]:
    """Give damaged evidence another name, so that reading everything makes it anew.

    Returns where it lies from now on. The register goes first: it knows of transcripts as read
    whose evidence is no longer there. Raises OSError, with nothing changed, for a file that this
    user may not open: nobody knows whether it is damaged.
    """
    damaged = damaged_evidence(home)
    for path in damaged:
        path.open("rb").close()
    if damaged:
        (home.lake / "register.parquet").unlink(missing_ok=True)
    return [path.rename(_free_name(path)) for path in damaged]


def lies_aside(home: Home) -> list[Path]:
    """Return the evidence that was ever set aside and is still there."""
    return sorted(
        path
        for folder in (home.lake, home.quarantine)
        for path in folder.rglob(f"*.parquet{_DAMAGED}*")
    )


def _free_name(path: Path) -> Path:
    """Return a name that no reader of the lake takes for a table, and that nothing has yet."""
    name, number = path.with_name(f"{path.name}{_DAMAGED}"), 1
    while name.exists():
        number += 1
        name = path.with_name(f"{path.name}{_DAMAGED}-{number}")
    return name


def _evidence(home: Home) -> Iterator[tuple[Path, pl.Schema]]:
    for table in TABLES.values():
        place = table.place.format(host="host=*") + ("/date=*.parquet" if table.by_day else "")
        yield from ((path, table.schema) for path in sorted(home.root.glob(place)))
