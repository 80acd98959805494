"""What a model costs: one price list in force at one date.

Belongs here: the shape of a price and the choice of its tier. Looking prices up belongs to
``embedded``.
"""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class PriceTier:
    """Prices that replace the base ones for a request whose full input exceeds ``above_tokens``.

    USD per million tokens; None where the list names no price for the class.
    """

    above_tokens: int
    input_usd_per_mtok: Decimal | None
    output_usd_per_mtok: Decimal | None
    cache_read_usd_per_mtok: Decimal | None
    cache_write_5m_usd_per_mtok: Decimal | None
    cache_write_1h_usd_per_mtok: Decimal | None


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """The price of one model in force ``at`` a date, in USD per million tokens.

    None means that the list names no price for the class, which is never the same as zero.
    ``effective_from`` is None where the list does not say since when; ``tiers`` ascend.
    """

    provider: str
    model: str
    name: str
    input_usd_per_mtok: Decimal | None
    output_usd_per_mtok: Decimal | None
    cache_read_usd_per_mtok: Decimal | None
    cache_write_5m_usd_per_mtok: Decimal | None
    cache_write_1h_usd_per_mtok: Decimal | None
    context_tokens: int | None
    max_output: int | None
    source: str
    effective_from: date | None
    at: date
    is_free: bool = False
    tiers: tuple[PriceTier, ...] = ()

    def for_context(self, full_input_tokens: int) -> "ModelPrice":
        """Return the flat price of a request with this full input (tokens, cache included).

        The whole request is billed at the highest tier that its input strictly exceeds; prices
        are never marginal (Anthropic's and OpenAI's long-context rule).
        """
        reached = [tier for tier in self.tiers if tier.above_tokens < full_input_tokens]
        if not reached:
            return replace(self, tiers=())
        tier = reached[-1]
        return replace(
            self,
            tiers=(),
            input_usd_per_mtok=tier.input_usd_per_mtok,
            output_usd_per_mtok=tier.output_usd_per_mtok,
            cache_read_usd_per_mtok=tier.cache_read_usd_per_mtok,
            cache_write_5m_usd_per_mtok=tier.cache_write_5m_usd_per_mtok,
            cache_write_1h_usd_per_mtok=tier.cache_write_1h_usd_per_mtok,
        )
