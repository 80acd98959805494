"""How a weekly table and its checks are made: what all of them have in common stands here once."""

import hashlib
import warnings
from collections.abc import Callable
from itertools import takewhile

import dagster as dg
import polars as pl

from assets.partitions import weeks
from fleet_pipeline import quality, tables
from fleet_pipeline.dictionary import meaning

OWNERS = ["team:analyst"]

_Table = Callable[..., pl.DataFrame]
_Check = Callable[..., dg.AssetCheckResult]


def weekly(
    group: str, *kinds: str, sql: str | None = None, deps: tuple[str, ...] = ()
) -> Callable[[_Table], dg.AssetsDefinition]:
    """Make a function the asset of one weekly table; the text of its ``sql`` is shown with it.

    A change of that text is a change of the asset's code version; the number before it is raised
    by hand when the meaning of a table changes elsewhere.
    """
    statement = tables.statement(sql) if sql else ""

    def wrap(table: _Table) -> dg.AssetsDefinition:
        says = (table.__doc__ or "", _head_comment(statement))
        return dg.asset(
            partitions_def=weeks,
            group_name=group,
            description="\n\n".join(part.strip() for part in says if part),
            kinds={*kinds, "duckdb" if sql else "python", "parquet"},
            owners=OWNERS,
            code_version=_version(statement),
            metadata={"sql": dg.MetadataValue.md(f"```sql\n{statement}\n```")} if sql else None,
            deps=list(deps),
        )(table)

    return wrap


def weekly_check(
    asset: dg.AssetsDefinition, *others: str, blocking: bool = False
) -> Callable[[_Check], dg.AssetChecksDefinition]:
    """Make a function the check of one week of ``asset``, given it and the ``others`` by name."""

    def wrap(check: _Check) -> dg.AssetChecksDefinition:
        with warnings.catch_warnings():
            # Checks by week are a preview in Dagster 1.13; without its week, a check could not
            # know which page it speaks of.
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
        metadata=dict(outcome.counts),
    )


def schema_shown(table: str, schema: pl.Schema) -> dg.TableSchema:
    """Return the columns of a table with their meaning, as the graph shows them."""
    return dg.TableSchema(
        [
            dg.TableColumn(name, str(dtype), description=meaning(table, name))
            for name, dtype in schema.items()
        ]
    )


def _head_comment(statement: str) -> str:
    """Return the comment that a statement begins with: what one row is, and in which units."""
    lines = takewhile(lambda line: line.startswith("--"), statement.splitlines())
    return " ".join(line.removeprefix("--").strip() for line in lines)


def _version(statement: str) -> str:
    digest = hashlib.sha256(statement.encode()).hexdigest()
    return f"1-{digest[:8]}" if statement else "1"
