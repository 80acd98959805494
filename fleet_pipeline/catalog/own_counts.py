"""What is left of free quotas as the packets' quota ledger knows it: told by headers, or counted.

Requests that others send under the same key are in what a provider's headers say, and not in the
count, which is then the most that can be left.
"""

from datetime import datetime

import polars as pl

from fleet_pipeline.catalog.readings import QUOTAS
from fleet_pipeline.home import Home
from fleet_pipeline.org import Org
from fleet_pipeline.packets.lanes import lanes_of
from fleet_pipeline.packets.quota import QuotaLedger, day_of
from fleet_pipeline.packets.rate_limits import is_of_a_day
from fleet_pipeline.packets.store import database, opened


def counted(home: Home, org: Org, now: datetime) -> pl.DataFrame:
    """Return a row in ``QUOTAS`` for each free API that a lane with a day's limit draws on.

    The day is that of ``now`` where the allowance begins anew. Where models have allowances of
    their own, the one with the least left is told. Raises what ``packets.store.opened`` does.
    """
    limited = [lane for lane in lanes_of(org) if lane.free_api and lane.limits.requests_per_day]
    if not limited or not database(home).exists():
        return pl.DataFrame(schema=QUOTAS)
    rows: dict[str, dict[str, object]] = {}
    with opened(home) as connection:
        ledger = QuotaLedger(connection)
        left: dict[str, int] = {}
        for lane in limited:
            limit = lane.limits.requests_per_day or 0
            used = ledger.requests_on(lane.allowance, day_of(now, lane.resets_in)[0])
            provider = str(lane.free_api)
            if provider in left and left[provider] <= max(limit - used, 0):
                continue
            left[provider] = max(limit - used, 0)
            rows[provider] = {
                "provider": provider,
                "observed_at": now,
                "recorded_at": now,
                "requests_per_day": limit,
                "requests_used": used,
                "requests_left": left[provider],
            }
    return pl.DataFrame([rows[name] for name in sorted(rows)], schema=QUOTAS, orient="row")


def told_by_headers(home: Home, org: Org, now: datetime) -> pl.DataFrame:
    """Return a row in ``QUOTAS`` for each free API whose headers spoke of a day's requests.

    ``observed_at`` is when they did, with the last packet that was sent. Where several allowances
    were told, the one with the least left stands. Raises what ``packets.store.opened`` does.
    """
    rows: dict[str, dict[str, object]] = {}
    if not database(home).exists():
        return pl.DataFrame(schema=QUOTAS)
    with opened(home) as connection:
        ledger = QuotaLedger(connection)
        told = [
            (str(lane.free_api), told.at, told.limit)
            for lane in lanes_of(org)
            if lane.free_api
            for told in ledger.told_on(lane.allowance)
            if is_of_a_day(told.limit, told.at, lane.limits)
        ]
    for provider, at, limit in sorted(told, key=lambda each: (-each[2].remaining, each[1])):
        rows[provider] = {
            "provider": provider,
            "observed_at": at,
            "recorded_at": now,
            "requests_per_day": limit.limit,
            "requests_used": None if limit.limit is None else limit.limit - limit.remaining,
            "requests_left": limit.remaining,
        }
    return pl.DataFrame([rows[name] for name in sorted(rows)], schema=QUOTAS, orient="row")
