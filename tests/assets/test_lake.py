"""The Parquet lake of weekly tables: what goes in comes out, and is described."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from assets.lake import ParquetLake, made_before, tables_of
from assets.partitions import weeks
from assets.resources import Fleet
from fleet_pipeline.errors import SourceError
from fleet_pipeline.home import Home
from fleet_pipeline.ledger.store import write_frame

# Dagster's own, from a resource that is given to `materialize` already configured.
pytestmark = pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run:DeprecationWarning")

FRAME = pl.DataFrame(
    {
        "client": ["claude", "co|dex"],
        "requests": [1234, None],
        "ts": [datetime(2026, 6, 11, 8, 30, 0, 5, tzinfo=UTC), None],
        "date": [date(2026, 6, 11), None],
        "input_usd_per_mtok": [Decimal("1.400000000"), None],
        "nobody_knows": [True, False],
    },
    schema_overrides={"input_usd_per_mtok": pl.Decimal(18, 9)},
)


@dg.asset(partitions_def=weeks)
def some_table() -> pl.DataFrame:
    return FRAME


@dg.asset(partitions_def=weeks)
def its_reader(some_table: pl.DataFrame) -> pl.DataFrame:
    return some_table


def asked_for() -> dg.InputContext:
    """The table as the input of a step."""
    return dg.build_input_context(
        asset_key=dg.AssetKey("some_table"),
        partition_key="2026-06-10",
        asset_partitions_def=weeks,
        asset_partition_key_range=dg.PartitionKeyRange("2026-06-10", "2026-06-10"),
    )


@pytest.fixture
def lake(tmp_path: Path) -> ParquetLake:
    return ParquetLake(fleet=Fleet(home=str(tmp_path)))


@pytest.fixture
def result(lake: ParquetLake) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [some_table, its_reader],
        partition_key="2026-06-10",
        resources={"io_manager": lake},
        instance=dg.DagsterInstance.ephemeral(),
    )


def test_a_frame_comes_back_as_it_was(result: dg.ExecuteInProcessResult, tmp_path: Path) -> None:
    assert_frame_equal(result.output_for_node("its_reader"), FRAME)
    stored = tmp_path / "lake" / "weekly" / "some_table" / "2026-06-10.parquet"
    assert_frame_equal(pl.read_parquet(stored), FRAME)


def test_a_table_that_was_made_again_is_read_again(
    result: dg.ExecuteInProcessResult, lake: ParquetLake
) -> None:
    """Steps that ask for the same table share one reading of it: of the file as it is, no other."""
    context = asked_for()
    first = lake.load_input(context)
    assert lake.load_input(context) is first
    other = FRAME.with_columns(client=pl.col("client").reverse())
    write_frame(lake._path(context), other)
    assert_frame_equal(lake.load_input(context), other)
    lake._path(context).write_bytes(b"garbage")
    with pytest.raises(SourceError, match="is damaged"):
        lake.load_input(context)
    assert result.success


def test_a_table_is_private_like_all_of_the_lake(
    result: dg.ExecuteInProcessResult, tmp_path: Path
) -> None:
    assert result.success
    stored = tmp_path / "lake" / "weekly" / "some_table" / "2026-06-10.parquet"
    modes = [path.stat().st_mode & 0o777 for path in (stored, *list(stored.parents)[:3])]
    assert modes == [0o600, 0o700, 0o700, 0o700]


def test_a_table_is_described_by_its_rows_columns_and_first_lines(
    result: dg.ExecuteInProcessResult,
) -> None:
    [made] = result.asset_materializations_for_node("some_table")
    assert made.metadata["dagster/partition_row_count"].value == 2
    columns = made.metadata["dagster/column_schema"].value
    assert isinstance(columns, dg.TableSchema)
    described = {column.name: (column.type, column.description) for column in columns.columns}
    assert described["requests"] == ("Int64", "Billed requests, each counted once.")
    assert described["nobody_knows"] == ("Boolean", None)
    _, _, claude, codex = str(made.metadata["preview"].value).splitlines()
    assert claude.startswith("| claude") and "| 1,234 " in claude
    assert codex.startswith(r"| co\|dex ")


def test_a_week_that_was_never_made_is_named(lake: ParquetLake) -> None:
    with pytest.raises(SourceError, match="some_table of the week from 2026-06-10 was never made"):
        lake.load_input(asked_for())


@pytest.mark.parametrize("content", [b"", b"PAR1 cut short", b"garbage" * 500])
def test_a_damaged_table_is_named_where_it_is_needed_and_otherwise_made_anew(
    tmp_path: Path, content: bytes
) -> None:
    home, week = Home(tmp_path), "2026-06-10"
    path = home.lake / "weekly" / "some_table" / f"{week}.parquet"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    assert made_before(home, week, "some_table") is None
    with pytest.raises(SourceError) as caught:
        tables_of(home, week, ["some_table"])
    remedy = "`fleet refresh --as-of 2026-06-17` makes it anew"
    assert str(caught.value) == f"{path} is damaged; {remedy}"
