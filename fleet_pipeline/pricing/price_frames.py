"""Prices as frames: the weekly ``prices`` table, and list prices ready to join with requests.

Belongs here: shaping ``ModelPrice`` for tables. The published table keeps decimals; the frame for
joins holds integers, so that a sum over requests stays exact.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import polars as pl

from fleet_pipeline.pricing.book import EMBEDDED, PriceBook
from fleet_pipeline.pricing.embedded import SOURCE
from fleet_pipeline.pricing.hours import spans
from fleet_pipeline.pricing.model_price import PRICE_COLUMNS, ModelPrice, PriceTier
from fleet_pipeline.pricing.observations import PRICE

_PRICES_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "provider": pl.String,
    "model": pl.String,
    "name": pl.String,
    **dict.fromkeys(PRICE_COLUMNS, PRICE),
    "is_free": pl.Boolean,
    "tiers": pl.String,
    "context_tokens": pl.Int64,
    "max_output": pl.Int64,
    "source": pl.String,
    "effective_from": pl.Date,
    "seen_on": pl.Date,
    "at": pl.Date,
}
_LIST_PRICES_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "model": pl.String,
    "date": pl.Date,
    "from_minute": pl.Int64,
    "up_to_minute": pl.Int64,
    "from_tokens": pl.Int64,
    "up_to_tokens": pl.Int64,
    "input_price": pl.Int64,
    "cache_write_5m_price": pl.Int64,
    "cache_write_1h_price": pl.Int64,
    "cache_read_price": pl.Int64,
    "output_price": pl.Int64,
}
_NINE_PLACES = Decimal("1e-9")
_MICROS_PER_USD = 1_000_000
_UNBOUNDED = 2**62
_PROVIDERS = {"claude": "anthropic", "codex": "openai"}


def prices_table(
    models: Iterable[tuple[str, str]], at: date, book: PriceBook = EMBEDDED
) -> pl.DataFrame:
    """Return the weekly table ``prices``: one row per (provider, model), in force at ``at``.

    USD per million tokens as decimals. A model without a known price keeps its row and its name,
    with null prices and null ``is_free``. ``tiers`` spells long-context prices out in words.
    """
    rows = [_prices_row(book, provider, model, at) for provider, model in sorted(set(models))]
    return pl.DataFrame(rows, schema=_PRICES_SCHEMA, orient="row")


def list_prices(
    provider: str, models: Iterable[str], dates: Iterable[date], book: PriceBook = EMBEDDED
) -> pl.DataFrame:
    """Return one row per known model, UTC day, part of it and tier, for joins.

    Integer micro-dollars per million tokens. A row holds for requests in the minutes [from_minute,
    up_to_minute] of the day whose full input lies in [from_tokens, up_to_tokens]; the rows of a
    model and day leave no gap and never overlap. Unknown models have no row.
    """
    days = sorted(set(dates))
    if not days:
        return pl.DataFrame(schema=_LIST_PRICES_SCHEMA)
    rows = [
        {**row, "date": alike}
        for model in sorted(set(models))
        for span in _spans(days, book.breaks(provider, model, days[0], days[-1]))
        if (price := book.find(provider, model, span[0])) is not None
        for alike in (_by_weekday(span) if price.by_hour else [span])
        for row in _list_price_rows(replace(price, at=alike[0]))
    ]
    by_span = pl.DataFrame(
        rows, schema={**_LIST_PRICES_SCHEMA, "date": pl.List(pl.Date)}, orient="row"
    )
    return by_span.explode("date").sort("model", "date", "from_minute", "from_tokens")


def _spans(days: list[date], breaks: list[date]) -> list[list[date]]:
    """Split ascending ``days`` at each of the ``breaks``, of which the first is the first day."""
    ends = [*(bisect_left(days, start) for start in breaks[1:]), len(days)]
    starts = [0, *ends[:-1]]
    return [days[start:end] for start, end in zip(starts, ends, strict=True) if start < end]


def _by_weekday(days: Iterable[date]) -> list[list[date]]:
    """Group days that may share the prices of their hours."""
    found: dict[int, list[date]] = {}
    for day in days:
        found.setdefault(day.isoweekday(), []).append(day)
    return list(found.values())


def _prices_row(book: PriceBook, provider: str, model: str, at: date) -> dict[str, object]:
    price = book.find(provider, model, at)
    if price is None:
        unknown = dict.fromkeys(_PRICES_SCHEMA)
        return {**unknown, "provider": provider, "model": model, "source": SOURCE, "at": at}
    return {
        "provider": provider,
        "model": model,
        "name": price.name,
        **{column: _nine_places(getattr(price, column)) for column in PRICE_COLUMNS},
        "is_free": price.is_free,
        "tiers": "; ".join(_tier_in_words(tier) for tier in price.tiers) or None,
        "context_tokens": price.context_tokens,
        "max_output": price.max_output,
        "source": price.source,
        "effective_from": price.effective_from,
        "seen_on": price.seen_on,
        "at": price.at,
    }


def _tier_in_words(tier: PriceTier) -> str:
    classes = {
        "input": tier.input_usd_per_mtok,
        "output": tier.output_usd_per_mtok,
        "cache read": tier.cache_read_usd_per_mtok,
        "5m write": tier.cache_write_5m_usd_per_mtok,
        "1h write": tier.cache_write_1h_usd_per_mtok,
    }
    known = ", ".join(f"{name} {price}" for name, price in classes.items() if price is not None)
    return f"above {tier.above_tokens} input tokens: {known}"


def _list_price_rows(price: ModelPrice) -> Iterator[dict[str, object]]:
    for first, last in spans(price.by_hour, price.at):
        held = price.at_minute(first)
        starts = [0, *(tier.above_tokens + 1 for tier in held.tiers)]
        ends = [*(tier.above_tokens for tier in held.tiers), _UNBOUNDED]
        for start, end in zip(starts, ends, strict=True):
            flat = held.for_context(start)
            yield {
                "model": price.model,
                "from_minute": first,
                "up_to_minute": last,
                "from_tokens": start,
                "up_to_tokens": end,
                "input_price": _micros(flat.input_usd_per_mtok),
                "cache_write_5m_price": _micros(flat.cache_write_5m_usd_per_mtok),
                "cache_write_1h_price": _micros(flat.cache_write_1h_usd_per_mtok),
                "cache_read_price": _micros(flat.cache_read_usd_per_mtok),
                "output_price": _micros(flat.output_usd_per_mtok),
            }


def _nine_places(price: Decimal | None) -> Decimal | None:
    return None if price is None else price.quantize(_NINE_PLACES, rounding=ROUND_HALF_UP)


def _micros(price: Decimal | None) -> int | None:
    if price is None:
        return None
    return int((price * _MICROS_PER_USD).to_integral_value(rounding=ROUND_HALF_UP))


def model_contexts(requests: pl.DataFrame, at: date, book: PriceBook) -> pl.DataFrame:
    """Return the weekly table ``model_contexts``: largest requests beside listed windows.

    ``requests`` needs client, model and full_input_tokens. Windows are those listed at ``at``.
    """
    used = requests.select("client", "model").unique().drop_nulls().sort("client", "model")
    prices = [book.find(_PROVIDERS[client], model, at) for client, model in used.iter_rows()]
    listed = [price.context_tokens if price else None for price in prices]
    windows = used.with_columns(pl.Series("context_tokens", listed, dtype=pl.Int64))
    from fleet_pipeline import tables  # loads the query engine, which `fleet prices` does not need

    return tables.run(
        "model_contexts",
        requests=requests.select("client", "model", "full_input_tokens"),
        windows=windows,
    )
