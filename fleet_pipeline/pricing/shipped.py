"""The snapshot that ships with the package: OpenRouter's list as it stood in mid-May 2026.

Read out of a real answer of ``GET /api/v1/models`` that is committed in the history of
github.com/anomalyco/models.dev (MIT): the models of a common kind, prices and limits only. Asked
last: it is old, and says so. Belongs here: reading that one file.
"""

from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final

from fleet_pipeline.pricing import gates
from fleet_pipeline.pricing.feeds import hourly_prices, openrouter
from fleet_pipeline.pricing.model_price import PRICE_COLUMNS, ModelPrice
from fleet_pipeline.pricing.observations import Offer

TAKEN_ON: Final = date(2026, 5, 12)
"""The day on which its newest model was listed; it was committed within three days of that."""
SOURCE: Final = f"openrouter list of {TAKEN_ON}, shipped"
FILE: Final = "openrouter-2026-05-12.json"


def find(provider: str, model: str, at: date) -> ModelPrice | None:
    """Return a shipped price; None before its day, and for what is not in it."""
    offer = offers().get(model) if provider == openrouter.PROVIDER and at >= TAKEN_ON else None
    if offer is None:
        return None
    return ModelPrice(
        provider=provider,
        model=model,
        name=offer.name or model,
        **{column: getattr(offer, column) for column in PRICE_COLUMNS},
        context_tokens=offer.context_tokens,
        max_output=offer.max_output,
        source=SOURCE,
        effective_from=TAKEN_ON,
        at=at,
        is_free=gates.declared_free(model),
        tiers=offer.tiers,
        seen_on=TAKEN_ON,
        hours=offer.hours,
        by_hour=hourly_prices(openrouter.SOURCE, model, offer.hours),
    )


def model_ids(provider: str) -> list[str]:
    """Return the ids of the models in it, none for any provider but OpenRouter."""
    return sorted(offers()) if provider == openrouter.PROVIDER else []


@cache
def offers() -> dict[str, Offer]:
    """Return what the snapshot offers, by model."""
    body = files("fleet_pipeline.pricing").joinpath("data", FILE).read_bytes()
    return {offer.model: offer for offer in openrouter.read(body).offers}
