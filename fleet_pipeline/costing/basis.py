"""The days that stand for a period, by price tier of one model, and what scales them to a month.

Belongs here: which days and tokens a monthly cost is made of. Pricing them is for ``scenarios`` and
``corners``.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

import polars as pl

from fleet_pipeline import tables
from fleet_pipeline.costing.run_rate import hot_week, monthly_factor
from fleet_pipeline.costing.tokens import TokenClasses, round_half_up
from fleet_pipeline.pricing import ModelPrice, PriceBook


@dataclass(frozen=True, slots=True)
class Day:
    """Claude's requests of one covered day that fall into one price tier of the target."""

    date: date
    above_tokens: int
    requests: int
    tokens: TokenClasses


@dataclass(frozen=True, slots=True)
class Basis:
    """Days whose tokens stand for a period, and the factor that scales them to it."""

    name: str
    start: date
    end: date
    factor: Fraction
    days: list[Day]

    @property
    def full_input_tokens(self) -> int:
        """Full input of the whole period."""
        return round_half_up(sum(day.tokens.full_input_tokens for day in self.days) * self.factor)

    def requests(self, share: Fraction) -> Fraction:
        """Return ``share`` of the period's requests."""
        return sum(day.requests for day in self.days) * self.factor * share

    def moved(self, share: Fraction) -> TokenClasses:
        """Return ``share`` of the period's tokens, rounded by class and tier."""
        return sum((tokens for _, tokens in self._tiers(share)), TokenClasses())

    def slices(self, share: Fraction, price: ModelPrice) -> list[tuple[TokenClasses, ModelPrice]]:
        """Return the same, one slice for each tier, with its flat price."""
        # A tier's price is that of any request just above its threshold.
        return [(tokens, price.for_context(above + 1)) for above, tokens in self._tiers(share)]

    def _tiers(self, share: Fraction) -> list[tuple[int, TokenClasses]]:
        by_tier: dict[int, TokenClasses] = {}
        for day in self.days:
            by_tier[day.above_tokens] = by_tier.get(day.above_tokens, TokenClasses()) + day.tokens
        return [
            (above_tokens, tokens.part(self.factor * share))
            for above_tokens, tokens in sorted(by_tier.items())
        ]


def days(requests: pl.DataFrame, price: ModelPrice | None) -> list[Day]:
    """Return Claude's covered days of the weekly ``requests``, split at the price's tiers."""
    starts = [0, *(tier.above_tokens for tier in (price.tiers if price else ()))]
    tiers = pl.DataFrame({"above_tokens": starts}, schema={"above_tokens": pl.Int64})
    frame = tables.run("offload_tokens", requests=requests, tiers=tiers)
    return [
        Day(day, above_tokens, count, TokenClasses(*tokens))
        for day, above_tokens, count, *tokens in frame.iter_rows()
    ]


def hit_rate(days: list[Day]) -> Fraction | None:
    """Return the share of full input that Claude read from its cache; None without input."""
    total = sum((day.tokens for day in days), TokenClasses())
    if total.full_input_tokens == 0:
        return None
    return Fraction(total.cache_read_tokens, total.full_input_tokens)


def bases(days: list[Day], window_start: date, window_end: date) -> list[Basis]:
    """Return the month and, where one stands out, its hot week; the bare days below 14 of them."""
    full_input_by_day: dict[date, int] = {}
    for day in days:
        so_far = full_input_by_day.get(day.date, 0)
        full_input_by_day[day.date] = so_far + day.tokens.full_input_tokens
    factor = monthly_factor(len(full_input_by_day))
    if factor is None:
        return [Basis("covered_days", window_start, window_end, Fraction(1), days)]
    month = Basis("month", window_start, window_end, factor, days)
    week = hot_week(full_input_by_day)
    if week is None or week.full_input_tokens == 0:
        return [month]
    dates = {week.start + timedelta(days=n) for n in range((week.end - week.start).days)}
    hot_days = [day for day in days if day.date in dates]
    return [month, Basis("hot_week", week.start, week.end, week.monthly_factor, hot_days)]


@dataclass(frozen=True, slots=True)
class Months:
    """The month's tokens split at the tiers of a price; models with the same tiers share them."""

    requests: pl.DataFrame
    start: date
    end: date
    book: PriceBook
    found: dict[tuple[int, ...], Basis] = field(default_factory=dict)

    def priced(self, priced_as: tuple[str, str]) -> tuple[ModelPrice | None, Basis]:
        """Return the price of (provider, model) in force at the close, and the month for it.

        None where input or output has no price: no turn can be priced then.
        """
        price = self.book.find(*priced_as, self.end)
        price = price if price and price.is_whole else None
        tiers = tuple(tier.above_tokens for tier in price.tiers) if price else ()
        if tiers not in self.found:
            self.found[tiers] = bases(days(self.requests, price), self.start, self.end)[0]
        return price, self.found[tiers]
