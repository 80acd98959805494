"""The lake's daily Parquet files: reading, merging and writing them.

Knows how days are laid out, not what a row means. Bytes depend on the rows alone (for one version
of Polars): not on the order in which they came, on repeats, or on what was interrupted before.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Final, Literal

import polars as pl

from fleet_pipeline.errors import SourceError
from fleet_pipeline.home import write_whole
from fleet_pipeline.ledger.days import host_of

ParquetCompression = Literal["zstd", "uncompressed"]

Merge = Callable[[pl.DataFrame], pl.DataFrame]

UNREADABLE: Final = (pl.exceptions.PolarsError, pl.exceptions.PanicException)
"""What Polars raises where a file is no Parquet file, or no longer."""


def parquet_bytes(frame: pl.DataFrame, compression: ParquetCompression = "zstd") -> memoryview:
    """Return ``frame`` as one Parquet file."""
    buffer = BytesIO()
    # Of a day nobody asks for a part: bounds of each column would cost a fifth of the writing.
    level = 1 if compression == "zstd" else None
    frame.write_parquet(buffer, compression=compression, compression_level=level, statistics=False)
    return buffer.getbuffer()


def write_frame(path: Path, frame: pl.DataFrame, compression: ParquetCompression = "zstd") -> bool:
    """Make ``path`` hold exactly ``frame``; say whether anything changed."""
    return write_whole(path, parquet_bytes(frame, compression))


def read_frame(path: Path, schema: pl.Schema) -> pl.DataFrame:
    """Return the rows of one file in ``schema``, none if there is no file.

    A column that an older version did not write is null, text comes as categories where the schema
    says so; in the file it is plain, so that the bytes do not depend on what was read together.
    """
    if not path.exists():
        return pl.DataFrame(schema=schema)
    try:
        return _scan([path], schema).collect()
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
    of_hosts: defaultdict[str, list[Path]] = defaultdict(list)
    for path in paths:
        of_hosts[host_of(path)].append(path)
    if not of_hosts:
        return pl.DataFrame(schema=schema).with_columns(host=pl.lit(None, pl.String))
    rows = [
        _scan(some, schema, where).with_columns(host=pl.lit(host, pl.String))
        for host, some in of_hosts.items()
    ]
    try:
        return pl.concat(rows).collect()
    except UNREADABLE:
        for path in chain.from_iterable(of_hosts.values()):
            read_frame(path, schema)
        raise


def _scan(paths: list[Path], schema: pl.Schema, where: pl.Expr | None = None) -> pl.LazyFrame:
    categories = [name for name, dtype in schema.items() if dtype == pl.Categorical]
    rows = pl.scan_parquet(
        paths,
        schema=pl.Schema(schema | dict.fromkeys(categories, pl.String())),
        missing_columns="insert",
        extra_columns="ignore",
        hive_partitioning=False,
        glob=False,
    )
    if where is not None:  # before anything is made of the rows that are not wanted
        rows = rows.filter(where)
    return rows.with_columns(pl.col(categories).cast(pl.Categorical)) if categories else rows


def by_day_and_host(rows: pl.DataFrame) -> dict[tuple[date, str], pl.DataFrame]:
    """Return ``rows`` by the day of their ``ts`` (UTC) and by their ``host``."""
    return rows.with_columns(_day=pl.col("ts").dt.date()).partition_by("_day", "host", as_dict=True)


def write_days(
    root: Path,
    days: Iterable[date],
    parts: dict[tuple[date, str], pl.DataFrame],
    schema: pl.Schema,
) -> int:
    """Make the files of ``days`` under ``root`` hold exactly ``parts`` in ``schema``.

    For derived tables: a host without rows of a day has no file of it. Returns how many files
    changed. Takes each part out of ``parts``, so that its memory is free once it is written.
    """
    gone = {path for day in days for path in root.glob(f"host=*/date={day}.parquet")}
    changed = 0
    for day, host in list(parts):
        path = root / f"host={host}" / f"date={day}.parquet"
        changed += write_frame(path, parts.pop((day, host)).select(schema.names()).cast(schema))
        gone.discard(path)
    for path in gone:
        path.unlink()
    return changed + len(gone)
