"""Free tiers: how many packets fit into a day, how old the lookup is, what the provider says."""

import json
from datetime import UTC, date, datetime

import polars as pl
import pytest

from fleet_pipeline import catalog
from fleet_pipeline.catalog import quotas, readings
from fleet_pipeline.catalog.free_apis import packets_per_day
from fleet_pipeline.catalog.readings import QUOTAS
from fleet_pipeline.errors import SourceError
from fleet_pipeline.home import Home
from fleet_pipeline.org import FreeApi, FreeLimits, Org, Packet
from fleet_pipeline.org.lanes import Lane
from fleet_pipeline.packets import QuotaLedger, lanes_of, opened

PACKET = Packet(input_tokens=4000, output_tokens=1000)
NOTHING = pl.DataFrame(schema=QUOTAS)


def api(**limits: int) -> FreeApi:
    return FreeApi(
        provider="Some", best_lane="x", use_when="x", avoid_when="x", limits=FreeLimits(**limits)
    )


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"requests_per_day": 1000, "tokens_per_day": 200_000}, (40, "tokens_per_day")),
        ({"requests_per_day": 30, "tokens_per_day": 200_000}, (30, "requests_per_day")),
        ({"requests_per_day": 10**9, "requests_per_minute": 2}, (2880, "requests_per_minute")),
        ({"tokens_per_minute": 4999, "requests_per_day": 50}, (0, "tokens_per_minute")),
        ({"tokens_per_day": 4999}, (0, "tokens_per_day")),
        ({"requests_per_minute": 40}, (None, None)),
        ({}, (None, None)),
    ],
)
def test_the_tightest_known_limit_bounds_the_packets_of_a_day(
    limits: dict[str, int], expected: tuple[int | None, str | None]
) -> None:
    assert packets_per_day(api(**limits), PACKET) == expected


def test_what_the_provider_tells_of_the_account_outweighs_what_was_written_down() -> None:
    assert packets_per_day(api(requests_per_day=50), PACKET, 1000) == (1000, "requests_per_day")


def test_an_account_that_is_told_it_may_send_nothing_sends_nothing(org: Org) -> None:
    told = {"limit": 0, "used": 0, "remaining": 0}
    body = json.dumps({"data": {"free_model_daily_requests": told}}).encode()
    reading = quotas.read(body, datetime(2026, 6, 16, tzinfo=UTC))
    table = catalog.free_quotas(org, date(2026, 6, 17), reading)
    own = table.row(by_predicate=pl.col("provider") == quotas.OPENROUTER, named=True)
    assert (own["requests_per_day"], own["packets_per_day"]) == (0, 0)


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        (date(2026, 9, 2), "verified"),
        (date(2026, 10, 2), "verified"),
        (date(2026, 10, 3), "stale"),
    ],
)
def test_a_lookup_is_stale_after_thirty_days(org: Org, as_of: date, expected: str) -> None:
    table = catalog.free_quotas(org, as_of, NOTHING)
    groq = table.row(by_predicate=pl.col("provider") == "Groq free", named=True)
    assert (groq["freshness"], groq["expires_on"]) == (expected, date(2026, 10, 2))


def test_every_free_api_of_the_example_says_when_and_how_it_was_looked_up(org: Org) -> None:
    assert [api.provider for api in org.free_apis if api.verified_at is None] == []
    assert [api.provider for api in org.free_apis if api.evidence == "none"] == []


def test_openrouters_own_word_of_the_days_quota_is_read() -> None:
    body = b'{"data": {"free_model_daily_requests": {"limit": 1000, "used": 12, "remaining": 988}}}'
    [row] = quotas.read(body, datetime(2026, 6, 16, 3, tzinfo=UTC)).to_dicts()
    assert (row["requests_per_day"], row["requests_used"], row["requests_left"]) == (1000, 12, 988)


@pytest.mark.parametrize(
    "body",
    [
        b'{"data": {}}',
        b'{"data": {"free_model_daily_requests": {"limit": -1, "remaining": 3}}}',
        b"<html>",
    ],
)
def test_an_answer_without_a_quota_is_no_reading(body: bytes) -> None:
    with pytest.raises(SourceError):
        quotas.read(body, datetime(2026, 6, 16, tzinfo=UTC))


def test_what_no_provider_tells_is_counted_and_a_closed_week_keeps_its_count(
    home: Home, org: Org
) -> None:
    lane = Lane(name="g", base_url="https://g.test/v1", model="m", free=True, free_api="Groq free")
    org = org.model_copy(update={"lanes": (lane,)})
    close = date(2026, 6, 17)

    def sweep(at: datetime, packets: int) -> None:
        with opened(home) as connection:
            for _ in range(packets):
                QuotaLedger(connection).begin(lanes_of(org)[0], "sha", 1, at)
        catalog.run(home, org, at, offline=True)

    def row() -> tuple[object, ...]:
        counted = readings.newest(home, "own_counts", close)
        table = catalog.free_quotas(org, close, NOTHING, counted).filter(provider="Groq free")
        return table.select("requests_left", "quota_read_at", "left_told_by").row(0)

    sweep(datetime(2026, 6, 15, 12, tzinfo=UTC), 1)
    sweep(at := datetime(2026, 6, 16, 12, tzinfo=UTC), 3)
    known = row()
    assert known == (997, at, "own count")
    sweep(datetime(2026, 6, 17, 12, tzinfo=UTC), 5)
    assert row() == known


def test_the_providers_word_of_the_day_outweighs_the_own_count(org: Org) -> None:
    def reading(day: int, left: int) -> pl.DataFrame:
        at = datetime(2026, 6, day, 3, tzinfo=UTC)
        rows = [("Groq free", at, at, 1000, 1000 - left, left)]
        return pl.DataFrame(rows, schema=QUOTAS, orient="row")

    def left(told_on: int) -> int:
        table = catalog.free_quotas(org, date(2026, 6, 17), reading(told_on, 9), reading(16, 8))
        return int(table.filter(provider="Groq free")["requests_left"].item())

    assert (left(15), left(14)) == (9, 8)
