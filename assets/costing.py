"""Stage 4: prices in force, what fits where, what moving work would cost, what staying would."""

from datetime import date
from typing import TypedDict

import dagster as dg
import polars as pl

from assets.partitions import close_of
from assets.resources import Fleet
from assets.tables import OWNERS, RETRY, shown, weekly, weekly_check, weekly_tables
from fleet_pipeline import costing, pricing, quality, worktypes
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


@weekly(GROUP, deps=("organisation", "price_list", "price_snapshots"), retry=RETRY)
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


class _OfPolicy(TypedDict):
    """What every cost of moved work is told for: the policy, the window, the prices known then."""

    policy: costing.Policy | None
    window_start: date
    window_end: date
    book: pricing.PriceBook


def _of_policy(context: dg.AssetExecutionContext, fleet: Fleet) -> _OfPolicy:
    settings, (start, end) = fleet.settings(), window(close_of(context))
    return {
        "policy": costing.policy_of(settings.organisation()),
        "window_start": start,
        "window_end": end,
        "book": pricing.price_book(settings.home, end),
    }


@weekly(GROUP, "python", sql="context_fit", deps=("organisation",))
def context_fit(fleet: Fleet, requests: pl.DataFrame, turns: pl.DataFrame) -> pl.DataFrame:
    """Fit of Claude's requests, turns and tokens in each candidate's window, before any price."""
    marked = worktypes.marked(requests, turns)
    return costing.context_fit(marked, fleet.settings().organisation())


@weekly(GROUP, deps=("organisation", "price_list", "price_snapshots"))
def cost_corners(
    context: dg.AssetExecutionContext, fleet: Fleet, requests: pl.DataFrame
) -> pl.DataFrame:
    """Cost of the expected share on each candidate, told naively, uncached, cached, in packets.

    One row: one candidate and corner.
    """
    return costing.cost_corners(requests, **_of_policy(context, fleet))


@weekly(GROUP, deps=("organisation", "price_list", "price_snapshots"))
def break_even(
    context: dg.AssetExecutionContext, fleet: Fleet, requests: pl.DataFrame
) -> pl.DataFrame:
    """Break-even of each candidate: the hit rate from which it costs less than staying.

    One row: one candidate.
    """
    return costing.break_even(requests, **_of_policy(context, fleet))


@weekly_tables(
    GROUP,
    deps=("organisation", "price_list", "price_snapshots"),
    offload_replay=(
        "Replay of whole sessions on each candidate: cost by part, in a low, expected and high"
        " case.\n\nOne row: one candidate and case. Sampling interval and assumptions stand apart."
    ),
    replay_routes=(
        "Routes of the replay: what moves, what stays, and why it does.\n\n"
        "One row: one candidate and route; the routes of a candidate are all of Claude's requests."
    ),
    replay_cuts=(
        "Cuts of the replay's expected case: what each agent and each kind of work costs and"
        " saves.\n\n"
        "One row: one candidate, cut and value; the rows of a cut add up to the replay's own."
    ),
)
def replay(
    context: dg.AssetExecutionContext, fleet: Fleet, requests: pl.DataFrame, turns: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """One pass over all requests for each candidate and case, which three tables tell of."""
    return costing.replay(worktypes.marked(requests, turns), **_of_policy(context, fleet))


@weekly(GROUP, deps=("organisation", "price_list", "price_snapshots"))
def subscription_room(
    context: dg.AssetExecutionContext,
    fleet: Fleet,
    requests: pl.DataFrame,
    turns: pl.DataFrame,
    headroom: pl.DataFrame,
    exchange_rates: pl.DataFrame,
) -> pl.DataFrame:
    """Room for moved work in the windows of Codex and Spark, which a plan pays and no token does.

    One row: one subscription and quota window.
    """
    known = _of_policy(context, fleet)
    return costing.subscription_room(
        worktypes.marked(requests, turns),
        known["policy"],
        headroom=headroom,
        exchange_rates=exchange_rates,
        window_start=known["window_start"],
        book=known["book"],
    )


@weekly(GROUP, sql="subscription_value", deps=("price_list", "price_snapshots"))
def subscription_value(
    context: dg.AssetExecutionContext, fleet: Fleet, requests: pl.DataFrame
) -> pl.DataFrame:
    """Value of the subscription month: the same requests at the API's list prices of their day."""
    book = pricing.price_book(fleet.settings().home, close_of(context))
    return costing.subscription_value(requests, book)


@weekly(GROUP, sql="model_contexts", deps=("price_list", "price_snapshots"))
def model_contexts(
    context: dg.AssetExecutionContext, fleet: Fleet, requests: pl.DataFrame
) -> pl.DataFrame:
    """Largest request of each model in use beside the context window that it is listed with."""
    close = close_of(context)
    return pricing.model_contexts(requests, close, pricing.price_book(fleet.settings().home, close))


@weekly_check(model_contexts)
def requests_fit_their_window(model_contexts: pl.DataFrame) -> dg.AssetCheckResult:
    """No request is larger than its model's context window: it would have been counted twice."""
    return shown(quality.requests_fit_their_window(model_contexts))


@weekly_check(prices, blocking=True)
def priced_models_have_prices(fleet: Fleet, prices: pl.DataFrame) -> dg.AssetCheckResult:
    """Each model that the page prices has a price in force: unknown is never taken for 0."""
    priced = priced_models(fleet.settings().organisation())
    return shown(quality.priced_models_have_prices(prices, priced))


@weekly_check("replay_routes", "usage_totals", blocking=True)
def routes_add_up(replay_routes: pl.DataFrame, usage_totals: pl.DataFrame) -> dg.AssetCheckResult:
    """Each candidate's routes are the whole of Claude's usage: nothing moves twice or vanishes."""
    return shown(quality.routes_add_up(replay_routes, usage_totals))


@weekly_check(subscription_value)
def used_models_have_prices(subscription_value: pl.DataFrame) -> dg.AssetCheckResult:
    """Each model that Claude answered with has a list price; else the value is a lower bound."""
    return shown(quality.used_models_have_prices(subscription_value))


assets: list[dg.AssetsDefinition | dg.AssetSpec] = [
    price_list,
    prices,
    cost_scenarios,
    context_fit,
    cost_corners,
    break_even,
    replay,
    subscription_room,
    subscription_value,
    model_contexts,
]
checks = [
    priced_models_have_prices,
    routes_add_up,
    used_models_have_prices,
    requests_fit_their_window,
]
