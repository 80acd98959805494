"""How a weekly table and its checks are made: what all of them have in common stands here once."""

import warnings
from collections.abc import Callable

import dagster as dg
import polars as pl

from assets.partitions import weeks
from fleet_pipeline import quality, tables

OWNERS = ["team:analyst"]

_Table = Callable[..., pl.DataFrame]
_Check = Callable[..., dg.AssetCheckResult]


def weekly(
    group: str, *kinds: str, sql: str | None = None, deps: tuple[str, ...] = ()
) -> Callable[[_Table], dg.AssetsDefinition]:
    """Make a function the asset of one weekly table; the text of its ``sql`` is shown with it."""

    def wrap(table: _Table) -> dg.AssetsDefinition:
        shown = {"sql": dg.MetadataValue.md(f"```sql\n{tables.statement(sql)}\n```")} if sql else {}
        return dg.asset(
            partitions_def=weeks,
            group_name=group,
            kinds={*kinds, *(("duckdb", "sql") if sql else ()), "parquet"},
            owners=OWNERS,
            code_version="1",
            metadata=shown,
            deps=list(deps),
        )(table)

    return wrap


def weekly_check(
    asset: dg.AssetsDefinition, *others: str, blocking: bool = False
) -> Callable[[_Check], dg.AssetChecksDefinition]:
    """Make a function the check of one week of ``asset``, given it and the ``others`` by name."""

    def wrap(check: _Check) -> dg.AssetChecksDefinition:
        with warnings.catch_warnings():
            # Without its week a check could not know which page it speaks of.
            warnings.simplefilter("ignore", dg.PreviewWarning)
            return dg.asset_check(
                asset=asset,
                additional_ins={name: dg.AssetIn(name) for name in others},
                blocking=blocking,
                partitions_def=weeks,
            )(check)

    return wrap


def shown(outcome: quality.Outcome) -> dg.AssetCheckResult:
    """Return what a check found in the graph's own terms."""
    warns = outcome.severity == "warn"
    return dg.AssetCheckResult(
        passed=outcome.passed,
        severity=dg.AssetCheckSeverity.WARN if warns else dg.AssetCheckSeverity.ERROR,
        description=outcome.says,
        metadata={"says": outcome.says},
    )
