"""The lake's daily Parquet files: reading, merging and writing them.

Knows how days are laid out, not what a row means. Bytes depend on the rows alone (for one version
of Polars): not on the order in which they came, on repeats, or on what was interrupted before.
"""

from collections.abc import Callable, Sequence
from datetime import date
from io import BytesIO
from pathlib import Path

import polars as pl

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


def read_frame(path: Path, schema: pl.Schema) -> pl.DataFrame:
    """Return the rows of one file in ``schema``, none if there is no file.

    A column that an older version did not write is null.
    """
    if not path.exists():
        return pl.DataFrame(schema=schema)
    return _in_schema(pl.read_parquet(path, hive_partitioning=False), schema)


def read_days(
    root: Path,
    schema: pl.Schema,
    pattern: str = "host=*/date=*.parquet",
    *,
    days: tuple[date, date] | None = None,
) -> pl.DataFrame:
    """Return the rows of every day under ``root``, each with the ``host`` of its folder.

    ``days`` limits them to the files from the first up to, not including, the second day.
    """
    frames = []
    for path in sorted(root.glob(pattern)):
        if days and not days[0] <= date.fromisoformat(path.stem.removeprefix("date=")) < days[1]:
            continue
        host = next(part for part in path.parts if part.startswith("host="))
        rows = _in_schema(pl.read_parquet(path, hive_partitioning=False), schema)
        frames.append(rows.with_columns(host=pl.lit(host.removeprefix("host="))))
    if not frames:
        return pl.DataFrame(schema=pl.Schema([*schema.items(), ("host", pl.String())]))
    return pl.concat(frames, how="diagonal")


def merge_days(folder: Path, rows: pl.DataFrame, merge: Merge, day: str = "ts") -> list[date]:
    """Merge ``rows`` into the files of the UTC days that they belong to; return those days.

    ``merge`` reduces old and new rows of one day to those worth keeping, sorted; it must be
    commutative, associative and idempotent.
    """
    touched: list[date] = []
    if rows.is_empty():
        return touched
    with_day = rows.with_columns(_day=pl.col(day).dt.date())
    for (value,), part in sorted(with_day.partition_by("_day", as_dict=True).items()):
        path = folder / f"date={value}.parquet"
        new = part.drop("_day")
        if write_frame(path, merge(pl.concat([read_frame(path, rows.schema), new]))):
            touched.append(value)
    return touched


def replace_days(root: Path, rows: pl.DataFrame) -> int:
    """Make the files under ``root`` hold exactly ``rows``, by their ``host`` and the day of ``ts``.

    For tables that are derived: a day without rows goes. Returns how many files changed.
    """
    wanted = set()
    changed = 0
    keyed = rows.with_columns(_day=pl.col("ts").dt.date())
    for (host, day), part in sorted(keyed.partition_by("host", "_day", as_dict=True).items()):
        path = root / f"host={host}" / f"date={day}.parquet"
        wanted.add(path)
        changed += write_frame(path, part.drop("_day"))
    for path in root.glob("host=*/date=*.parquet"):
        if path not in wanted:
            path.unlink()
            changed += 1
    return changed


def best_of(rows: pl.DataFrame, key: Sequence[str], rank: Sequence[str]) -> pl.DataFrame:
    """Return for each ``key`` the row that is greatest by ``rank``, sorted by both."""
    order = [*key, *rank]
    return rows.sort(order, nulls_last=False).unique(key, keep="last", maintain_order=True)


def _in_schema(frame: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    missing = [pl.lit(None, dtype).alias(n) for n, dtype in schema.items() if n not in frame]
    return frame.with_columns(missing).select(schema.names()).cast(schema)
