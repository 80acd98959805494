"""A cost with the way it came about: the terms that add up to it and the formula in words.

Belongs here: what ``fleet cost`` prints and the page shows beside each amount. The prices of the
terms come from ``offload``; reading options and choosing a model do not belong here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from fleet_pipeline.costing.offload import BilledTokens, billed_tokens, rounded_together
from fleet_pipeline.costing.tokens import TokenClasses, round_half_up
from fleet_pipeline.pricing import ModelPrice

TURNS_FORMULA = (
    "fresh x input + writes x (write price, or input) + hits x cache read + misses x input"
    " + output x output"
)
NAIVE_FORMULA = "fresh x input + output x output, as if context were never sent again"
PACKETS_FORMULA = "calls x packet tokens x input + output x output; a packet has no cache to hit"


@dataclass(frozen=True, slots=True)
class Term:
    """One product of the formula: tokens, USD per million of them, and micro-dollars."""

    name: str
    tokens: int
    usd_per_mtok: Decimal
    cost_usd_micros: int


@dataclass(frozen=True, slots=True)
class Quote:
    """A cost in micro-dollars and the terms that add up to it exactly."""

    formula: str
    terms: tuple[Term, ...]

    @property
    def cost_usd_micros(self) -> int:
        """The whole cost."""
        return sum(term.cost_usd_micros for term in self.terms)


def quote_turns(
    tokens: TokenClasses, price: ModelPrice, *, hit_rate: Fraction | Decimal | int
) -> Quote:
    """Return what whole turns cost when the cache hits ``hit_rate`` of what Claude's cache did.

    At 0 that is the price without any cache hit. PriceError where a needed price is not listed.
    """
    return _quote(TURNS_FORMULA, billed_tokens(tokens, price, hit_rate=hit_rate))


def quote_naive(tokens: TokenClasses, price: ModelPrice) -> Quote:
    """Return what turns seem to cost when only fresh input and output are counted: the trap."""
    fresh = TokenClasses(input_tokens=tokens.input_tokens, output_tokens=tokens.output_tokens)
    return _quote(NAIVE_FORMULA, billed_tokens(fresh, price, hit_rate=0))


def quote_packets(
    calls: Fraction | int, packet_tokens: int, output_tokens: int, price: ModelPrice
) -> Quote:
    """Return what ``calls`` bounded packets of ``packet_tokens`` input and the output cost.

    Each packet is a prompt of its own: nothing is read from a cache. Verifying what comes back is
    not in it.
    """
    sent = TokenClasses(
        input_tokens=round_half_up(calls * Fraction(packet_tokens)), output_tokens=output_tokens
    )
    return _quote(PACKETS_FORMULA, billed_tokens(sent, price, hit_rate=0))


def _quote(formula: str, billed: Sequence[BilledTokens]) -> Quote:
    used = [term for term in billed if term.tokens]
    costs = rounded_together([term.exact_usd_micros for term in used])
    terms = [
        Term(term.billed_as, term.tokens, term.usd_per_mtok, cost)
        for term, cost in zip(used, costs, strict=True)
    ]
    return Quote(formula, tuple(terms))
