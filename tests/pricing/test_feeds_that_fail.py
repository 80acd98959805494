"""Each fault of a feed leads to the promised outcome: told, bounded in time, and nothing lost."""

import json
import re
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from fleet_pipeline.errors import SourceError
from fleet_pipeline.home import Home
from fleet_pipeline.pricing import price_book, snapshots
from fleet_pipeline.pricing.feeds import Feed
from fleet_pipeline.pricing.feeds.fetching import Limits
from fleet_pipeline.pricing.sweep import FeedReport, sweep

from ..local_server import LocalServer
from .conftest import FIRST, day
from .feed_answers import GLM, models_dev, openrouter, openrouter_model

LIMITS = Limits(connect_seconds=10, total_seconds=10, bytes=1 << 20, wait_seconds=0.01)
HURRIED = replace(LIMITS, connect_seconds=0.5, total_seconds=0.5)
"""For a server that makes one wait; what answers gets the time that a busy machine takes."""


def ask(
    home: Home,
    server: LocalServer,
    *,
    source: str = "openrouter",
    days: int = 0,
    limits: Limits = LIMITS,
) -> FeedReport:
    moment = FIRST + timedelta(days=days)
    [report] = sweep(home, [Feed(source, server.url)], moment, limits=limits)
    return report


def price(home: Home, at: int) -> str:
    found = price_book(home).require("openrouter", GLM, day(at))
    return f"{found.input_usd_per_mtok:f}".rstrip("0")


def test_an_answer_of_openrouter_is_kept_per_million_tokens(
    home: Home, server: LocalServer
) -> None:
    assert ask(home, server).state == "kept"
    found = price_book(home).require("openrouter", GLM, day(0))
    assert [float(p or 0) for p in (found.input_usd_per_mtok, found.output_usd_per_mtok)] == [
        1.4,
        4.4,
    ]
    assert float(found.cache_read_usd_per_mtok or 0) == 0.26
    assert found.cache_write_5m_usd_per_mtok is None
    assert (found.context_tokens, found.max_output) == (1_048_576, 32_768)
    assert found.named() == "openrouter, in force since 2026-06-01, last listed 2026-06-01"


def test_an_answer_of_models_dev_is_kept_as_it_is(home: Home, server: LocalServer) -> None:
    server.bodies = [models_dev(input=0.1, output=0.3, cache_read=0.01)]
    assert ask(home, server, source="models.dev").state == "kept"
    found = price_book(home).require("zai", "glm-5.2", day(0))
    assert str(found.input_usd_per_mtok) == "0.100000000"
    assert found.source == "models.dev"


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"pause_before": 2.0}, "gave no whole answer in 0.5 s"),
        ({"drip": 0.2}, "gave no whole answer in 0.5 s"),
        ({"status": [429]}, "has had too many requests (429)"),
        ({"status": [429], "headers": {"Retry-After": "3600"}}, "too many requests"),
        ({"status": [503]}, "failed (503)"),
        ({"status": [404]}, "refused (404)"),
        ({"bodies": [b"<!doctype html><title>Sign in</title>"]}, "the answer is HTML"),
        ({"bodies": [openrouter()[:-30]]}, "the answer is no whole JSON"),
        ({"promised": 10_000}, "broke off"),
        ({"bodies": [b"[" * 100_000]}, "the answer is no whole JSON"),
        ({"bodies": [b'{"data": [NaN]}']}, "the answer is no whole JSON"),
        ({"bodies": [b'{"data": []}']}, "the answer lists no model"),
        ({"bodies": [b'{"error": {"message": "hello"}}']}, "the answer lists no model"),
        ({"bodies": [b" " * (10 << 20)]}, "answered more than 1 MiB"),
        ({"headers": {"Content-Encoding": "gzip"}}, "an encoding that was not asked for"),
        (
            {"status": [302], "headers": {"Location": "http://10.0.0.1/latest/meta-data"}},
            "redirects to another host",
        ),
        ({"status": [302], "headers": {"Location": "/api"}}, "redirects without end"),
    ],
)
def test_a_failed_feed_is_told_in_time_and_the_last_good_snapshot_holds(
    home: Home, server: LocalServer, fault: dict[str, object], says: str
) -> None:
    assert ask(home, server).state == "kept"
    for name, value in fault.items():
        setattr(server, name, value)
    began = time.monotonic()
    report = ask(home, server, days=3, limits=HURRIED if "in 0.5 s" in says else LIMITS)
    assert time.monotonic() - began < 2
    assert report.state == "failed"
    assert says in report.says
    assert report.last_good == FIRST
    assert price(home, 3) == "1.4"
    held = price_book(home).require("openrouter", GLM, day(3))
    assert held.age_days == 3
    assert snapshots.observations(home).height == 1


@pytest.mark.parametrize(
    ("status", "headers"), [(429, {}), (429, {"Retry-After": "0"}), (500, {}), (502, {})]
)
def test_a_passing_failure_is_tried_once_more(
    home: Home, server: LocalServer, status: int, headers: dict[str, str]
) -> None:
    server.status, server.headers = [status, 200], headers
    assert ask(home, server).state == "kept"
    assert len(server.asked) == 2


def test_a_refusal_is_not_tried_again(home: Home, server: LocalServer) -> None:
    server.status = [403]
    assert ask(home, server).state == "failed"
    assert len(server.asked) == 1


def test_a_redirect_within_the_host_is_followed(home: Home, server: LocalServer) -> None:
    server.status, server.headers = [301, 200], {"Location": "/elsewhere"}
    assert ask(home, server).state == "kept"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://openrouter.ai/api", "is not asked without https"),
        ("https://10.1.2.3/api", "leads into a private network"),
        ("https://169.254.169.254/latest", "leads into a private network"),
        ("https://[fd00::1]/api", "leads into a private network"),
        ("https://localhost/api", "leads into a private network"),
        ("file:///etc/passwd", "is not asked without https"),
    ],
)
def test_a_private_place_is_never_asked(home: Home, url: str, says: str) -> None:
    [report] = sweep(home, [Feed("openrouter", url)], FIRST, limits=LIMITS)
    assert report.state == "failed"
    assert says in report.says


def test_a_closed_port_is_an_unreachable_feed(home: Home, server: LocalServer) -> None:
    [report] = sweep(home, [Feed("openrouter", "http://127.0.0.1:1/api")], FIRST, limits=LIMITS)
    assert (report.state, report.says) == ("failed", "127.0.0.1 cannot be reached")


def test_offline_asks_nobody(home: Home, server: LocalServer) -> None:
    [report] = sweep(home, [Feed("openrouter", server.url)], FIRST, offline=True)
    assert (report.state, report.last_good, server.asked) == ("not asked", None, [])


def test_one_failing_feed_keeps_no_other_from_being_kept(home: Home, server: LocalServer) -> None:
    broken = Feed("models.dev", "http://127.0.0.1:1/api")
    reports = sweep(home, [broken, Feed("openrouter", server.url)], FIRST, limits=LIMITS)
    assert [report.state for report in reports] == ["failed", "kept"]


def test_an_answer_that_lost_most_models_is_held_to_be_cut(home: Home, server: LocalServer) -> None:
    many = [openrouter_model(f"vendor/model-{n}") for n in range(10)]
    server.bodies = [openrouter(*many)]
    assert ask(home, server).models == 10
    server.bodies = [openrouter(*many[:4])]
    report = ask(home, server, days=1)
    assert (report.state, report.models) == ("failed", 10)
    assert "4 models where the last one listed 10" in report.says
    server.bodies = [openrouter(*many[:5])]
    assert ask(home, server, days=2).state == "kept"
    server.bodies = [openrouter(*many[:3])]
    report = ask(home, server, days=3)
    assert (report.state, report.models, report.last_good) == ("kept", 3, FIRST + timedelta(days=3))
    server.bodies = [openrouter(many[0])]
    report = ask(home, server, days=4)
    assert (report.state, report.models) == ("failed", 3)
    assert report.last_good == FIRST + timedelta(days=3)


def test_a_list_that_is_still_short_after_a_week_is_believed(
    home: Home, server: LocalServer
) -> None:
    server.bodies = [openrouter(*(openrouter_model(f"vendor/model-{n}") for n in range(10)))]
    ask(home, server)
    server.bodies = [openrouter()]
    assert [ask(home, server, days=days).state for days in (1, 6, 7)] == [
        "failed",
        "failed",
        "kept",
    ]


def test_a_home_may_lie_in_a_folder_whose_name_looks_like_a_pattern(
    tmp_path: Path, server: LocalServer
) -> None:
    home = Home(tmp_path / "home [of] *")
    home.prepare()
    for days in (0, 1):
        ask(home, server, days=days)
    assert snapshots.observations(home).height == 2
    _, newest = sorted(snapshots.folder(home).glob("*/*.parquet"))
    newest.write_bytes(b"PAR1")
    with pytest.raises(SourceError, match=f"{re.escape(str(newest))} is damaged"):
        snapshots.observations(home)


def test_a_snapshot_that_holds_something_else_is_named(home: Home, server: LocalServer) -> None:
    for days in (0, 1):
        ask(home, server, days=days)
    [first, other] = sorted(snapshots.folder(home).glob("*/*.parquet"))
    frame = pl.read_parquet(first)
    frame.cast({"context_tokens": pl.Float64}).write_parquet(first)
    assert snapshots.observations(home)["context_tokens"].to_list() == [1_048_576] * 2
    pl.read_parquet(other).with_columns(retires_on=pl.lit("soon")).write_parquet(other)
    with pytest.raises(SourceError, match=f"{re.escape(str(other))} is damaged"):
        snapshots.observations(home)


def test_a_model_that_went_missing_keeps_its_last_price_with_its_age(
    home: Home, server: LocalServer
) -> None:
    server.bodies = [openrouter(openrouter_model(), openrouter_model("vendor/other"))]
    ask(home, server)
    server.bodies = [openrouter(openrouter_model("vendor/other"))]
    assert ask(home, server, days=2).state == "kept"
    found = price_book(home).require("openrouter", GLM, day(2))
    assert (price(home, 2), found.age_days) == ("1.4", 2)


@pytest.mark.parametrize(
    ("prices", "reason"),
    [
        ({"prompt": "0", "completion": "0"}, "zero"),
        ({"prompt": "0.0014", "completion": "0.0044"}, "not_a_unit_price"),  # times 1000
        ({"prompt": "1.4", "completion": "4.4"}, "not_a_unit_price"),  # per million after all
        ({"prompt": "0.0000000000014", "completion": "0.0000000000044"}, "not_a_unit_price"),
        ({"prompt": "-0.0000014", "completion": "0.0000044"}, "negative"),
        ({"prompt": "0.0000028", "completion": "0.0000044"}, "jump"),
        ({"prompt": "0.0000009", "completion": "0.0000044"}, "jump"),
        ({"prompt": "unknown", "completion": "0.0000044"}, "not_stated"),
        ({**{"prompt": "0.0000014", "completion": "0.0000044"}, "input_cache_read": "0"}, "zero"),
        (
            {"prompt": "0.0000014", "completion": "0.0000044", "input_cache_read": "0.000002"},
            "cache_read_above_input",
        ),
    ],
)
def test_an_unbelievable_price_is_held_and_the_last_one_stays_in_force(
    home: Home, server: LocalServer, prices: dict[str, str], reason: str
) -> None:
    ask(home, server)
    server.bodies = [openrouter(openrouter_model(GLM, **prices))]
    assert ask(home, server, days=1).state == "kept"
    book = price_book(home)
    assert price(home, 1) == "1.4"
    assert [row["reason"] for row in book.periods("openrouter", GLM)] == [None, reason]


def test_routers_have_no_price_and_are_counted(home: Home, server: LocalServer) -> None:
    router = openrouter_model("openrouter/auto", prompt="-1", completion="-1")
    server.bodies = [openrouter(openrouter_model(), router)]
    report = ask(home, server)
    assert (report.models, report.left_out) == (1, {"router": 1})


def test_conditional_prices_are_kept_as_tiers_and_hours(home: Home, server: LocalServer) -> None:
    model = openrouter_model()
    model["pricing"] = {
        "prompt": "0.000001",
        "completion": "0.000004",
        "overrides": [
            {"min_prompt_tokens": 200_000, "prompt": "0.000002"},
            {"utc_start": "1630", "utc_end": "0030", "prompt": "0.0000005"},
        ],
    }
    server.bodies = [json.dumps({"data": [model]}).encode()]
    ask(home, server)
    found = price_book(home).require("openrouter", GLM, day(0))
    assert found.input_usd_per_mtok == 1
    assert found.for_context(200_000).input_usd_per_mtok == 1
    assert found.for_context(200_001).input_usd_per_mtok == 2
    assert found.for_context(200_001).output_usd_per_mtok == 4
    assert "utc_start" in (found.hours or "")


def test_the_limits_of_the_product_are_those_it_documents() -> None:
    assert Limits() == Limits(10, 30, 8 << 20, 2, 2, 2)
