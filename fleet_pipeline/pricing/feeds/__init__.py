"""Price feeds: one adapter for each, bytes in, offers in our units out.

Belongs here: what a feed's fields mean, and fetching its bytes. Nothing here decides whether a
price is believed.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.pricing.feeds import litellm, models_dev, openrouter
from fleet_pipeline.pricing.hours import HourlyPrice
from fleet_pipeline.pricing.observations import Answer

Read = Callable[[bytes], Answer]

READERS: Final[Mapping[str, Read]] = {
    openrouter.SOURCE: openrouter.read,
    models_dev.SOURCE: models_dev.read,
    litellm.SOURCE: litellm.read,
}
"""By source, most trusted first: where two list one model, the first is asked."""

_HOURS: Final[Mapping[str, Callable[[str, object], tuple[HourlyPrice, ...]]]] = {
    openrouter.SOURCE: openrouter.hours,
    litellm.SOURCE: litellm.hours,
}
_URLS: Final = {
    openrouter.SOURCE: openrouter.URL,
    models_dev.SOURCE: models_dev.URL,
    litellm.SOURCE: litellm.URL,
}


@dataclass(frozen=True, slots=True)
class Feed:
    """A price feed and where it is fetched from."""

    source: str
    url: str

    def read(self, body: bytes) -> Answer:
        """Return what an answer offers; raises SourceError where it cannot be understood."""
        return READERS[self.source](body)


def feed(source: str, url: str | None = None) -> Feed:
    """Return the feed of that name; raises ConfigurationError where nobody can read it."""
    if source not in READERS:
        raise ConfigurationError(
            f"there is no price feed {source!r}; choose from {', '.join(READERS)}"
        )
    return Feed(source, url or _URLS[source])


def hourly_prices(source: str, model: str, told: str | None) -> tuple[HourlyPrice, ...]:
    """Return the prices for hours of the day that a feed told in its own words."""
    if told is None or source not in _HOURS:
        return ()
    return _HOURS[source](model, json.loads(told, parse_float=Decimal))


def origin(source: str, provider: str) -> str:
    """Return whose word a source passes on for a provider; two of one origin confirm nothing.

    models.dev copies OpenRouter's own list for that provider, its faults included.
    """
    copied = provider == openrouter.PROVIDER and source == models_dev.SOURCE
    return openrouter.SOURCE if copied else source
