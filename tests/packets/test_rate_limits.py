"""What a provider's headers say of an allowance is read, dated, and believed only if it can be."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from fleet_pipeline import catalog
from fleet_pipeline.catalog import own_counts, readings
from fleet_pipeline.home import Home
from fleet_pipeline.org import FreeApi, FreeLimits, Lane, LaneLimits, Org, load
from fleet_pipeline.packets import QuotaLedger, Run, lanes_of, opened
from fleet_pipeline.packets.quota import Exhausted
from fleet_pipeline.packets.rate_limits import ToldLimit, is_of_a_day, told_limits

from ..catalog.conftest import ORG
from ..local_server import LocalServer
from .conftest import NOW, lane, packet

Send = Callable[..., Run]
GROQ = {
    "x-ratelimit-limit-requests": "1000",
    "x-ratelimit-remaining-requests": "997",
    "x-ratelimit-reset-requests": "4m19.2s",
    "x-ratelimit-limit-tokens": "8000",
    "x-ratelimit-remaining-tokens": "7903",
    "x-ratelimit-reset-tokens": "727.5ms",
}


def test_requests_and_tokens_are_told_apart() -> None:
    requests, tokens = told_limits(GROQ)
    assert requests == ToldLimit("requests", None, 997, 1000, timedelta(minutes=4, seconds=19.2))
    assert tokens == ToldLimit("tokens", None, 7903, 8000, timedelta(milliseconds=727.5))


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        (
            {"X-RateLimit-Limit": "50", "X-RateLimit-Remaining": "0",
             "X-RateLimit-Reset": "1781740800000"},
            ToldLimit("requests", None, 0, 50, datetime(2026, 6, 18, tzinfo=UTC)),
        ),
        (
            {"x-ratelimit-remaining-requests-day": "14", "x-ratelimit-limit-requests-day": "100"},
            ToldLimit("requests", "day", 14, 100),
        ),
        (
            {"x-ratelimitbysize-remaining-minute": "490000", "ratelimitbysize-reset": "37"},
            ToldLimit("tokens", "minute", 490_000, None, timedelta(seconds=37)),
        ),
        (
            {"RateLimit-Limit": "10", "RateLimit-Remaining": "9", "RateLimit-Reset": "5"},
            ToldLimit("requests", None, 9, 10, timedelta(seconds=5)),
        ),
    ],
    ids=["OpenRouter", "Cerebras", "Mistral", "IETF draft"],
)  # fmt: skip
def test_each_providers_way_of_saying_it_is_read(headers: dict[str, str], told: ToldLimit) -> None:
    assert told_limits(headers) == (told,)


@pytest.mark.parametrize(
    "remaining",
    ["", "-1", "many", "1.5", "1e3", "nan", "\uff17", "9" * 17, "1000000000001", "11", "5, 3"],
)
def test_an_amount_that_no_meter_shows_is_no_reading(remaining: str) -> None:
    headers = {"x-ratelimit-limit-requests": "10", "x-ratelimit-remaining-requests": remaining}
    assert told_limits(headers) == ()


@pytest.mark.parametrize("limit", [None, "", "-5", "unlimited"])
def test_a_limit_that_is_not_told_leaves_what_is_left(limit: str | None) -> None:
    headers = {"x-ratelimit-remaining-requests": "7"}
    headers |= {} if limit is None else {"x-ratelimit-limit-requests": limit}
    assert told_limits(headers) == (ToldLimit("requests", None, 7),)


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [
        ("0", 0), ("60", 60), ("7.66", 7.66), ("1s", 1), ("1m30s", 90), ("2m59.56s", 179.56),
        ("6h0m", 21_600), ("1d2h", 93_600), ("120ms", 0.12), ("2s500ms", 2.5),
        (str(int(NOW.timestamp()) + 40), 40), (str(int(NOW.timestamp() + 40) * 1000), 40),
        ("2026-06-17T12:00:40Z", 40), ("2026-06-17T14:00:40+02:00", 40),
    ],
)  # fmt: skip
def test_a_reset_is_understood_in_each_way_of_saying_it(reset: str, seconds: float) -> None:
    [told] = told_limits({"x-ratelimit-remaining": "1", "x-ratelimit-reset": reset})
    at = told.resets_at(NOW)
    assert at is not None
    assert (at - NOW).total_seconds() == pytest.approx(seconds)


@pytest.mark.parametrize(
    "reset",
    [
        "", "soon", "-30", "-1m", "1m 30s", "s", "1e9", "2026-06-17T12:00:40",
        "2026-06-16T12:00:00Z", str(int(NOW.timestamp()) - 40), "5000000", "99999999999999999",
        "9999999999999999", "9" * 30 + "d", "40d",
        "99999999d", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59",
    ],
)  # fmt: skip
def test_a_reset_that_cannot_be_is_unknown(reset: str) -> None:
    [told] = told_limits({"x-ratelimit-remaining": "1", "x-ratelimit-reset": reset})
    assert told.resets_at(NOW) is None


DAY, MINUTE = LaneLimits(requests_per_day=1000), LaneLimits(requests_per_minute=20)
BOTH = LaneLimits(requests_per_day=50, requests_per_minute=20)


@pytest.mark.parametrize(
    ("told", "limits", "is_day"),
    [
        (ToldLimit("requests", "day", 1), MINUTE, True),
        (ToldLimit("requests", "minute", 1, 1000), DAY, False),
        (ToldLimit("tokens", "day", 1), DAY, False),
        (ToldLimit("requests", None, 1, 14_400), DAY, True),
        (ToldLimit("requests", None, 1, 30), DAY, False),
        (ToldLimit("requests", None, 1, 50), BOTH, True),
        (ToldLimit("requests", None, 1, 20), BOTH, False),
        (ToldLimit("requests", None, 1), DAY, True),
        (ToldLimit("requests", None, 1), BOTH, False),
        (ToldLimit("requests", None, 1, 20), MINUTE, False),
        (ToldLimit("requests", None, 1, 1000, timedelta(hours=9)), BOTH, True),
        (ToldLimit("requests", None, 1, 1000, timedelta(days=9)), BOTH, False),
    ],
)
def test_a_day_is_told_from_a_minute_by_name_reset_or_size(
    told: ToldLimit, limits: LaneLimits, is_day: bool
) -> None:
    assert is_of_a_day(told, NOW, limits) is is_day


def test_nothing_is_sent_into_an_allowance_that_the_provider_calls_empty(
    server: LocalServer, send: Send
) -> None:
    server.headers = {**GROQ, "x-ratelimit-remaining-requests": "0"}
    there = lane(server)
    assert send(packet(), there).state == "answered"
    made = send(packet(), there, at=NOW + timedelta(minutes=4))
    says = "by its provider's word 0 requests are left until 12:04 UTC"
    assert (made.state, dict(made.passed_over)) == ("waiting", {"local": says})
    assert made.not_before == NOW + timedelta(minutes=4, seconds=19.2)
    assert len(server.asked) == 1
    assert send(packet(), there, at=NOW + timedelta(minutes=5)).state == "answered"


def test_a_lane_that_rests_for_days_says_until_which(server: LocalServer, send: Send) -> None:
    server.status, server.headers = [429], {"Retry-After": "172800"}
    there = lane(server)
    send(packet(), there)
    [says] = send(packet(), there, at=NOW + timedelta(minutes=1)).passed_over.values()
    assert says == "it could not answer, and is left alone until 2026-06-19 12:00 UTC"


def test_what_was_sent_since_counts_against_what_was_left(
    server: LocalServer, ledger: QuotaLedger, send: Send
) -> None:
    server.headers = {**GROQ, "x-ratelimit-remaining-requests": "1"}
    there = lane(server)
    send(packet(), there)
    assert isinstance(ledger.begin(there, "lost", 10, NOW), int)
    assert isinstance(ledger.begin(there, "too many", 10, NOW), Exhausted)


def test_a_packet_larger_than_the_tokens_that_are_left_waits(
    server: LocalServer, ledger: QuotaLedger, send: Send
) -> None:
    server.headers = {
        **GROQ,
        "x-ratelimit-remaining-tokens": "40",
        "x-ratelimit-reset-tokens": "9s",
    }
    there = lane(server)
    send(packet(), there)
    assert isinstance(ledger.begin(there, "a", 41, NOW), Exhausted)
    assert isinstance(ledger.begin(there, "b", 40, NOW), int)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-ratelimit-remaining-requests": "none", "x-ratelimit-reset-requests": "1h"},
        {"x-ratelimit-remaining-requests": "-1", "x-ratelimit-reset-requests": "1h"},
        {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "never"},
        {"x-ratelimit-remaining-requests": "0"},
    ],
    ids=["missing", "garbage", "negative", "no time", "no reset"],
)
def test_headers_that_say_nothing_stop_nothing(
    server: LocalServer, send: Send, headers: dict[str, str]
) -> None:
    server.headers = headers
    there = lane(server)
    assert [send(packet(), there).state for _ in range(2)] == ["answered", "answered"]


@pytest.fixture
def groq(server: LocalServer) -> Iterator[Org]:
    limits = FreeLimits(requests_per_day=1000, tokens_per_minute=8000)
    api = FreeApi(
        provider="Groq free", best_lane="x", use_when="x", avoid_when="x", limits=limits,
        limits_hold_for="organisation", quota_signal="headers",
    )  # fmt: skip
    there: Lane = lane(server, free_api="Groq free")
    yield load(ORG).model_copy(update={"lanes": (there,), "free_apis": (api,)})


CLOSE = date(2026, 6, 18)


def _left(home: Home, org: Org) -> tuple[object, ...]:
    told, counted, headers = (
        readings.newest(home, kind, CLOSE) for kind in ("quotas", "own_counts", "headers")
    )
    table = catalog.free_quotas(org, CLOSE, told, counted, headers)
    return table.select(
        "requests_per_day", "requests_left", "quota_read_at", "left_told_by"
    ).row(0)  # fmt: skip


def test_the_catalogue_has_what_the_headers_said_and_when(
    home: Home, groq: Org, server: LocalServer, send: Send
) -> None:
    server.headers = {**GROQ, "x-ratelimit-limit-requests": "14400"}
    send(packet(), *lanes_of(groq))
    catalog.run(home, groq, NOW + timedelta(hours=1), offline=True)
    assert _left(home, groq) == (14_400, 997, NOW, "headers")


@pytest.mark.parametrize("remaining", ["garbage", "-3", "20000"])
def test_without_a_reading_the_own_count_stands(
    home: Home, groq: Org, server: LocalServer, send: Send, remaining: str
) -> None:
    server.headers = {**GROQ, "x-ratelimit-remaining-requests": remaining}
    send(packet(), *lanes_of(groq))
    swept = NOW + timedelta(hours=1)
    catalog.run(home, groq, swept, offline=True)
    assert _left(home, groq) == (1000, 999, swept, "own count")


def test_a_word_of_days_ago_gives_way_to_the_own_count(
    home: Home, groq: Org, server: LocalServer, send: Send
) -> None:
    server.headers = GROQ
    send(packet(), *lanes_of(groq), at=NOW - timedelta(days=2))
    catalog.run(home, groq, NOW, offline=True)
    assert _left(home, groq) == (1000, 1000, NOW, "own count")


def test_a_database_of_before_learns_what_headers_say(home: Home, groq: Org) -> None:
    with opened(home) as database:
        database.execute("drop table told_limits")
        database.execute("pragma user_version = 1")
    assert own_counts.told_by_headers(home, groq, NOW).is_empty()
