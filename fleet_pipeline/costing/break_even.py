"""From which cache-hit rate on another model costs less than staying on Claude.

Belongs here: that one equation. Both sides are priced by ``offload``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from fleet_pipeline.costing.offload import cost_parts
from fleet_pipeline.costing.tokens import TokenClasses
from fleet_pipeline.pricing import ModelPrice

Slices = Sequence[tuple[TokenClasses, ModelPrice]]


@dataclass(frozen=True, slots=True)
class BreakEven:
    """Staying with every cache read served, and elsewhere without a hit and with all of them.

    Micro-dollars; None where a price is not listed. Elsewhere the cost falls in a straight line
    from hit rate 0 to 1.
    """

    stay_usd_micros: int | None
    no_hit_usd_micros: int | None
    all_hit_usd_micros: int | None

    @property
    def hit_rate(self) -> Fraction | None:
        """The share of Claude's cache reads that must hit for elsewhere to cost no more.

        0 or less: cheaper without any hit. Above 1: dearer at any rate. None where a hit saves
        nothing, or a price is not listed.
        """
        stay, without, with_all = (
            self.stay_usd_micros,
            self.no_hit_usd_micros,
            self.all_hit_usd_micros,
        )
        if stay is None or without is None or with_all is None or without <= with_all:
            return None
        return Fraction(without - stay, without - with_all)


def break_even(elsewhere: Slices, staying: Slices) -> BreakEven:
    """Return the three costs of the same tokens, each slice at its own flat price.

    PriceError where input or output has no price.
    """

    def total(slices: Slices, hit_rate: int) -> int | None:
        parts = cost_parts(slices, hit_rate=hit_rate, mode="listed_cache_price")
        return None if parts is None else parts.total_usd_micros

    return BreakEven(total(staying, 1), total(elsewhere, 0), total(elsewhere, 1))
