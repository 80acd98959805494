"""Stage 5: Great Expectations, once a run, on all of the week's tables; it gates the page."""

import warnings
from collections.abc import Iterator

import dagster as dg
import polars as pl

from assets.lake import made_before, tables_of
from assets.partitions import weeks
from assets.resources import Fleet
from assets.tables import OWNERS, accepted_in, shown
from fleet_pipeline import quality as checking
from fleet_pipeline.publishing.week import TABLES

GROUP = "quality"

_JUDGED = [name for name in TABLES if name != "quality"]


def _specs() -> list[dg.AssetCheckSpec]:
    """Return every check of every suite: each refuses the page where it is critical."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)  # by week, as the table's own checks
        return [
            dg.AssetCheckSpec(
                check.name,
                asset="quality",
                description=f"{table}: {check.why}",
                blocking=check.severity == "error",
                partitions_def=weeks,
            )
            for table in _JUDGED
            for check in checking.checks_of(table)
        ]


@dg.asset(
    deps=_JUDGED,
    partitions_def=weeks,
    group_name=GROUP,
    kinds={"python", "pandas", "parquet"},
    owners=OWNERS,
    code_version="1",
    check_specs=_specs(),
)
def quality(
    context: dg.AssetExecutionContext, fleet: Fleet
) -> Iterator[dg.Output[pl.DataFrame] | dg.AssetCheckResult]:
    """Verdicts of the week: what Great Expectations says of each table, one row for each check.

    One row: one check of one table. What it said of a table that was made again as it was stands;
    nothing is published of tables that changed since.
    """
    home = fleet.settings().home
    judged = tables_of(home, context.partition_key, _JUDGED)
    outcomes = checking.judge(judged, made_before(home, context.partition_key, "quality"))
    allowed = accepted_in(context, fleet)
    yield dg.Output(
        checking.verdicts(outcomes, judged),
        metadata={
            "checks": len(outcomes),
            "failed": sum(not outcome.passed for outcome in outcomes),
            "broken": sum(outcome.broken for outcome in outcomes),
        },
    )
    for outcome in outcomes:
        key = dg.AssetCheckKey(context.asset_key, outcome.name)
        yield shown(checking.as_accepted(outcome, allowed), key)


assets = [quality]
