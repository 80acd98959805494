"""What a model costs: one price list in force at one date.

Belongs here: the shape of a price and the choice of its tier and hour. Looking prices up belongs to
``embedded``.
"""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from fleet_pipeline.pricing.hours import HourlyPrice

PRICE_COLUMNS: Final = (
    "input_usd_per_mtok",
    "output_usd_per_mtok",
    "cache_read_usd_per_mtok",
    "cache_write_5m_usd_per_mtok",
    "cache_write_1h_usd_per_mtok",
)


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
    ``seen_on`` is the last day by ``at`` on which a feed was seen to list this price; None for a
    source that is dated by itself. The prices are those of the hours that no ``by_hour`` names;
    ``hours`` keeps what a feed said of those in its own words (JSON).
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
    seen_on: date | None = None
    hours: str | None = None
    by_hour: tuple[HourlyPrice, ...] = ()

    @property
    def age_days(self) -> int | None:
        """Days from the price's last sighting to ``at``; None for a source dated by itself."""
        return None if self.seen_on is None else (self.at - self.seen_on).days

    @property
    def is_whole(self) -> bool:
        """Say whether input and output have a price at any size; without both no turn has one."""
        sizes: tuple[ModelPrice | PriceTier, ...] = (self, *self.tiers)
        return all(
            size.input_usd_per_mtok is not None and size.output_usd_per_mtok is not None
            for size in sizes
        )

    def named(self) -> str:
        """Name the row of the price list: its source, since when it holds, when last seen."""
        since = f", in force since {self.effective_from}" if self.effective_from else ""
        seen = f", last listed {self.seen_on}" if self.seen_on else ""
        return f"{self.source}{since}{seen}"

    def at_minute(self, minute: int) -> "ModelPrice":
        """Return the price of a minute (0 to 1,439) of the UTC day ``at``, its tiers included."""
        price = replace(self, by_hour=())
        for special in self.by_hour:
            if special.holds(self.at.isoweekday(), minute):
                price = price._with(special)
        return price

    def _with(self, special: HourlyPrice) -> "ModelPrice":
        prices: dict[str, Any] = dict(special.prices)
        above = special.above_tokens
        tiers = {tier.above_tokens: tier for tier in self.tiers}
        if above and above not in tiers:
            flat = self.for_context(above + 1)
            tiers[above] = PriceTier(
                above, **{column: getattr(flat, column) for column in PRICE_COLUMNS}
            )
        changed = (
            replace(tier, **prices) if start >= above else tier
            for start, tier in sorted(tiers.items())
        )
        return replace(self, tiers=tuple(changed), **({} if above else prices))

    def for_context(self, full_input_tokens: int) -> "ModelPrice":
        """Return the flat price of a request with this full input (tokens, cache included).

        The whole request is billed at the highest tier that its input strictly exceeds; prices
        are never marginal (Anthropic's and OpenAI's long-context rule).
        """
        reached = [tier for tier in self.tiers if tier.above_tokens < full_input_tokens]
        if not reached:
            return replace(self, tiers=())
        prices: dict[str, Any] = {column: getattr(reached[-1], column) for column in PRICE_COLUMNS}
        return replace(self, tiers=(), **prices)
