"""Prices from the data that the ``genai-prices`` package carries: dated, tiered, offline.

Belongs here: reading that one source. Its updater is never started, so the same version of the
package always gives the same price. Limits of the source (2026-11): the first price it saw has no
start date, and OpenRouter's history is coarse, so a past week may differ from what was billed.
"""

import re
from collections.abc import Iterable
from datetime import date, time, timedelta
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from fleet_pipeline.pricing.hours import MINUTES_PER_DAY, HourlyPrice
from fleet_pipeline.pricing.model_price import ModelPrice, PriceTier

if TYPE_CHECKING:
    from genai_prices import types as genai

SOURCE = f"genai-prices {version('genai-prices')}"

_ZERO = Decimal(0)

# The names that the package gives to our classes of tokens.
_PRICE_KEYS = {
    "input_usd_per_mtok": "input_mtok",
    "output_usd_per_mtok": "output_mtok",
    "cache_read_usd_per_mtok": "cache_read_mtok",
    "cache_write_5m_usd_per_mtok": "cache_write_mtok",
    "cache_write_1h_usd_per_mtok": "cache_write_1h_mtok",
}


@cache
def find(provider: str, model: str, at: date) -> ModelPrice | None:
    """Return the price of ``model`` in force at ``at`` (UTC), or None where it is unknown.

    ``provider`` is the package's id ('anthropic', 'openai', 'openrouter'). Claude models resolve
    under Bedrock's and Vertex's spellings too, at Anthropic's own list price. An entry without
    prices is free only when its id ends in ':free'; any other empty or all-zero entry is unknown.
    """
    listed = _listed_model(provider, model)
    if listed is None:
        return None
    prices, effective_from, by_hour = _in_force(listed, at)
    classes = {field: getattr(prices, key) for field, key in _PRICE_KEYS.items()}
    known = {field: price for field, price in classes.items() if price is not None}
    is_free = listed.id.endswith(":free") and not known
    if is_free:
        classes = dict.fromkeys(classes, _ZERO)
    elif all(_base(price) == 0 for price in known.values()):
        # Feeds have shown paid models at zero for half a day: not a price to build on.
        return None
    return ModelPrice(
        provider=provider,
        model=model,
        name=listed.name or listed.id,
        **{field: _base(price) for field, price in classes.items()},
        context_tokens=listed.context_window,
        max_output=None,  # the package does not list it
        source=SOURCE,
        effective_from=effective_from,
        at=at,
        is_free=is_free,
        tiers=tuple(
            PriceTier(
                above_tokens=start,
                **{field: _above(price, start) for field, price in classes.items()},
            )
            for start in _tier_starts(classes.values())
        ),
        seen_on=None,
        hours=None,
        by_hour=by_hour,
    )


def model_ids(provider: str) -> list[str]:
    """Return the ids of all models that the package lists for ``provider``."""
    listed = _providers().get(provider)
    return sorted(model.id for model in listed.models) if listed else []


def starts(provider: str, model: str) -> list[date]:
    """Return the days from which the package knows another price of ``model``, ascending."""
    from genai_prices import types as genai

    listed = _listed_model(provider, model)
    dated = [] if listed is None or isinstance(listed.prices, genai.ModelPrice) else listed.prices
    return sorted(
        price.constraint.start_date
        for price in dated
        if isinstance(price.constraint, genai.StartDateConstraint)
    )


def spelling(provider: str, model: str) -> str:
    """Return the provider's own spelling of a model that a cloud names its own way."""
    return _anthropic_spelling(model) if provider == "anthropic" else model


@cache
def _providers() -> "dict[str, genai.Provider]":
    # Imported late: 30,000 lines that commands without a price need not load.
    from genai_prices.data import providers

    return {provider.id: provider for provider in providers}


def _listed_model(provider: str, model: str) -> "genai.ModelInfo | None":
    listed = _providers().get(provider)
    if listed is None:
        return None
    return listed.find_model(spelling(provider, model))


def _anthropic_spelling(model: str) -> str:
    """Return Anthropic's own spelling of a Claude model that a cloud names its own way.

    'us.anthropic.claude-sonnet-4-5-20250929-v1:0' (Bedrock), 'vertex_ai/claude-opus-5@20260601'
    (Vertex) and 'claude-sonnet-4-6[1m]' (Claude Code's long context) are the same models.
    """
    name = model.lower()
    name = name[max(name.find("claude-"), 0) :]
    name = re.sub(r"\[1m\]$|@(default|latest)$|-v\d+(:\d+)?$", "", name)
    return name.replace("@", "-")


def _in_force(
    listed: "genai.ModelInfo", at: date
) -> "tuple[genai.ModelPrice, date | None, tuple[HourlyPrice, ...]]":
    """Return the last listed price that has started by ``at``, since when, and its hourly prices.

    Prices for hours of the day hold with the one that they follow in the list: the package does not
    say since when.
    """
    from genai_prices import types as genai

    if isinstance(listed.prices, genai.ModelPrice):
        return listed.prices, None, ()
    by_hour: list[HourlyPrice] = []
    for dated in reversed(listed.prices):
        match dated.constraint:
            case genai.TimeOfDateConstraint(start_time=start, end_time=end):
                stated = (
                    (field, _base(getattr(dated.prices, key))) for field, key in _PRICE_KEYS.items()
                )
                known = tuple((field, price) for field, price in stated if price is not None)
                by_hour.insert(0, HourlyPrice(_minute(start), _minute(end), known))
            case genai.StartDateConstraint(start_date=first) if first > at:
                by_hour.clear()
            case genai.StartDateConstraint(start_date=first):
                return dated.prices, first, tuple(by_hour)
            case _:
                return dated.prices, None, tuple(by_hour)
    return listed.prices[0].prices, None, ()


def _minute(clock: time) -> int:
    """Return the minute of the UTC day that the package names, in whatever zone it does."""
    offset = clock.utcoffset() or timedelta()
    minutes = clock.hour * 60 + clock.minute - int(offset.total_seconds() // 60)
    return minutes % MINUTES_PER_DAY


def _base(price: "Decimal | genai.TieredPrices | None") -> Decimal | None:
    return price if price is None or isinstance(price, Decimal) else price.base


def _above(price: "Decimal | genai.TieredPrices | None", start: int) -> Decimal | None:
    """Return the price of a request whose full input is just above ``start`` tokens."""
    if price is None or isinstance(price, Decimal):
        return price
    reached = [tier.price for tier in price.tiers if tier.start <= start]
    return reached[-1] if reached else price.base


def _tier_starts(prices: "Iterable[Decimal | genai.TieredPrices | None]") -> list[int]:
    return sorted(
        {
            tier.start
            for price in prices
            if price is not None and not isinstance(price, Decimal)
            for tier in price.tiers
        }
    )
