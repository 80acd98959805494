"""What a million tokens of the fleet's own mix cost on each candidate: a badge only."""

from decimal import Decimal

import polars as pl

from fleet_pipeline.org import CandidateModel, Org


def cost_at_own_mix(
    org: Org, prices: pl.DataFrame, usage_totals: pl.DataFrame
) -> dict[str, float | None]:
    """Return USD for a million of Claude's tokens as they are mixed, by candidate.

    Fresh input and cache writes at the input price, cache reads at the cached price where one is
    listed (else the input price), output at the output price. Null without a price or without use.
    """
    [used] = usage_totals.filter(pl.col("client") == "claude").to_dicts()
    return {model.id: _cost(model, prices, used) for model in org.models}


def _cost(model: CandidateModel, prices: pl.DataFrame, used: dict[str, int]) -> float | None:
    listed = prices.filter(
        pl.col("provider") == model.price_provider, pl.col("model") == model.price_model
    )
    row = listed.row(0, named=True) if listed.height else {}
    price_in, price_out = row.get("input_usd_per_mtok"), row.get("output_usd_per_mtok")
    tokens = used["full_input_tokens"] + used["output_tokens"]
    # A zero for a model that the organisation does not call free is not believed.
    if price_in is None or price_out is None or not tokens or (row["is_free"] and not model.free):
        return None
    cached = row["cache_read_usd_per_mtok"]
    read: Decimal = price_in if cached is None else cached
    reads = used["cache_read_tokens"]
    cost = (used["full_input_tokens"] - reads) * price_in + reads * read
    return float((cost + used["output_tokens"] * price_out) / tokens)
