"""Stage 5: the page, the ranking, and everything needed to check them."""

import dagster as dg
import polars as pl

from assets.partitions import close_of, weeks
from assets.resources import Fleet
from assets.tables import OWNERS
from fleet_pipeline import publishing
from fleet_pipeline.publishing.week import TABLES

GROUP = "publication"


@dg.asset(
    ins={name: dg.AssetIn(name) for name in TABLES},
    deps=["usage_ledger", "organisation"],
    partitions_def=weeks,
    group_name=GROUP,
    kinds={"jinja", "html", "markdown"},
    owners=OWNERS,
    code_version="1",
)
def routing_page(
    context: dg.AssetExecutionContext, fleet: Fleet, **tables: pl.DataFrame
) -> dg.MaterializeResult[None]:
    """Page and ranking of the week, with every figure and table behind them.

    Refused where a check fails that would make it wrong; what was published before then stays.
    """
    settings = fleet.settings()
    week = publishing.publish_week(
        settings.home, settings.organisation(), close_of(context), tables
    )
    index = week.published.folder / "index.html"
    latest = settings.home.site / "latest" / "index.html"
    return dg.MaterializeResult(
        metadata={
            "page": dg.MetadataValue.url(index.as_uri()),
            "latest": dg.MetadataValue.url(latest.as_uri()),
            "ranking": dg.MetadataValue.md(week.ranking),
            "checks_passed": week.checks_passed,
            "checks_warned": week.checks_warned,
            **week.decision_figures,
        }
    )


assets = [routing_page]
