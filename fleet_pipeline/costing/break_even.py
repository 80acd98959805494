"""From which cache-hit rate on another model costs less than staying on Claude.

Belongs here: that one equation. Both sides are priced by ``offload``.
"""

from fractions import Fraction

from fleet_pipeline.costing.offload import cost_usd_micros
from fleet_pipeline.costing.tokens import TokenClasses
from fleet_pipeline.pricing import ModelPrice


def break_even_hit_rate(
    tokens: TokenClasses, elsewhere: ModelPrice, staying: ModelPrice
) -> Fraction | None:
    """Return the least share of Claude's cache reads that must hit for ``elsewhere`` to cost less.

    Staying is priced with every cache read at its listed price, as Claude's cache served it. The
    cost elsewhere falls in a straight line from hit rate 0 to 1. Below 0 the other model is
    cheaper without any hit; above 1 it is dearer at any rate. None where a hit saves nothing or
    has no listed price. PriceError where staying has no price.
    """
    stay = cost_usd_micros(tokens, staying, hit_rate=1, mode="listed_cache_price")
    without = cost_usd_micros(tokens, elsewhere, hit_rate=0, mode="listed_cache_price")
    with_all = cost_usd_micros(tokens, elsewhere, hit_rate=1, mode="listed_cache_price")
    if stay is None or without is None or with_all is None or without <= with_all:
        return None
    return Fraction(without - stay, without - with_all)
