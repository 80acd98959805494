"""The weekly table ``subscription_value``: what Claude's requests would cost at API list price."""

import polars as pl

from fleet_pipeline import tables
from fleet_pipeline.pricing import EMBEDDED, PriceBook, list_prices

PROVIDER = "anthropic"


def subscription_value(requests: pl.DataFrame, book: PriceBook = EMBEDDED) -> pl.DataFrame:
    """Return one row per Claude model of the weekly ``requests``: tokens and API list cost.

    Each request is priced at its own UTC date and, whole, at the tier of its own full input;
    cache reads, 5m and 1h writes at their own prices. Micro-dollars, rounded half up once per
    model; null where any of the model's requests has no price. Web searches, fast mode and
    regional surcharges are left out, so the figure is a lower bound where they were used.
    """
    used = requests.select("model", "date").drop_nulls()
    prices = list_prices(PROVIDER, used["model"].unique(), used["date"].unique(), book)
    return tables.run(
        "subscription_value",
        requests=requests,
        list_prices=prices.with_columns(client=pl.lit("claude")),
    )
