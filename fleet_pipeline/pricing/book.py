"""The price book: the price of a model at a date, out of all that a home knows.

Belongs here: choosing between the home's own price ledger, the package's dated prices and the
snapshot that ships with it. What is believed at all is decided in ``gates``.
"""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any, Final, TypeVar

import polars as pl

from fleet_pipeline.errors import PriceError
from fleet_pipeline.home import Home
from fleet_pipeline.pricing import embedded, shipped, snapshots
from fleet_pipeline.pricing.feeds import READERS, hourly_prices
from fleet_pipeline.pricing.model_price import PRICE_COLUMNS, ModelPrice, PriceTier
from fleet_pipeline.pricing.observations import tiers_of
from fleet_pipeline.pricing.price_ledger import LEDGER_SCHEMA, price_ledger

Key = tuple[str, str]
Row = Mapping[str, Any]
_Priced = TypeVar("_Priced", ModelPrice, PriceTier)

_RANK: Final = {source: rank for rank, source in enumerate(READERS)}


@dataclass(frozen=True)
class PriceBook:
    """Prices by provider, model and date; ``ledger`` in ``LEDGER_SCHEMA``."""

    ledger: pl.DataFrame

    def find(self, provider: str, model: str, at: date) -> ModelPrice | None:
        """Return the price in force at ``at`` (UTC), None where it is unknown.

        A feed's price holds from its first believed sighting. Of several feeds that one is asked
        which listed the model last by ``at``, else the first one in ``READERS``. The package's
        dated prices hold before the first sighting, and where they know of a change after the
        last one. What no source but the shipped snapshot knows comes from that. A feed that prices
        cache writes and is silent on those of an hour (models.dev names none) means what the
        package says, where that states the same price otherwise.
        """
        own = self._own(provider, model, at)
        if own is not None and _lacks_hour_writes(own):
            own = _with_hour_writes(own, embedded.find(provider, model, at))
        if own is not None and own.seen_on == at:
            return own
        packaged = embedded.find(provider, model, at)
        if own is None:
            return packaged or shipped.find(provider, model, at)
        if packaged is not None and packaged.effective_from is not None:
            assert own.seen_on is not None  # every row of a feed was seen
            if packaged.effective_from > own.seen_on:
                return packaged
        return own

    def require(self, provider: str, model: str, at: date) -> ModelPrice:
        """Return what ``find`` returns; PriceError with the nearest names where it is unknown."""
        price = self.find(provider, model, at)
        if price is not None:
            return price
        near = self.nearest(provider, model)
        hint = f"did you mean {', '.join(near)}?" if near else f"{provider} lists nothing like it."
        raise PriceError(
            f"no price for {provider} model {model!r} on {at}; {hint}"
            " Correct the model's price_id in the org's files."
        )

    def nearest(self, provider: str, model: str) -> list[str]:
        """Return up to three of the provider's models whose ids are most like ``model``."""
        return difflib.get_close_matches(model, self.models(provider), n=3, cutoff=0.5)

    def models(self, provider: str) -> list[str]:
        """Return the ids of all models that any source lists for ``provider``."""
        own = {model for owner, model in self._periods if owner == provider}
        return sorted(own | set(embedded.model_ids(provider)) | set(shipped.model_ids(provider)))

    def periods(self, provider: str, model: str) -> list[Row]:
        """Return the rows of the ledger for one model, believed and held, in order of time."""
        rows = self._periods.get((provider, model), ())
        return sorted(rows, key=lambda row: (row["first_seen"], row["source"]))

    def breaks(self, provider: str, model: str, first: date, last: date) -> list[date]:
        """Return the days from ``first`` to ``last`` on which the price may become another one.

        Ascending, and ``first`` is among them.
        """
        believed = self._believed(provider, model)
        days = {first}
        for row in believed:
            days |= {row["first_seen"].date(), row["last_seen"].date() + timedelta(days=1)}
        if not _seen_throughout(believed, first, last):
            days |= {shipped.TAKEN_ON, *embedded.starts(provider, model)}
        elif any(_lacks_hour_writes(price_of(row, last)) for row in believed):
            days |= set(embedded.starts(provider, model))
        return sorted(day for day in days if first <= day <= last)

    def _own(self, provider: str, model: str, at: date) -> ModelPrice | None:
        in_force: dict[str, Row] = {}
        for row in self._believed(provider, model):
            if row["first_seen"].date() <= at:
                in_force[row["source"]] = row
        best = max(
            in_force.values(),
            key=lambda row: (min(row["last_seen"].date(), at), -_RANK.get(row["source"], 99)),
            default=None,
        )
        return None if best is None else price_of(best, at)

    def _believed(self, provider: str, model: str) -> list[Row]:
        for name in dict.fromkeys((model, embedded.spelling(provider, model))):
            if rows := [row for row in self._periods.get((provider, name), ()) if row["believed"]]:
                return rows
        return []

    @cached_property
    def _periods(self) -> dict[Key, list[Row]]:
        found: dict[Key, list[Row]] = {}
        for row in self.ledger.sort("first_seen").iter_rows(named=True):
            found.setdefault((row["provider"], row["model"]), []).append(row)
        return found


def _seen_throughout(rows: Iterable[Row], first: date, last: date) -> bool:
    """Say whether a feed listed some believed price on each day: nobody else is then asked."""
    unseen: dict[str, date] = {}
    for row in rows:  # in order of time
        next_day = unseen.get(row["source"], first)
        if row["first_seen"].date() <= next_day:
            day_after = row["last_seen"].date() + timedelta(days=1)
            unseen[row["source"]] = max(next_day, day_after)
    return any(next_day > last for next_day in unseen.values())


def _lacks_hour_writes(price: ModelPrice) -> bool:
    priced: tuple[ModelPrice | PriceTier, ...] = (price, *price.tiers)
    return any(
        one.cache_write_5m_usd_per_mtok is not None and one.cache_write_1h_usd_per_mtok is None
        for one in priced
    )


def _with_hour_writes(own: ModelPrice, packaged: ModelPrice | None) -> ModelPrice:
    """Return a feed's price, its tiers among it, with what the package says of one-hour writes."""
    if packaged is None:
        return own
    stated = {tier.above_tokens: tier for tier in packaged.tiers}
    tiers = [
        _filled(tier, stated[tier.above_tokens]) if tier.above_tokens in stated else tier
        for tier in own.tiers
    ]
    return _filled(replace(own, tiers=tuple(tiers)), packaged)


def _filled(own: _Priced, packaged: _Priced) -> _Priced:
    others = (column for column in PRICE_COLUMNS if column != "cache_write_1h_usd_per_mtok")
    if own.cache_write_1h_usd_per_mtok is not None or any(
        getattr(own, column) != getattr(packaged, column) for column in others
    ):
        return own
    return replace(own, cache_write_1h_usd_per_mtok=packaged.cache_write_1h_usd_per_mtok)


def price_of(row: Row, at: date) -> ModelPrice:
    """Return a row of the ledger as the price in force at ``at``; hours only as far as believed."""
    told = hourly_prices(row["source"], row["model"], row["hours"])
    return ModelPrice(
        provider=row["provider"],
        model=row["model"],
        name=row["name"] or row["model"],
        **{column: row[column] for column in PRICE_COLUMNS},
        context_tokens=row["context_tokens"],
        max_output=row["max_output"],
        source=row["source"],
        effective_from=row["first_seen"].date(),
        at=at,
        is_free=not row["input_usd_per_mtok"] and not row["output_usd_per_mtok"],
        tiers=tiers_of(row["tiers"]),
        seen_on=min(row["last_seen"].date(), at),
        hours=row["hours"],
        by_hour=tuple(one for one in told if one.is_believed(row)),
    )


def price_book(home: Home, known_by: date | None = None) -> PriceBook:
    """Return the prices that ``home`` knew by ``known_by`` (00:00 UTC), all of them without it.

    A week is priced with what was known when it closed, so that no later snapshot changes it.
    Raises SourceError naming a damaged snapshot.
    """
    return PriceBook(price_ledger(snapshots.observations(home, known_by)))


def book_of(observations: Iterable[pl.DataFrame]) -> PriceBook:
    """Return the price book of some snapshots."""
    frames = list(observations)
    return PriceBook(price_ledger(pl.concat(frames))) if frames else EMBEDDED


EMBEDDED: Final = PriceBook(pl.DataFrame(schema=LEDGER_SCHEMA))
"""The book of a home that never heard a feed: the package's own prices."""
