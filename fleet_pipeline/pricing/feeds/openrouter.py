"""OpenRouter's list of models (``GET /api/v1/models``): decimal texts, USD per single token.

Fields as in a real answer of May 2026 and in the generated SDK (``openrouter`` 1.3 on PyPI).
Routers, which send a request on to a model of their choice, are listed at -1 and have no price.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from fleet_pipeline.errors import SourceError
from fleet_pipeline.pricing.feeds.documents import document, part
from fleet_pipeline.pricing.hours import MINUTES_PER_DAY, HourlyPrice, minute_of_day
from fleet_pipeline.pricing.model_price import PriceTier
from fleet_pipeline.pricing.observations import (
    Answer,
    Offer,
    canonical,
    count,
    day,
    display_name,
    model_id,
    number,
)

SOURCE: Final = "openrouter"
PROVIDER: Final = "openrouter"
URL: Final = "https://openrouter.ai/api/v1/models"

_MILLION: Final = 1_000_000
_KEYS: Final = {
    "input_usd_per_mtok": "prompt",
    "output_usd_per_mtok": "completion",
    "cache_read_usd_per_mtok": "input_cache_read",
    "cache_write_5m_usd_per_mtok": "input_cache_write",
    "cache_write_1h_usd_per_mtok": "input_cache_write_1h",
}
_WEEKDAYS: Final = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)
_SCHEMA_PARAMETERS: Final = {"structured_outputs"}
_STORAGE_IS_NO_WRITE: Final = "google/"
"""Google bills the hours that a cache is stored; its "write" price is no price of a write."""


def read(body: bytes) -> Answer:
    """Return the offers of one answer; raises SourceError where it is not a list of models."""
    entries = document(body).get("data")
    if not isinstance(entries, list) or not entries:
        raise SourceError("the answer lists no model")
    offers: list[Offer] = []
    left_out: Counter[str] = Counter()
    for entry in entries:
        model = model_id(entry.get("id")) if isinstance(entry, Mapping) else None
        prices = part(entry, "pricing")
        if model is None or not prices:
            left_out["nameless or without prices"] += 1
        elif number(prices.get("prompt")) == -1 and number(prices.get("completion")) == -1:
            left_out["router"] += 1
        else:
            offers.append(_offer(model, entry, prices))
    return Answer(tuple(offers), dict(left_out))


def hours(model: str, told: object) -> tuple[HourlyPrice, ...]:
    """Return what conditional prices ask at some hours; what cannot be understood asks nothing.

    ``told`` is what ``Offer.hours`` keeps. ``utc_start`` and ``utc_end`` are HHMM numbers, the end
    exclusive; without them an entry holds for the whole of its ``utc_days``.
    """
    found = []
    for one in told if isinstance(told, list) else []:
        if not isinstance(one, Mapping):
            continue
        start, end = minute_of_day(one.get("utc_start", 0)), minute_of_day(one.get("utc_end", 2400))
        days = one.get("utc_days")
        weekdays = None
        if isinstance(days, list):
            weekdays = frozenset(n for n, name in enumerate(_WEEKDAYS, 1) if name in days)
        prices = _prices(model, part(one, "pricing") or one)
        stated = tuple((column, price) for column, price in prices.items() if price is not None)
        if start is not None and end is not None and stated:
            above = count(one.get("min_prompt_tokens")) or 0
            found.append(HourlyPrice(start % MINUTES_PER_DAY, end, stated, weekdays, above))
    return tuple(found)


def _offer(model: str, entry: Mapping[str, object], prices: Mapping[str, object]) -> Offer:
    conditions = prices.get("overrides")
    overrides = (
        [one for one in conditions if isinstance(one, Mapping)]
        if isinstance(conditions, list)
        else []
    )
    hourly = [one for one in overrides if any(str(key).startswith("utc_") for key in one)]
    parameters = entry.get("supported_parameters")
    return Offer(
        provider=PROVIDER,
        model=model,
        name=display_name(entry.get("name")),
        **_prices(model, prices),
        tiers=_tiers(model, prices, [one for one in overrides if one not in hourly]),
        hours=canonical(hourly) if hourly else None,
        context_tokens=count(entry.get("context_length")),
        max_output=count(part(entry, "top_provider").get("max_completion_tokens")),
        accepts_schema=(
            not _SCHEMA_PARAMETERS.isdisjoint(map(str, parameters))
            if isinstance(parameters, list)
            else None
        ),
        retires_on=day(entry.get("expiration_date")),
    )


def _prices(model: str, listed: Mapping[str, object]) -> dict[str, Decimal | None]:
    prices = {column: _per_million(listed.get(key)) for column, key in _KEYS.items()}
    if model.startswith(_STORAGE_IS_NO_WRITE):
        prices["cache_write_5m_usd_per_mtok"] = None
    return prices


def _tiers(
    model: str, base: Mapping[str, object], overrides: Iterable[Mapping[str, object]]
) -> tuple[PriceTier, ...]:
    """Return long-context prices: above so many prompt tokens the named keys replace the base."""
    starts = sorted({start for one in overrides if (start := count(one.get("min_prompt_tokens")))})
    tiers = []
    for start in starts:
        listed = dict(base)
        for one in overrides:  # later entries win, key by key
            above = count(one.get("min_prompt_tokens"))
            if above is not None and above <= start:
                listed.update(part(one, "pricing") or one)
        tiers.append(PriceTier(above_tokens=start, **_prices(model, listed)))
    return tuple(tiers)


def _per_million(listed: object) -> Decimal | None:
    price = number(listed)
    return None if price is None else price * _MILLION
