"""Where the weekly tables live: one Parquet file for each asset and week, described for the UI."""

from pathlib import Path

import dagster as dg
import polars as pl

from assets.resources import Fleet
from fleet_pipeline.ledger.store import write_frame

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
                "dagster/column_schema": dg.TableSchema(
                    [dg.TableColumn(name, str(dtype)) for name, dtype in obj.schema.items()]
                ),
                "preview": dg.MetadataValue.md(_markdown(obj.head(_PREVIEW_ROWS))),
            }
        )

    def load_input(self, context: dg.InputContext) -> pl.DataFrame:
        """Read the same week of an upstream asset."""
        return pl.read_parquet(self._path(context), hive_partitioning=False)

    def _path(self, context: dg.OutputContext | dg.InputContext) -> Path:
        folder = self.fleet.settings().home.lake / "weekly"
        return Path(folder, *context.asset_key.path, f"{context.asset_partition_key}.parquet")


def _markdown(frame: pl.DataFrame) -> str:
    with pl.Config(
        tbl_formatting="ASCII_MARKDOWN",
        tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True,
        tbl_cols=-1,
        fmt_str_lengths=60,
    ):
        return str(frame)
