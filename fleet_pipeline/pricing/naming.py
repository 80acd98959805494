"""A model by the name that a person gives it: with its price list, or without.

Belongs here: which price list a bare name means. The lists themselves do not belong here.
"""

from collections.abc import Iterator
from datetime import date
from typing import Final

from fleet_pipeline.pricing.book import EMBEDDED, PriceBook
from fleet_pipeline.pricing.model_price import ModelPrice

_MAKERS: Final = ("anthropic", "openai", "google")
_MARKET: Final = "openrouter"


def find_called(name: str, at: date, book: PriceBook = EMBEDDED) -> ModelPrice | None:
    """Return the price at ``at`` (UTC) of the model that ``name`` means, or None.

    'z-ai/glm-5.2' is OpenRouter's own id, 'openrouter/z-ai/glm-5.2' says so, 'claude-sonnet-4-6'
    is found with its maker. A name that says its price list means that list before any other.
    """
    prices = (book.find(provider, model, at) for provider, model in _readings(name))
    return next((price for price in prices if price is not None), None)


def require_called(name: str, at: date, book: PriceBook = EMBEDDED) -> ModelPrice:
    """Return what ``find_called`` returns; PriceError with the nearest names where it is unknown.

    The nearest are those of OpenRouter, which lists most models.
    """
    return find_called(name, at, book) or book.require(*list(_readings(name))[-1], at)


def _readings(name: str) -> Iterator[tuple[str, str]]:
    provider, slash, model = name.partition("/")
    if slash:
        yield provider, model
    else:
        yield from ((maker, name) for maker in _MAKERS)
    yield _MARKET, name
