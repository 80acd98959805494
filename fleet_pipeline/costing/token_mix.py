"""What a million tokens of the fleet's own mix cost on each candidate: a badge only."""

from datetime import date
from fractions import Fraction

import polars as pl

from fleet_pipeline.costing.basis import Basis, Months
from fleet_pipeline.costing.offload import cost_parts
from fleet_pipeline.org import CandidateModel, Org
from fleet_pipeline.pricing import EMBEDDED, ModelPrice, PriceBook


def cost_at_own_mix(
    requests: pl.DataFrame,
    org: Org,
    *,
    window_start: date,
    window_end: date,
    book: PriceBook = EMBEDDED,
) -> dict[str, float | None]:
    """Return USD for a million of Claude's tokens as they are mixed, by candidate.

    ``requests`` is the weekly table. Every cache read of Claude's hits, and costs the input price
    where none is listed for it; each request is priced, whole, at the tier of its own full input,
    with the prices at the close. Null without a price or without use.
    """
    months = Months(requests, window_start, window_end, book)
    return {
        model.id: _cost(model, *months.priced((model.price_provider, model.price_model)))
        for model in org.models
    }


def _cost(model: CandidateModel, price: ModelPrice | None, basis: Basis) -> float | None:
    # A zero for a model that the organisation does not call free is not believed.
    if price is None or (price.is_free and not model.free):
        return None
    slices = basis.slices(Fraction(1), price)
    tokens = sum(part.full_input_tokens + part.output_tokens for part, _ in slices)
    parts = cost_parts(slices, hit_rate=1, mode="listed_cache_price") or cost_parts(
        slices, hit_rate=1, mode="no_cache"
    )
    # Micro-dollars a token are dollars a million tokens.
    return parts.total_usd_micros / tokens if parts and tokens else None
