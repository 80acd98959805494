"""The lake's daily Parquet files: reading, merging and writing them.

Knows how days are laid out, not what a row means. Bytes depend on the rows alone (for one version
of Polars): not on the order in which they came, on repeats, or on what was interrupted before.
"""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Final

import polars as pl

from fleet_pipeline.errors import SourceError
from fleet_pipeline.home import write_whole
from fleet_pipeline.ledger.days import host_of

Merge = Callable[[pl.DataFrame], pl.DataFrame]

UNREADABLE: Final = (pl.exceptions.PolarsError, pl.exceptions.PanicException)
"""What Polars raises where a file is no Parquet file, or no longer."""


def parquet_bytes(frame: pl.DataFrame) -> bytes:
    """Return ``frame`` as one Parquet file."""
    buffer = BytesIO()
    # Of a day nobody asks for a part: bounds of each column would cost a fifth of the writing.
    frame.write_parquet(buffer, compression="zstd", compression_level=1, statistics=False)
    return buffer.getvalue()


def write_frame(path: Path, frame: pl.DataFrame) -> bool:
    """Make ``path`` hold exactly ``frame``; say whether anything changed."""
    return write_whole(path, parquet_bytes(frame))


def read_frame(path: Path, schema: pl.Schema) -> pl.DataFrame:
    """Return the rows of one file in ``schema``, none if there is no file.

    A column that an older version did not write is null, text comes as categories where the schema
    says so; in the file it is plain, so that the bytes do not depend on what was read together.
    """
    if not path.exists():
        return pl.DataFrame(schema=schema)
    try:
        return _scan([path], schema).drop(_PATH).collect()
    except UNREADABLE:
        raise damaged(path) from None


def read_table(path: Path) -> pl.DataFrame:
    """Return the rows of one file as they are; raises SourceError for one that is damaged."""
    try:
        return pl.read_parquet(path, hive_partitioning=False, glob=False)
    except UNREADABLE:
        raise damaged(path) from None


def damaged(path: Path) -> SourceError:
    """Return the error that names a file which cannot be read, and what to do about it."""
    return SourceError(f"{path} is damaged; {remedy(path)}")


def remedy(path: Path) -> str:
    """Return what brings a damaged file back: that depends on what it was made of."""
    kind = next((part for part in reversed(path.parts) if part in _REMEDIES), "prices")
    close = date.fromisoformat(path.stem) + _WEEK if kind == "weekly" else None
    return _REMEDIES[kind].format(close=close)


_REMEDIES: Final = {
    **dict.fromkeys(
        ("events", "quota", "totals", "transcripts", "unfamiliar", "quarantine"),
        "bring it back from a backup and run `fleet recount`, or let `fleet ingest --full` set it"
        " aside and make it anew from the transcripts that still exist",
    ),
    **dict.fromkeys(("prices", "catalog", "probes"), "bring it back from a backup, or delete it"),
    "usage": "`fleet recount` makes it anew from the evidence",
    "weekly": "`fleet refresh --as-of {close}` makes it anew",
}
"""By the folder of the home in which a file lies."""

_WEEK: Final = timedelta(days=7)


def read_files(
    paths: Iterable[Path], schema: pl.Schema, where: pl.Expr | None = None
) -> pl.DataFrame:
    """Return the rows of several files in ``schema``, each with the ``host`` of its file.

    ``where`` says which rows, if not all are wanted, of columns as they are in the files.
    """
    paths = list(paths)
    if not paths:
        return pl.DataFrame(schema=schema).with_columns(host=pl.lit(None, pl.String))
    hosts = {str(path): host_of(path) for path in paths}
    rows = _scan(paths, schema, where).with_columns(host=pl.col(_PATH).replace_strict(hosts))
    try:
        return rows.drop(_PATH).collect()
    except UNREADABLE:
        for path in paths:
            read_frame(path, schema)
        raise


_PATH: Final = "_path"


def _scan(paths: list[Path], schema: pl.Schema, where: pl.Expr | None = None) -> pl.LazyFrame:
    categories = [name for name, dtype in schema.items() if dtype == pl.Categorical]
    rows = pl.scan_parquet(
        paths,
        schema=pl.Schema(schema | dict.fromkeys(categories, pl.String())),
        missing_columns="insert",
        extra_columns="ignore",
        hive_partitioning=False,
        glob=False,
        include_file_paths=_PATH,
    )
    if where is not None:  # before anything is made of the rows that are not wanted
        rows = rows.filter(where)
    return rows.with_columns(pl.col(categories).cast(pl.Categorical)) if categories else rows


def write_days(root: Path, days: Iterable[date], rows: pl.DataFrame, schema: pl.Schema) -> int:
    """Make the files of ``days`` under ``root`` hold exactly ``rows`` in ``schema``, by ``host``.

    For derived tables: a host without rows of a day has no file of it. Returns how many files
    changed.
    """
    day = pl.col("ts").dt.date()
    by_file = rows.with_columns(_day=day).partition_by("_day", "host", as_dict=True)
    changed = 0
    for (of_day, host), part in by_file.items():
        path = root / f"host={host}" / f"date={of_day}.parquet"
        changed += write_frame(path, part.select(schema.names()).cast(schema))
    for of_day in days:
        for path in root.glob(f"host=*/date={of_day}.parquet"):
            if (of_day, host_of(path)) not in by_file:
                path.unlink()
                changed += 1
    return changed
