"""What a slice of Claude's tokens would cost at another model's list price.

Belongs here: the cost formula and its rounding. One USD per million tokens is one micro-dollar
per token, so tokens times price is micro-dollars already; sums are exact fractions until the end.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Literal

from fleet_pipeline.costing.tokens import TokenClasses, round_half_up
from fleet_pipeline.errors import PriceError
from fleet_pipeline.pricing import ModelPrice

CacheAssumption = Literal["no_cache", "listed_cache_price"]


@dataclass(frozen=True, slots=True)
class CostParts:
    """A cost by the class that the tokens had on Claude, in micro-dollars; parts add up exactly."""

    input_usd_micros: int
    cache_write_usd_micros: int
    cache_read_usd_micros: int
    output_usd_micros: int

    @property
    def total_usd_micros(self) -> int:
        """The whole cost."""
        return (
            self.input_usd_micros
            + self.cache_write_usd_micros
            + self.cache_read_usd_micros
            + self.output_usd_micros
        )

    @property
    def naive_usd_micros(self) -> int:
        """What looks like the cost when only fresh input and output are counted: the trap."""
        return self.input_usd_micros + self.output_usd_micros


def cost_usd_micros(
    tokens: TokenClasses,
    price: ModelPrice,
    *,
    hit_rate: Fraction | Decimal | int,
    mode: CacheAssumption,
) -> int | None:
    """Return the cost in micro-dollars, rounded half up once; see ``cost_parts``."""
    parts = cost_parts([(tokens, price)], hit_rate=hit_rate, mode=mode)
    return None if parts is None else parts.total_usd_micros


def cost_parts(
    slices: Iterable[tuple[TokenClasses, ModelPrice]],
    *,
    hit_rate: Fraction | Decimal | int,
    mode: CacheAssumption,
) -> CostParts | None:
    """Return the cost of token slices, each at its own flat price (one slice per price tier).

    'no_cache' bills every input token at the input price: the target re-reads the whole context.
    'listed_cache_price' bills ``hit_rate`` (0 to 1) of the full input at the cache-read price;
    what Claude read from its cache hits first, then its writes, then fresh input. Cache writes
    that do not hit are billed at the listed write price, all other misses at the input price:
    C = misses * input + writes * write + hits * cache_read + output * output.

    None where a price of a cache hit is asked for and not listed: neither zero nor the input
    price would be true. PriceError where input or output has no price.
    """
    hits_share = Fraction(hit_rate)
    if not 0 <= hits_share <= 1:
        raise ValueError(f"hit_rate {hit_rate} is not a share between 0 and 1")
    totals = [Fraction(0)] * 4
    for tokens, price in slices:
        parts = _exact_parts(tokens, price, hits_share if mode == "listed_cache_price" else None)
        if parts is None:
            return None
        totals = [total + part for total, part in zip(totals, parts, strict=True)]
    return CostParts(*_rounded_together(totals))


def _exact_parts(
    tokens: TokenClasses, price: ModelPrice, hits_share: Fraction | None
) -> list[Fraction] | None:
    """Return unrounded micro-dollars for input, cache write, cache read and output."""
    if price.tiers:
        raise ValueError(f"{price.model}: choose a tier with for_context first")
    if price.input_usd_per_mtok is None or price.output_usd_per_mtok is None:
        raise PriceError(
            f"{price.source} lists no input or output price for {price.provider} {price.model}"
            f" on {price.at}; choose another reference model in the org's files."
        )
    input_price = Fraction(price.input_usd_per_mtok)
    output_cost = tokens.output_tokens * Fraction(price.output_usd_per_mtok)
    if hits_share is None:
        return [
            tokens.input_tokens * input_price,
            tokens.cache_write_tokens * input_price,
            tokens.cache_read_tokens * input_price,
            output_cost,
        ]
    if price.cache_read_usd_per_mtok is None:
        return None
    hit_price = Fraction(price.cache_read_usd_per_mtok)
    hits_left = hits_share * tokens.full_input_tokens

    def billed(class_tokens: int, miss_price: Fraction) -> Fraction:
        nonlocal hits_left
        hits = min(Fraction(class_tokens), hits_left)
        hits_left -= hits
        return hits * hit_price + (class_tokens - hits) * miss_price

    write_5m_price = _write_price(price.cache_write_5m_usd_per_mtok, input_price)
    write_1h_price = _write_price(price.cache_write_1h_usd_per_mtok, write_5m_price)
    read_cost = billed(tokens.cache_read_tokens, input_price)
    write_cost = billed(tokens.cache_write_5m_tokens, write_5m_price)
    write_cost += billed(tokens.cache_write_1h_tokens, write_1h_price)
    return [billed(tokens.input_tokens, input_price), write_cost, read_cost, output_cost]


def _write_price(listed: Decimal | None, otherwise: Fraction) -> Fraction:
    """Return the price of writing to the cache, never below reading the same tokens afresh.

    A listed write price below that is rent for storage on top of the input (Gemini lists such
    a figure), so it is not the whole price of the token.
    """
    return otherwise if listed is None else max(Fraction(listed), otherwise)


def _rounded_together(parts: list[Fraction]) -> list[int]:
    """Round parts so that they add up to their rounded sum: the largest remainders go up."""
    whole = [floor(part) for part in parts]
    missing = round_half_up(sum(parts, Fraction(0))) - sum(whole)
    by_remainder = sorted(range(len(parts)), key=lambda i: (whole[i] - parts[i], i))
    for i in by_remainder[:missing]:
        whole[i] += 1
    return whole
