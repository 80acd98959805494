"""The lake as tables to ask questions of: Parquet files that are read as far as a question needs.

Belongs here: which files make which table, and its columns. Asking is for ``asking``; nothing here
writes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyarrow.fs import LocalFileSystem

from fleet_pipeline.errors import SourceError
from fleet_pipeline.home import DEMO_HOST, Home
from fleet_pipeline.ledger import sessions
from fleet_pipeline.ledger.columns import USAGE
from fleet_pipeline.ledger.damage import is_whole
from fleet_pipeline.ledger.days import host_of
from fleet_pipeline.ledger.evidence import CLAUDE, CODEX, QUOTA, TOTALS, UNFAMILIAR
from fleet_pipeline.ledger.store import damaged

View = Callable[[], ds.Dataset]
"""Opens a table; raises SourceError where its files cannot be read as one."""

_EVIDENCE: Final[Mapping[str, tuple[str, pl.Schema]]] = {
    "usage": ("usage/host=*/date=*.parquet", USAGE),
    "quota": ("quota/host=*/date=*.parquet", QUOTA),
    "events_claude": ("events/host=*/client=claude/date=*.parquet", CLAUDE),
    "events_codex": ("events/host=*/client=codex/date=*.parquet", CODEX),
    "client_totals": ("totals/host=*.parquet", TOTALS),
    "unfamiliar": ("unfamiliar/host=*.parquet", UNFAMILIAR),
}
_WEEK: Final = timedelta(days=7)


def views(home: Home) -> dict[str, View]:
    """Return the tables of the lake by name: ledger, quota readings, evidence, weekly tables.

    ``sessions`` is made when it is asked for: each session beside what its client was billed.
    The daily ones leave out the demo fleet once there is a real host. A weekly table has all its
    weeks, told apart by ``week``, the day on which each closes.
    """
    daily: dict[str, View] = {
        name: partial(_of_days, _real(home.lake, home.lake.glob(pattern)), schema)
        for name, (pattern, schema) in _EVIDENCE.items()
    }
    weekly: dict[str, View] = {
        folder.name: partial(_of_weeks, folder.name, paths)
        for folder in sorted(home.lake.glob("weekly/*"))
        if (paths := sorted(folder.glob("*.parquet"))) and folder.name not in daily
    }
    return {**daily, "sessions": partial(_sessions, home), **weekly}


def _sessions(home: Home) -> ds.Dataset:
    return ds.dataset(sessions(home).to_arrow(compat_level=pl.CompatLevel.oldest()))


def newest_request(home: Home) -> datetime | None:
    """Return the UTC time of the last request in the ledger, None where there is none.

    Raises SourceError naming a damaged day.
    """
    ledger = views(home)["usage"]()
    try:
        newest: datetime | None = pc.max(ledger.to_table(columns=["ts"])["ts"]).as_py()
    except (OSError, pa.ArrowException):
        require_whole(ledger)
        raise
    return newest


def require_whole(view: ds.Dataset) -> None:
    """Raise SourceError naming the first file of a view that cannot be read, if there is one."""
    for path in map(Path, getattr(view, "files", ())):
        if not is_whole(path):
            raise damaged(path)


def _real(lake: Path, paths: Iterable[Path]) -> list[Path]:
    hosts = {host_of(path / "any") for path in lake.glob("usage/host=*")}
    if hosts - {DEMO_HOST}:
        paths = (path for path in paths if host_of(path) != DEMO_HOST)
    return sorted(paths)


def _of_days(paths: Sequence[Path], schema: pl.Schema) -> ds.Dataset:
    """Open daily files; the host is the one that their folder names."""
    columns = pl.DataFrame(schema={**schema, "host": pl.String()})
    arrow = columns.to_arrow(compat_level=pl.CompatLevel.oldest()).schema
    return _dataset(paths, arrow, "host", host_of)


def _of_weeks(name: str, paths: Sequence[Path]) -> ds.Dataset:
    try:
        own = pa.unify_schemas([_columns(path) for path in paths])
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        raise SourceError(
            f"{paths[0].parent}: the weeks of {name} cannot be read as one table;"
            " publish the older ones again with `fleet refresh --as-of`"
        ) from None
    arrow = pa.schema([pa.field("week", pa.date32()), *own])
    return _dataset(paths, arrow, "week", _close)


def _columns(path: Path) -> pa.Schema:
    try:
        return pq.read_schema(path)
    except pa.ArrowException:
        raise damaged(path) from None


def _dataset(
    paths: Sequence[Path], schema: pa.Schema, told_by_path: str, value: Callable[[Path], object]
) -> ds.Dataset:
    parquet = ds.ParquetFileFormat()
    kind = schema.field(told_by_path).type
    fragments = [
        parquet.make_fragment(
            str(path),
            LocalFileSystem(),
            partition_expression=ds.field(told_by_path) == pa.scalar(value(path), kind),
        )
        for path in paths
    ]
    return ds.FileSystemDataset(fragments, schema, parquet, LocalFileSystem())


def _close(path: Path) -> date:
    """Return the day on which a week closes; its file is named by the day on which it opens."""
    return date.fromisoformat(path.stem) + _WEEK
