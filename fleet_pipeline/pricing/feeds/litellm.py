"""LiteLLM's ``model_prices_and_context_window.json``: floats, USD per single token.

MIT, kept in LiteLLM's repository. Read only where the organisation asks for it: it has not listed
OpenRouter's models since 2026.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from fleet_pipeline.errors import SourceError
from fleet_pipeline.pricing.feeds.documents import document
from fleet_pipeline.pricing.hours import MINUTES_PER_DAY, HourlyPrice, minute_of_day
from fleet_pipeline.pricing.model_price import PriceTier
from fleet_pipeline.pricing.observations import (
    Answer,
    Offer,
    canonical,
    count,
    day,
    model_id,
    number,
)

SOURCE: Final = "litellm"
URL: Final = (
    "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json"
)

_MILLION: Final = 1_000_000
_KEYS: Final = {
    "input_usd_per_mtok": "input_cost_per_token",
    "output_usd_per_mtok": "output_cost_per_token",
    "cache_read_usd_per_mtok": "cache_read_input_token_cost",
    "cache_write_5m_usd_per_mtok": "cache_creation_input_token_cost",
    "cache_write_1h_usd_per_mtok": "cache_creation_input_token_cost_above_1hr",
}
_ABOVE: Final = re.compile(r"_above_([0-9]{1,9})k_tokens$")


def read(body: bytes) -> Answer:
    """Return the offers of the file; raises SourceError where it lists no model."""
    offers: list[Offer] = []
    without = 0
    for key, entry in document(body).items():
        provider = model_id(entry.get("litellm_provider")) if isinstance(entry, Mapping) else None
        model = model_id(key.removeprefix(f"{provider}/"))
        if not isinstance(entry, Mapping) or provider is None or model is None:
            continue
        if number(entry.get("input_cost_per_token")) is None:
            without += 1
            continue
        schema = entry.get("supports_response_schema")
        off_peak = entry.get("off_peak_pricing")
        offers.append(
            Offer(
                provider=provider,
                model=model,
                name=None,
                **_prices(entry),
                tiers=_tiers(entry),
                hours=canonical(off_peak) if off_peak else None,
                context_tokens=count(entry.get("max_input_tokens")),
                max_output=count(entry.get("max_output_tokens")),
                accepts_schema=schema if isinstance(schema, bool) else None,
                retires_on=day(entry.get("deprecation_date")),
            )
        )
    if not offers:
        raise SourceError("the answer lists no model")
    return Answer(tuple(offers), {"without prices": without} if without else {})


def hours(model: str, told: object) -> tuple[HourlyPrice, ...]:
    """Return what ``off_peak_pricing`` asks; what cannot be understood asks nothing.

    One window ('16:30-00:30', UTC) beside its prices, or several under ``windows``, with weekdays
    from 1, which is Monday. It replaces the price of whatever tier a request reaches.
    """
    if not isinstance(told, Mapping):
        return ()
    stated = tuple((column, price) for column, price in _prices(told).items() if price is not None)
    listed = told.get("windows")
    found = []
    for window in listed if isinstance(listed, list) else [told]:
        if not isinstance(window, Mapping):
            continue
        start, _, end = str(window.get("hours_utc", "")).partition("-")
        first, last = minute_of_day(start.strip()), minute_of_day(end.strip())
        days = window.get("weekdays")
        weekdays = (
            frozenset(n for n in range(1, 8) if n in days) if isinstance(days, list) else None
        )
        if start and end and first is not None and last is not None and stated:
            found.append(HourlyPrice(first % MINUTES_PER_DAY, last, stated, weekdays))
    return tuple(found)


def _prices(entry: Mapping[str, object], above: str = "") -> dict[str, Decimal | None]:
    prices: dict[str, Decimal | None] = {}
    for column, key in _KEYS.items():
        price = number(entry.get(f"{key}{above}", entry.get(key)))
        prices[column] = None if price is None else price * _MILLION
    return prices


def _tiers(entry: Mapping[str, object]) -> tuple[PriceTier, ...]:
    starts = sorted({int(found[1]) for key in entry if (found := _ABOVE.search(str(key)))})
    return tuple(
        PriceTier(above_tokens=start * 1000, **_prices(entry, f"_above_{start}k_tokens"))
        for start in starts
    )
