"""The ``prices``, ``changes`` and free tiers of ``page.json``: how old, how sure, what moved.

Belongs here: choosing and naming figures of the sweep's tables. Prices themselves stand beside what
they price.
"""

from collections.abc import Mapping

import polars as pl

from fleet_pipeline import quality
from fleet_pipeline.org import Org

Record = dict[str, object]
Tables = Mapping[str, pl.DataFrame]

_FREE_TIER = (
    "requests_per_minute",
    "requests_per_day",
    "tokens_per_minute",
    "tokens_per_day",
    "limits_hold_for",
    "resets_in",
    "quota_signal",
    "requests_left",
    "quota_read_at",
    "left_told_by",
    "training_use",
    "verified_at",
    "expires_on",
    "freshness",
    "evidence",
    "evidence_url",
    "packet_tokens",
    "packets_per_day",
    "bound_by",
)


def price_facts(tables: Tables) -> Record:
    """Return the age of what prices come from, and what feeds say that is not believed.

    ``age_days`` is that of the freshest feed; null where no feed was heard by the week's close.
    ``ranking_withheld`` says why there is no ranking, null where there is one.
    """
    sources = tables["price_sources"]
    ages = [days for days in sources["age_days"].to_list() if days is not None]
    too_old = quality.prices_are_too_old(sources)
    return {
        "basis": "feeds" if ages else "package",
        "age_days": min(ages, default=None),
        "sources": sources.to_dicts(),
        "held": tables["changes"].filter(kind="held").drop("kind", "before").to_dicts(),
        "ranking_withheld": f"the newest prices are {min(ages)} days old" if too_old else None,
    }


def change_records(changes: pl.DataFrame, *, ranked: bool) -> list[Record]:
    """Return what changed since the week before, one record for each field.

    A page that is not ``ranked``, its prices being too old, tells no change of place either.
    """
    told = changes if ranked else changes.filter(pl.col("kind") != "place")
    return told.to_dicts()


def availability_badges(row: Mapping[str, object]) -> list[str]:
    """Return what to know of a candidate before relying on it, from its ``model_catalog`` row."""
    found = {
        "no longer listed": row["status"] == "gone",
        "no endpoint up": row["endpoints"] and not row["endpoints_up"],
        "schema by prompt only": row["accepts_schema"] is False,
        "trains on packets": row["training_use"] == "yes",
    }
    return [badge for badge, holds in found.items() if holds]


def free_api_catalog(org: Org, free_quotas: pl.DataFrame) -> list[Record]:
    """Return the organisation's free APIs with their limits, their age, and what fits in a day."""
    tiers = {row["provider"]: row for row in free_quotas.iter_rows(named=True)}
    return [
        {
            "provider": api.provider,
            "best_lane": api.best_lane,
            "use_when": api.use_when,
            "avoid_when": api.avoid_when,
            **{name: tiers.get(api.provider, {}).get(name) for name in _FREE_TIER},
        }
        for api in org.free_apis
    ]
