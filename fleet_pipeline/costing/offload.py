"""What tokens that Claude handled would cost at another model's list price, term by term.

Belongs here: the cost formula and its rounding. One USD per million tokens is one micro-dollar
per token, so tokens times price is micro-dollars already; sums are exact fractions until the end.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Final, Literal

from fleet_pipeline.costing.tokens import TokenClasses, round_half_up
from fleet_pipeline.errors import PriceError
from fleet_pipeline.pricing import ModelPrice

CacheAssumption = Literal["no_cache", "listed_cache_price"]
TokenClass = Literal["input", "cache_write", "cache_read", "output"]

_CLASSES: tuple[TokenClass, ...] = ("input", "cache_write", "cache_read", "output")
COST_COLUMNS: Final = (*(f"{name}_cost_usd_micros" for name in _CLASSES), "cost_usd_micros")
"""A cost by the class that its tokens had on Claude, and the whole of it."""


@dataclass(frozen=True, slots=True)
class BilledTokens:
    """Tokens of one class on Claude, and the price that the other model has for them.

    ``billed_as`` names the term in words; the price is in USD per million tokens.
    """

    token_class: TokenClass
    billed_as: str
    tokens: int
    usd_per_mtok: Decimal

    @property
    def exact_usd_micros(self) -> Fraction:
        """The cost before rounding, in micro-dollars."""
        return self.tokens * Fraction(self.usd_per_mtok)


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

    'no_cache' bills every input token at the input price: the target reads the whole context anew.
    'listed_cache_price' bills what ``billed_tokens`` says. None where that needs the price of a
    cache read and none is listed: neither zero nor the input price would be true. PriceError where
    input or output has no price.
    """
    totals = dict.fromkeys(_CLASSES, Fraction(0))
    for tokens, price in slices:
        if mode == "no_cache":
            terms = _uncached_tokens(tokens, price)
        elif price.cache_read_usd_per_mtok is None:
            _base_prices(price)
            return None
        else:
            terms = billed_tokens(tokens, price, hit_rate=hit_rate)
        for term in terms:
            totals[term.token_class] += term.exact_usd_micros
    return CostParts(*rounded_together(list(totals.values())))


def billed_tokens(
    tokens: TokenClasses, price: ModelPrice, *, hit_rate: Fraction | Decimal | int
) -> list[BilledTokens]:
    """Return what each token is billed at when the other model's cache hits ``hit_rate`` of reads.

    ``hit_rate`` (0 to 1) is the share of what Claude read from its cache that the other model's
    cache holds too, rounded to a whole token: cost = fresh * input + writes * write + hits * read
    + misses * input + output * output. A write costs the input price unless a higher write price
    is listed. Fresh and newly written tokens never hit. PriceError where a price that some tokens
    need is not listed.
    """
    share = Fraction(hit_rate)
    if not 0 <= share <= 1:
        raise ValueError(f"hit_rate {hit_rate} is not a share between 0 and 1")
    input_price, output_price = _base_prices(price)
    hits = round_half_up(share * tokens.cache_read_tokens)
    read_price = price.cache_read_usd_per_mtok
    if read_price is None and hits:
        raise PriceError(
            f"{price.source} lists no price of a cache read for {price.provider} {price.model}"
            f" on {price.at}; ask for a hit rate of 0."
        )
    write_5m_price = _write_price(price.cache_write_5m_usd_per_mtok, input_price)
    write_1h_price = _write_price(price.cache_write_1h_usd_per_mtok, write_5m_price)
    return [
        BilledTokens("input", "fresh input", tokens.input_tokens, input_price),
        BilledTokens("cache_write", "5m write", tokens.cache_write_5m_tokens, write_5m_price),
        BilledTokens("cache_write", "1h write", tokens.cache_write_1h_tokens, write_1h_price),
        BilledTokens("cache_read", "cache hit", hits, read_price or Decimal(0)),
        BilledTokens("cache_read", "cache miss", tokens.cache_read_tokens - hits, input_price),
        BilledTokens("output", "output", tokens.output_tokens, output_price),
    ]


def cost_columns(parts: CostParts | None) -> dict[str, int]:
    """Return ``COST_COLUMNS``; none of them, which leaves nulls, for a refused cost."""
    if parts is None:
        return {}
    amounts = (
        parts.input_usd_micros,
        parts.cache_write_usd_micros,
        parts.cache_read_usd_micros,
        parts.output_usd_micros,
        parts.total_usd_micros,
    )
    return dict(zip(COST_COLUMNS, amounts, strict=True))


def rounded_together(parts: list[Fraction]) -> list[int]:
    """Round parts so that they add up to their rounded sum: the largest remainders go up."""
    whole = [floor(part) for part in parts]
    missing = round_half_up(sum(parts, Fraction(0))) - sum(whole)
    by_remainder = sorted(range(len(parts)), key=lambda i: (whole[i] - parts[i], i))
    for i in by_remainder[:missing]:
        whole[i] += 1
    return whole


def _uncached_tokens(tokens: TokenClasses, price: ModelPrice) -> list[BilledTokens]:
    input_price, output_price = _base_prices(price)
    return [
        BilledTokens("input", "fresh input", tokens.input_tokens, input_price),
        BilledTokens("cache_write", "cache miss", tokens.cache_write_tokens, input_price),
        BilledTokens("cache_read", "cache miss", tokens.cache_read_tokens, input_price),
        BilledTokens("output", "output", tokens.output_tokens, output_price),
    ]


def _base_prices(price: ModelPrice) -> tuple[Decimal, Decimal]:
    """Return the prices of input and output; PriceError where one is not listed."""
    if price.tiers:
        raise ValueError(f"{price.model}: choose a tier with for_context first")
    if price.input_usd_per_mtok is None or price.output_usd_per_mtok is None:
        raise PriceError(
            f"{price.source} lists no input or output price for {price.provider} {price.model}"
            f" on {price.at}; choose another model, for the week in reference_model."
        )
    return price.input_usd_per_mtok, price.output_usd_per_mtok


def _write_price(listed: Decimal | None, otherwise: Decimal) -> Decimal:
    """Return the price of writing to the cache, never below reading the same tokens afresh.

    A listed write price below that is rent for storage on top of the input (Gemini lists such
    a figure), so it is not the whole price of the token.
    """
    return otherwise if listed is None else max(listed, otherwise)
