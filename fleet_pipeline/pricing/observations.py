"""What price feeds said, and when: one row for each source, model and moment.

Belongs here: the shape of a snapshot and how a feed's answer becomes one. What a feed's fields mean
is known to its adapter in ``feeds``; whether to believe a row is decided in ``gates``.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

import polars as pl

from fleet_pipeline.pricing.model_price import PRICE_COLUMNS, PriceTier

PRICE: Final = pl.Decimal(18, 9)
OFFER_COLUMNS: Final = (*PRICE_COLUMNS, "tiers", "hours")
"""What makes a price: where one of these differs, it is another one."""

SCHEMA: Final = pl.Schema(
    {
        "source": pl.String(),
        "provider": pl.String(),
        "model": pl.String(),
        "observed_at": pl.Datetime("us", "UTC"),
        "recorded_at": pl.Datetime("us", "UTC"),
        "name": pl.String(),
        "input_usd_per_mtok": PRICE,
        "output_usd_per_mtok": PRICE,
        "cache_read_usd_per_mtok": PRICE,
        "cache_write_5m_usd_per_mtok": PRICE,
        "cache_write_1h_usd_per_mtok": PRICE,
        "tiers": pl.String(),
        "hours": pl.String(),
        "context_tokens": pl.Int64(),
        "max_output": pl.Int64(),
        "accepts_schema": pl.Boolean(),
        "retires_on": pl.Date(),
    }
)
"""Prices: USD per million tokens; ``tiers`` and ``hours``: canonical JSON; ``observed_at``: when
the feed said so; ``recorded_at``: when this home learned it, which is what closed weeks go by."""

_NINE_PLACES: Final = Decimal("1e-9")
_LARGEST: Final = Decimal(10) ** 8
_LARGEST_COUNT: Final = 10**12
_LARGEST_EXPONENT: Final = 1000
_PART: Final = r"[A-Za-z0-9](?:[A-Za-z0-9._:+~-]*[A-Za-z0-9._+~-])?"
_ID: Final = re.compile(rf"(?=.{{1,200}}\Z)[@~]?{_PART}(?:[/@]{_PART})*")
_NAME: Final = re.compile(r"(?=.*\S)[^\W_][\w .,:;()+&'-]{0,199}")


@dataclass(frozen=True, slots=True)
class Offer:
    """What a feed says of one model, in our units: USD per million tokens, null where silent."""

    provider: str
    model: str
    name: str | None
    input_usd_per_mtok: Decimal | None
    output_usd_per_mtok: Decimal | None
    cache_read_usd_per_mtok: Decimal | None = None
    cache_write_5m_usd_per_mtok: Decimal | None = None
    cache_write_1h_usd_per_mtok: Decimal | None = None
    tiers: tuple[PriceTier, ...] = ()
    hours: str | None = None
    context_tokens: int | None = None
    max_output: int | None = None
    accepts_schema: bool | None = None
    retires_on: date | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a feed: its offers, and how many entries were left out for which reason."""

    offers: tuple[Offer, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)


def snapshot(
    source: str, offers: Iterable[Offer], observed_at: datetime, recorded_at: datetime
) -> pl.DataFrame:
    """Return one row for each offer in ``SCHEMA``, by provider and model, each pair once.

    Of two offers for one model the last one stands. Prices are rounded to nine places.
    """
    by_model = {(offer.provider, offer.model): offer for offer in offers}
    rows = [
        {
            **asdict(offer),
            **{
                column: price if price is None else _nine_places(price)
                for column in PRICE_COLUMNS
                for price in [getattr(offer, column)]
            },
            "tiers": tiers_text(offer.tiers),
            "source": source,
            "observed_at": observed_at,
            "recorded_at": recorded_at,
        }
        for _, offer in sorted(by_model.items())
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def tiers_text(tiers: Sequence[PriceTier]) -> str | None:
    """Return tiers as canonical JSON, None where there are none."""
    if not tiers:
        return None
    rows = [
        {
            name: _plain(value) if isinstance(value, Decimal) else value
            for name, value in asdict(tier).items()
        }
        for tier in sorted(tiers, key=lambda tier: tier.above_tokens)
    ]
    return canonical(rows)


def tiers_of(text: str | None) -> tuple[PriceTier, ...]:
    """Return the tiers that ``tiers_text`` wrote."""
    rows = json.loads(text) if text else []
    return tuple(
        PriceTier(
            above_tokens=row["above_tokens"],
            **{column: _decimal_or_none(row[column]) for column in PRICE_COLUMNS},
        )
        for row in rows
    )


def canonical(value: object) -> str:
    """Return a JSON value as one text, keys sorted; Decimals become texts."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)


def number(value: object) -> Decimal | None:
    """Return what a feed wrote as a price, None where it wrote none that can be held.

    Texts and JSON numbers count; booleans do not, nor what is not finite or beyond reckoning.
    """
    try:
        amount = Decimal(str(value))
    except ArithmeticError:
        return None
    return amount if amount.is_finite() and abs(amount.adjusted()) <= _LARGEST_EXPONENT else None


def count(value: object) -> int | None:
    """Return what a feed wrote as a number of tokens, None where it is no positive whole number."""
    amount = number(value)
    if amount is None or not 0 < amount <= _LARGEST_COUNT or amount != int(amount):
        return None
    return int(amount)


def model_id(value: object) -> str | None:
    """Return what a feed wrote as the id of a model or provider, None where it is no such thing.

    Words of a feed are published: an id is one to 200 plain signs, in parts that slashes divide.
    """
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def display_name(value: object) -> str | None:
    """Return what a feed wrote as the name of a model, None where it could be anything else."""
    return value if isinstance(value, str) and _NAME.fullmatch(value) else None


def day(value: object) -> date | None:
    """Return what a feed wrote as a date or time in ISO 8601, None where it wrote none."""
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def _nine_places(price: Decimal) -> Decimal:
    # What no price can be is kept as a bound, for the gates to refuse by name.
    return max(-_LARGEST, min(_LARGEST, price)).quantize(_NINE_PLACES, ROUND_HALF_EVEN)


def _plain(price: Decimal) -> str:
    held = _nine_places(price)
    return f"{held.normalize():f}"


def _decimal_or_none(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
