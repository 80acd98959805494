"""Stage 5: the page, the ranking, and everything needed to check them."""

from datetime import timedelta

import dagster as dg

from assets.lake import tables_of
from assets.partitions import close_of, weeks
from assets.resources import Fleet
from assets.tables import OWNERS, shown, weekly_check
from fleet_pipeline import publishing, quality
from fleet_pipeline.publishing.week import TABLES

GROUP = "publication"

_DEADLINE = dg.FreshnessPolicy.cron(
    deadline_cron="0 9 * * 3", lower_bound_delta=timedelta(hours=3), timezone="UTC"
)
"""Wednesday 09:00 UTC, three hours after the sweep: what is older by then is a page that is due."""


@dg.asset(
    deps=[*TABLES, "usage_ledger", "organisation"],
    partitions_def=weeks,
    group_name=GROUP,
    kinds={"jinja", "html", "markdown"},
    owners=OWNERS,
    code_version="1",
    freshness_policy=_DEADLINE,
)
def routing_page(context: dg.AssetExecutionContext, fleet: Fleet) -> dg.MaterializeResult[None]:
    """Page and ranking of the week, with every figure and table behind them.

    Refused where a check fails that would make it wrong; what was published before then stays.
    Published under the week's closing Wednesday; `latest` follows the newest week, never an older
    one.
    """
    settings, close = fleet.settings(), close_of(context)
    org = settings.organisation()
    tables = tables_of(settings.home, context.partition_key, TABLES)
    week = publishing.publish_week(settings.home, org, close, tables)
    page = week.published.folder / "index.html"
    served = f"{org.site_url}/weeks/{close}/" if org.site_url else page.as_uri()
    return dg.MaterializeResult(
        metadata={
            "page": dg.MetadataValue.url(served),
            "file": dg.MetadataValue.path(page),
            "is_latest": week.published.is_latest,
            "changed": week.published.changed,
            "ranking": dg.MetadataValue.md(week.ranking),
            "checks_passed": week.checks_passed,
            "checks_warned": week.checks_warned,
            **week.decision_figures,
        }
    )


@weekly_check(routing_page)
def published_bytes_are_listed(
    context: dg.AssetCheckExecutionContext, fleet: Fleet
) -> dg.AssetCheckResult:
    """Each published file has the bytes that its SHA256SUMS lists: a reader can rely on both."""
    folder = fleet.settings().home.site / "weeks" / close_of(context).isoformat()
    return shown(quality.published_bytes_are_listed(*publishing.sums_of(folder)))


assets = [routing_page]
checks = [published_bytes_are_listed]
