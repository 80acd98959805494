"""The lake's daily Parquet files: reading, merging and writing them.

Knows how days are laid out, not what a row means. Bytes depend on the rows alone (for one version
of Polars): not on the order in which they came, on repeats, or on what was interrupted before.
"""

from collections.abc import Callable, Iterable
from datetime import date
from io import BytesIO
from pathlib import Path

import polars as pl

from fleet_pipeline.errors import SourceError
from fleet_pipeline.home import write_whole

Merge = Callable[[pl.DataFrame], pl.DataFrame]


def parquet_bytes(frame: pl.DataFrame) -> bytes:
    """Return ``frame`` as one Parquet file."""
    buffer = BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=1, statistics=True)
    return buffer.getvalue()


def write_frame(path: Path, frame: pl.DataFrame) -> bool:
    """Make ``path`` hold exactly ``frame``; say whether anything changed."""
    return write_whole(path, parquet_bytes(frame))


def day_of(path: Path) -> date:
    """Return the UTC day that a file of the lake holds."""
    return date.fromisoformat(path.stem.removeprefix("date="))


def host_of(path: Path) -> str:
    """Return the host whose rows a file of the lake holds."""
    hosts = [part for part in (*path.parts[:-1], path.stem) if part.startswith("host=")]
    return hosts[-1].removeprefix("host=")


def read_frame(path: Path, schema: pl.Schema) -> pl.DataFrame:
    """Return the rows of one file in ``schema``, none if there is no file.

    A column that an older version did not write is null.
    """
    if not path.exists():
        return pl.DataFrame(schema=schema)
    rows = _scan(path, schema)
    try:
        return rows.collect()
    except pl.exceptions.PolarsError:
        raise _damaged(path) from None


def read_files(paths: Iterable[Path], schema: pl.Schema) -> pl.DataFrame:
    """Return the rows of several files in ``schema``, each with the ``host`` of its file."""
    paths = list(paths)
    if not paths:
        return pl.DataFrame(schema=schema).with_columns(host=pl.lit(None, pl.String))
    rows = [_scan(path, schema).with_columns(host=pl.lit(host_of(path))) for path in paths]
    try:
        return pl.concat(rows).collect()
    except pl.exceptions.PolarsError:
        for path in paths:
            read_frame(path, schema)
        raise


def _scan(path: Path, schema: pl.Schema) -> pl.LazyFrame:
    rows = pl.scan_parquet(path, hive_partitioning=False, glob=False)
    try:
        there = rows.collect_schema()
    except pl.exceptions.PolarsError:
        raise _damaged(path) from None
    columns = [
        (pl.col(name) if name in there else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in schema.items()
    ]
    return rows.select(columns)


def _damaged(path: Path) -> SourceError:
    return SourceError(f"{path} is damaged; bring it back from a backup")


def write_day(root: Path, day: date, rows: pl.DataFrame) -> int:
    """Make the files of one day under ``root`` hold exactly ``rows``, by their ``host``.

    For derived tables: a host without rows has no file. Returns how many files changed.
    """
    changed = 0
    by_host = rows.partition_by("host", as_dict=True)
    for (host,), part in sorted(by_host.items()):
        changed += write_frame(root / f"host={host}" / f"date={day}.parquet", part)
    for path in root.glob(f"host=*/date={day}.parquet"):
        if (host_of(path),) not in by_host:
            path.unlink()
            changed += 1
    return changed
