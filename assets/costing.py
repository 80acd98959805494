"""Stage 4: prices in force, what moving work would cost, what the subscription would have."""

import dagster as dg
import polars as pl

from assets.partitions import close_of
from assets.resources import Fleet
from assets.tables import OWNERS, shown, weekly, weekly_check
from fleet_pipeline import costing, pricing, quality
from fleet_pipeline.org import priced_models
from fleet_pipeline.weeks import window

GROUP = "costing"

price_list = dg.AssetSpec(
    "price_list",
    description=(
        "Model prices by provider and date that the package carries (genai-prices). Not made here:"
        " they hold before a home heard its first feed, and where they know of a later change."
    ),
    group_name=GROUP,
    kinds={"python"},
    owners=OWNERS,
)


@weekly(GROUP, deps=("organisation", "price_list", "price_snapshots"))
def prices(
    context: dg.AssetExecutionContext, fleet: Fleet, model_mix: pl.DataFrame
) -> pl.DataFrame:
    """Prices in force at the week's close, of the candidates and of the Claude models in use."""
    used = model_mix.filter(pl.col("client") == "claude")["model"]
    settings, close = fleet.settings(), close_of(context)
    models = [*priced_models(settings.organisation()), *(("anthropic", m) for m in used)]
    return pricing.prices_table(models, close, pricing.price_book(settings.home, close))


@weekly(
    GROUP,
    "python",
    sql="offload_tokens",
    deps=("organisation", "price_list", "price_snapshots"),
)
def cost_scenarios(
    context: dg.AssetExecutionContext, fleet: Fleet, requests: pl.DataFrame
) -> pl.DataFrame:
    """Monthly cost of the reference model at each share, by cache assumption and run rate."""
    settings = fleet.settings()
    org = settings.organisation()
    start, end = window(close_of(context))
    book = pricing.price_book(settings.home, end)
    return costing.cost_scenarios(
        requests,
        price=book.find(org.reference.price_provider, org.reference.price_model, end),
        shares={scenario.name: scenario.share for scenario in org.scenarios},
        window_start=start,
        window_end=end,
    )


@weekly(GROUP, sql="subscription_value", deps=("price_list", "price_snapshots"))
def subscription_value(
    context: dg.AssetExecutionContext, fleet: Fleet, requests: pl.DataFrame
) -> pl.DataFrame:
    """Value of the subscription month: the same requests at the API's list prices of their day."""
    book = pricing.price_book(fleet.settings().home, close_of(context))
    return costing.subscription_value(requests, book)


@weekly_check(prices, blocking=True)
def priced_models_have_prices(fleet: Fleet, prices: pl.DataFrame) -> dg.AssetCheckResult:
    """Each model that the page prices has a price in force: unknown is never taken for 0."""
    priced = priced_models(fleet.settings().organisation())
    return shown(quality.priced_models_have_prices(prices, priced))


@weekly_check(subscription_value)
def used_models_have_prices(subscription_value: pl.DataFrame) -> dg.AssetCheckResult:
    """Each model that Claude answered with has a list price; else the value is a lower bound."""
    return shown(quality.used_models_have_prices(subscription_value))


assets: list[dg.AssetsDefinition | dg.AssetSpec] = [
    price_list,
    prices,
    cost_scenarios,
    subscription_value,
]
checks = [priced_models_have_prices, used_models_have_prices]
