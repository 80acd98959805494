"""Stage 4a: what cheap and free models exist, what feeds say of their prices, what changed."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import polars as pl

from assets.partitions import close_of
from assets.resources import Fleet
from assets.tables import OWNERS, RETRY, shown, weekly, weekly_check
from fleet_pipeline import catalog, quality
from fleet_pipeline.weeks import opening

GROUP = "sweep"

_ASKED_AGAIN_AFTER = timedelta(hours=6)
"""A run that follows another within hours asks no feed a second time."""

price_feeds = dg.AssetSpec(
    "price_feeds",
    description=(
        "What OpenRouter, models.dev and, where configured, LiteLLM list: prices, limits, endpoint"
        " health. Not made here, and gone by the next day: what is not kept is lost."
    ),
    group_name=GROUP,
    kinds={"json"},
    owners=OWNERS,
)


@dg.asset(
    deps=["price_feeds", "organisation"],
    group_name=GROUP,
    kinds={"python", "parquet"},
    owners=OWNERS,
    code_version="1",
    retry_policy=RETRY,  # of the store's: a feed has tries of its own
)
def price_snapshots(fleet: Fleet) -> dg.MaterializeResult[None]:
    """Snapshots of every price feed, one for each answer, kept for good.

    A feed that fails stops nothing: what it said last goes on holding, with its age.
    """
    settings = fleet.settings()
    made = catalog.run(
        settings.home,
        settings.organisation(),
        datetime.now(UTC),
        offline=settings.offline,
        key=settings.environment.get("OPENROUTER_API_KEY"),
        unless_within=_ASKED_AGAIN_AFTER,
    )
    return dg.MaterializeResult(
        metadata={
            "failed": made.failed,
            "held": len(made.held),
            "says": dg.MetadataValue.md("\n".join(f"* {line}" for line in made.lines())),
            "dagster/uri": (settings.home.lake / "prices").as_uri(),
        },
    )


@weekly(GROUP, deps=("price_snapshots",), retry=RETRY)
def price_sources(context: dg.AssetExecutionContext, fleet: Fleet) -> pl.DataFrame:
    """Feeds whose word was known at the week's close: how old it was, how much of it is held."""
    known = catalog.known_at(fleet.settings().home, close_of(context))
    return catalog.price_sources(known.observations, known.book, known.close)


@weekly(GROUP, deps=("price_snapshots", "organisation"), retry=RETRY)
def model_catalog(context: dg.AssetExecutionContext, fleet: Fleet) -> pl.DataFrame:
    """Candidates at the week's close: listed or gone, endpoints up, limits, end of life."""
    settings, close = fleet.settings(), close_of(context)
    known = catalog.known_at(settings.home, close)
    health = catalog.newest(settings.home, "endpoints", close)
    return catalog.model_catalog(settings.organisation(), known.observations, health, close)


@weekly(GROUP, deps=("price_snapshots", "organisation"), retry=RETRY)
def free_quotas(context: dg.AssetExecutionContext, fleet: Fleet) -> pl.DataFrame:
    """Free tiers at the week's close: limits, what is left, how many packets fit into a day."""
    settings, close = fleet.settings(), close_of(context)
    told, counted, headers = (
        catalog.newest(settings.home, kind, close) for kind in ("quotas", "own_counts", "headers")
    )
    return catalog.free_quotas(settings.organisation(), close, told, counted, headers)


@weekly(GROUP, deps=("price_snapshots", "organisation"), retry=RETRY)
def changes(
    context: dg.AssetExecutionContext, fleet: Fleet, model_ranking: pl.DataFrame
) -> pl.DataFrame:
    """Changes since the close before: models, prices, places, quotas, policies, field by field."""
    settings, close = fleet.settings(), close_of(context)
    before, after = (catalog.known_at(settings.home, day) for day in (opening(close), close))
    return catalog.changes(settings.organisation(), before, after, model_ranking)


@dg.asset_check(asset=price_snapshots)
def feeds_answer(fleet: Fleet) -> dg.AssetCheckResult:
    """Every price feed that was asked answered; one that does not leaves prices to grow old."""
    return shown(quality.feeds_answer(catalog.failed_feeds(fleet.settings().home)))


@weekly_check(price_sources)
def prices_are_fresh(price_sources: pl.DataFrame) -> dg.AssetCheckResult:
    """Prices were listed within two weeks of the close; no ranking is made of older ones."""
    return shown(quality.prices_are_fresh(price_sources))


@weekly_check(model_catalog)
def candidates_are_listed(model_catalog: pl.DataFrame) -> dg.AssetCheckResult:
    """No candidate went from the lists: free models vanish within weeks, and their routes break."""
    return shown(quality.candidates_are_listed(model_catalog))


@weekly_check(free_quotas)
def free_tiers_are_verified(free_quotas: pl.DataFrame) -> dg.AssetCheckResult:
    """Somebody looked up each free tier within the last 30 days; limits change without notice."""
    return shown(quality.free_tiers_are_verified(free_quotas))


assets: list[dg.AssetsDefinition | dg.AssetSpec] = [
    price_feeds,
    price_snapshots,
    price_sources,
    model_catalog,
    free_quotas,
    changes,
]
checks = [
    feeds_answer,
    prices_are_fresh,
    candidates_are_listed,
    free_tiers_are_verified,
]
