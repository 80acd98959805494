"""models.dev (``api.json``): prices of many providers, USD per million tokens.

An open catalogue (github.com/anomalyco/models.dev, MIT), partly kept by hand. It names no price
for one-hour cache writes.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from fleet_pipeline.errors import SourceError
from fleet_pipeline.pricing.feeds.documents import document, part
from fleet_pipeline.pricing.model_price import PriceTier
from fleet_pipeline.pricing.observations import Answer, Offer, count, display_name, model_id, number

SOURCE: Final = "models.dev"
URL: Final = "https://models.dev/api.json"

_KEYS: Final = {
    "input_usd_per_mtok": "input",
    "output_usd_per_mtok": "output",
    "cache_read_usd_per_mtok": "cache_read",
    "cache_write_5m_usd_per_mtok": "cache_write",
    "cache_write_1h_usd_per_mtok": "cache_write_1h",
}


def read(body: bytes) -> Answer:
    """Return the offers of one answer; raises SourceError where no provider lists a model."""
    offers: list[Offer] = []
    left_out: Counter[str] = Counter()
    for provider, model, entry in _entries(document(body)):
        cost = part(entry, "cost")
        if not cost:
            left_out["without prices"] += 1
            continue
        retired = entry.get("status") == "deprecated"
        left_out["deprecated"] += retired
        if retired:
            continue
        limit = part(entry, "limit")
        schema = entry.get("structured_output")
        offers.append(
            Offer(
                provider=provider,
                model=model,
                name=display_name(entry.get("name")),
                **_prices(cost),
                tiers=tuple(_tiers(cost)),
                hours=None,
                context_tokens=count(limit.get("context")),
                max_output=count(limit.get("output")),
                accepts_schema=schema if isinstance(schema, bool) else None,
                retires_on=None,
            )
        )
    if not offers:
        raise SourceError("the answer lists no model")
    return Answer(tuple(offers), {reason: n for reason, n in left_out.items() if n})


def _entries(
    providers: Mapping[str, object],
) -> Iterator[tuple[str, str, Mapping[str, object]]]:
    for provider, described in providers.items():
        for model, entry in part(described, "models").items():
            if isinstance(entry, Mapping) and model_id(provider) and model_id(model):
                yield provider, model, entry


def _prices(cost: Mapping[str, object]) -> dict[str, Decimal | None]:
    return {column: number(cost.get(key)) for column, key in _KEYS.items()}


def _tiers(cost: Mapping[str, object]) -> Iterator[PriceTier]:
    listed = cost.get("tiers")
    for tier in listed if isinstance(listed, list) else []:
        if isinstance(tier, Mapping) and (start := count(part(tier, "tier").get("size"))):
            yield PriceTier(above_tokens=start, **_prices({**cost, **tier}))
    above = part(cost, "context_over_200k")
    if above and not listed:
        yield PriceTier(above_tokens=200_000, **_prices({**cost, **above}))
