"""Where the weekly tables live: one Parquet file for each asset and week, described for the UI."""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import dagster as dg
import polars as pl

from assets.resources import Fleet
from assets.tables import schema_shown
from fleet_pipeline.errors import SourceError
from fleet_pipeline.home import Home
from fleet_pipeline.ledger.store import read_table, write_frame

_PREVIEW_ROWS = 10


class ParquetLake(dg.ConfigurableIOManager):
    """Keep each asset's frame as ``lake/weekly/<asset>/<week>.parquet``."""

    fleet: dg.ResourceDependency[Fleet]

    def handle_output(self, context: dg.OutputContext, obj: pl.DataFrame) -> None:
        """Write one week and say what is in it."""
        path = self._path(context)
        write_frame(path, obj)
        context.add_output_metadata(
            {
                "dagster/partition_row_count": obj.height,
                "dagster/uri": path.as_uri(),
                "dagster/column_schema": schema_shown(context.asset_key.path[-1], obj.schema),
                "preview": dg.MetadataValue.md(_markdown(obj.head(_PREVIEW_ROWS))),
            }
        )

    def load_input(self, context: dg.InputContext) -> pl.DataFrame:
        """Read the same week of an upstream asset; raises SourceError if it was never made."""
        path = self._path(context)
        if not path.exists():
            raise _never_made(context.asset_key.path[-1], context.asset_partition_key)
        written = path.stat()
        return _read(path, written.st_ino, written.st_mtime_ns, written.st_size)

    def _path(self, context: dg.InputContext | dg.OutputContext) -> Path:
        home = self.fleet.settings().home
        return _path(home, context.asset_key.path[-1], context.asset_partition_key)


def tables_of(home: Home, week: str, names: Iterable[str]) -> dict[str, pl.DataFrame]:
    """Return tables of the week with the partition key ``week``, by name.

    For what takes nearly all of them: as inputs, each would be two events in the history of a run.
    Raises SourceError for one that was never made, or is damaged.
    """
    tables = {}
    for name in names:
        path = _path(home, name, week)
        if not path.exists():
            raise _never_made(name, week)
        tables[name] = read_table(path)
    return tables


@lru_cache(maxsize=4)
def _read(path: Path, *written: int) -> pl.DataFrame:
    """Return the table that was ``written`` at ``path``: most steps ask for one of the same few."""
    return read_table(path)


def _never_made(table: str, week: str) -> SourceError:
    return SourceError(f"{table} of the week from {week} was never made: materialize it too")


def made_before(home: Home, week: str, table: str) -> pl.DataFrame | None:
    """Return a table of the week with the partition key ``week`` as an earlier run left it.

    None where there was none, or it is damaged: this run makes it anew.
    """
    path = _path(home, table, week)
    try:
        return read_table(path) if path.exists() else None
    except SourceError:
        return None


def _path(home: Home, table: str, week: str) -> Path:
    return home.lake / "weekly" / table / f"{week}.parquet"


def _markdown(frame: pl.DataFrame) -> str:
    with pl.Config(
        tbl_formatting="ASCII_MARKDOWN",
        tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True,
        tbl_cols=-1,
        tbl_width_chars=10_000,
        thousands_separator=True,
        fmt_str_lengths=60,
    ):
        return str(frame.with_columns(pl.col(pl.String).str.replace_all("|", r"\|", literal=True)))
