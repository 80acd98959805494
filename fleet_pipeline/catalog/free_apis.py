"""Free tiers: what the organisation wrote down, how old that is, and what fits into it.

Pure. A free tier's limits are nobody's promise: they hold for 30 days after somebody looked.
"""

from datetime import date, datetime, timedelta
from typing import Any, Final, Literal

import polars as pl

from fleet_pipeline.catalog.readings import FREE_APIS
from fleet_pipeline.org import FreeApi, Org, Packet

GOOD_FOR: Final = timedelta(days=30)
_MINUTES_PER_DAY: Final = 24 * 60

Freshness = Literal["verified", "stale", "not verified"]

_SCHEMA: Final = pl.Schema(
    {
        "provider": pl.String(),
        "requests_per_minute": pl.Int64(),
        "requests_per_day": pl.Int64(),
        "tokens_per_minute": pl.Int64(),
        "tokens_per_day": pl.Int64(),
        "limits_hold_for": pl.String(),
        "resets_in": pl.String(),
        "quota_signal": pl.String(),
        "requests_left": pl.Int64(),
        "quota_read_at": pl.Datetime("us", "UTC"),
        "left_told_by": pl.String(),
        "training_use": pl.String(),
        "verified_at": pl.Date(),
        "expires_on": pl.Date(),
        "freshness": pl.String(),
        "evidence": pl.String(),
        "evidence_url": pl.String(),
        "packet_tokens": pl.Int64(),
        "packets_per_day": pl.Int64(),
        "bound_by": pl.String(),
    }
)


def free_quotas(
    org: Org,
    as_of: date,
    quotas: pl.DataFrame,
    own_counts: pl.DataFrame | None = None,
    headers: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return the weekly table ``free_quotas``: one row for each free API of the organisation.

    ``packets_per_day``: how many of the organisation's packets the tightest known limit lets
    through in a day; null where no limit is known. ``quotas``: what providers said is left when
    they were asked, ``headers``: what they said beside an answer, of which the later word stands;
    ``own_counts``: what this home counted, which stands in where no provider spoke within the day
    before. All as they were known at the close.
    """
    told = _told(quotas, "provider")
    for provider, row in _told(headers, "headers").items():
        if provider not in told or told[provider]["observed_at"] <= row["observed_at"]:
            told[provider] = row
    for provider, row in _told(own_counts, "own count").items():
        said = told.get(provider)
        if said is None or said["observed_at"] < row["observed_at"] - timedelta(days=1):
            told[provider] = row
    rows = [_row(api, org.packet, as_of, told.get(api.provider)) for api in org.free_apis]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _told(quotas: pl.DataFrame | None, by: str) -> dict[str, dict[str, Any]]:
    rows = () if quotas is None else quotas.iter_rows(named=True)
    return {row["provider"]: {**row, "told_by": by} for row in rows}


def packets_per_day(
    api: FreeApi, packet: Packet, requests_per_day: int | None = None
) -> tuple[int | None, str | None]:
    """Return how many packets a day's allowance lets through, and the limit that bounds it.

    ``requests_per_day`` is the allowance that the provider itself told, where it did. A packet
    that is larger than a minute's tokens cannot be sent at all: 0. Rates per minute tighten a
    day's allowance and are none by themselves: without one the answer is not known.
    """
    limits, size = api.limits, packet.input_tokens + packet.output_tokens
    if limits.tokens_per_minute is not None and limits.tokens_per_minute < size:
        return 0, "tokens_per_minute"
    if requests_per_day is None:
        requests_per_day = limits.requests_per_day
    bounds = {
        "requests_per_day": requests_per_day,
        "tokens_per_day": limits.tokens_per_day and limits.tokens_per_day // size,
    }
    if all(bound is None for bound in bounds.values()):
        return None, None
    bounds |= {
        "tokens_per_minute": limits.tokens_per_minute
        and limits.tokens_per_minute // size * _MINUTES_PER_DAY,
        "requests_per_minute": limits.requests_per_minute
        and limits.requests_per_minute * _MINUTES_PER_DAY,
    }
    known = {name: bound for name, bound in bounds.items() if bound is not None}
    tightest = min(known, key=known.__getitem__)
    return known[tightest], tightest


def freshness(api: FreeApi, as_of: date) -> Freshness:
    """Say whether what was looked up is still to be relied on at ``as_of``."""
    if api.verified_at is None:
        return "not verified"
    return "stale" if as_of > api.verified_at + GOOD_FOR else "verified"


def as_noted(org: Org, at: datetime) -> pl.DataFrame:
    """Return the fields of free APIs that changes are told of, as text, in ``FREE_APIS``."""
    rows = [
        {
            "provider": api.provider,
            "observed_at": at,
            "recorded_at": at,
            "field": field,
            "value": None if value is None else str(value),
        }
        for api in org.free_apis
        for field, value in {
            **api.limits.model_dump(),
            "limits_hold_for": api.limits_hold_for,
            "resets_in": api.resets_in,
            "training_use": api.training_use,
        }.items()
    ]
    return pl.DataFrame(rows, schema=FREE_APIS, orient="row").sort("provider", "field")


def _row(
    api: FreeApi, packet: Packet, as_of: date, told: dict[str, Any] | None
) -> dict[str, object]:
    allowance = told["requests_per_day"] if told else None
    if allowance is None:
        allowance = api.limits.requests_per_day
    packets, bound_by = packets_per_day(api, packet, allowance)
    return {
        "provider": api.provider,
        **api.limits.model_dump(),
        "requests_per_day": allowance,
        "limits_hold_for": api.limits_hold_for,
        "resets_in": api.resets_in,
        "quota_signal": api.quota_signal,
        "requests_left": told["requests_left"] if told else None,
        "quota_read_at": told["observed_at"] if told else None,
        "left_told_by": told["told_by"] if told else None,
        "training_use": api.training_use,
        "verified_at": api.verified_at,
        "expires_on": api.verified_at and api.verified_at + GOOD_FOR,
        "freshness": freshness(api, as_of),
        "evidence": api.evidence,
        "evidence_url": api.evidence_url,
        "packet_tokens": packet.input_tokens + packet.output_tokens,
        "packets_per_day": packets,
        "bound_by": bound_by,
    }
