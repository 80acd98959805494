"""What is asked of the price book by name: which model is meant, its price, its history.

Belongs here: names and the plain records that ``fleet prices`` shows. Choosing a price is ``book``.
"""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

import polars as pl

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.pricing import embedded
from fleet_pipeline.pricing.book import PriceBook
from fleet_pipeline.pricing.model_price import PRICE_COLUMNS, ModelPrice

Record = dict[str, object]

_BARE_NAMES: Final = ("anthropic", "openai", "google", "openrouter")
"""Whose models may be named without the provider, the first that knows the name first."""


@dataclass(frozen=True, slots=True)
class Alias:
    """A name that the organisation gives to a model of a price list."""

    name: str
    provider: str
    model: str


def resolve(name: str, aliases: Iterable[Alias], book: PriceBook, at: date) -> tuple[str, str]:
    """Return (provider, model) for a page name, ``<provider>/<model>``, or a model's bare id.

    Raises ConfigurationError with the nearest names where nothing of that name is known.
    """
    known = {alias.name.casefold(): alias for alias in aliases}
    if alias := known.get(name.casefold()):
        return alias.provider, alias.model
    provider, slash, model = name.partition("/")
    if slash and _lists(book, provider, model, at):
        return provider, model
    for provider in _BARE_NAMES:
        if _lists(book, provider, name, at):
            return provider, name
    near = _nearest(name, (alias.name for alias in known.values()), book)
    hint = f"did you mean {', '.join(near)}?" if near else "no price list has anything like it"
    raise ConfigurationError(f"no model is called {name!r}; {hint}")


def price_record(price: ModelPrice | None, provider: str, model: str, at: date) -> Record:
    """Return a price as JSON says it: USD per million tokens, null where it is not known."""
    stated = {column: _number(getattr(price, column, None)) for column in PRICE_COLUMNS}
    return {
        "model": model,
        "provider": provider,
        "name": price.name if price else None,
        "at": at,
        **stated,
        "is_free": price.is_free if price else None,
        "tiers": [
            {"above_tokens": tier.above_tokens}
            | {column: _number(getattr(tier, column)) for column in PRICE_COLUMNS}
            for tier in (price.tiers if price else ())
        ],
        "hours": price.hours if price else None,
        "by_hour": [
            {
                "from": _clock(one.from_minute),
                "up_to": _clock(one.up_to_minute),
                "weekdays": sorted(one.weekdays) if one.weekdays is not None else None,
                "above_tokens": one.above_tokens,
                **{column: _number(usd) for column, usd in one.prices},
            }
            for one in (price.by_hour if price else ())
        ],
        "context_tokens": price.context_tokens if price else None,
        "max_output": price.max_output if price else None,
        "source": price.source if price else None,
        "effective_from": price.effective_from if price else None,
        "seen_on": price.seen_on if price else None,
        "age_days": price.age_days if price else None,
    }


def history(book: PriceBook, provider: str, model: str) -> list[Record]:
    """Return everything that is known of a model's prices, oldest first, held rows among it.

    ``effective_from`` is null for what a source knows without a date.
    """
    rows: list[Record] = [
        {
            "effective_from": row["first_seen"].date(),
            "last_listed": row["last_seen"].date(),
            **{column: _number(row[column]) for column in PRICE_COLUMNS},
            "source": row["source"],
            "believed": row["believed"],
            "reason": row["reason"],
            "confirmed_by": row["confirmed_by"],
        }
        for row in book.periods(provider, model)
    ]
    for start in (date.min, *embedded.starts(provider, model)):
        price = embedded.find(provider, model, start)
        if price is not None:
            rows.append(
                {
                    "effective_from": price.effective_from,
                    "last_listed": None,
                    **{column: _number(getattr(price, column)) for column in PRICE_COLUMNS},
                    "source": price.source,
                    "believed": True,
                    "reason": None,
                    "confirmed_by": None,
                }
            )
    return sorted(rows, key=lambda row: (str(row["effective_from"] or ""), str(row["source"])))


def questioned(book: PriceBook, at: date) -> list[Record]:
    """Return each price of a feed that something spoke against by ``at``, in order of time.

    ``believed`` tells what another source or a week of the same outweighed, ``confirmed_by`` by
    what; the others are held. Prices in USD per million tokens, null where unknown.
    """
    rows = book.ledger.filter(
        pl.col("reason").is_not_null(), pl.col("first_seen").dt.date() <= at
    ).sort("first_seen", "provider", "model", "source")
    return [
        {
            "provider": row["provider"],
            "model": row["model"],
            "first_seen": row["first_seen"].date(),
            "last_seen": row["last_seen"].date(),
            **{column: _number(row[column]) for column in PRICE_COLUMNS[:3]},
            "source": row["source"],
            "reason": row["reason"],
            "believed": row["believed"],
            "confirmed_by": row["confirmed_by"],
        }
        for row in rows.iter_rows(named=True)
    ]


def _lists(book: PriceBook, provider: str, model: str, at: date) -> bool:
    return bool(
        book.periods(provider, model)
        or book.find(provider, model, at)
        or embedded.starts(provider, model)
        or model in book.models(provider)
    )


def _nearest(name: str, known: Iterable[str], book: PriceBook) -> Sequence[str]:
    pool = {*known, *(model for provider in _BARE_NAMES for model in book.models(provider))}
    folded = {each.casefold(): each for each in sorted(pool)}
    near = difflib.get_close_matches(name.casefold(), sorted(folded), n=3, cutoff=0.5)
    return [folded[each] for each in near]


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _number(price: Decimal | None) -> float | None:
    return None if price is None else float(price)
