"""Prices for some hours: read from each source, believed or not, and joined by the minute."""

import itertools
import json
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_pipeline.home import Home
from fleet_pipeline.pricing import ModelPrice, PriceBook, find, list_prices, price_book, snapshots
from fleet_pipeline.pricing.feeds import litellm, openrouter
from fleet_pipeline.pricing.hours import HourlyPrice, minute_of_day, spans
from fleet_pipeline.pricing.observations import snapshot

from .conftest import FIRST, day
from .feed_answers import GLM, openrouter_model

MONDAY, SUNDAY = day(0), day(6)


def heard(home: Home, *overrides: dict[str, Any], **base: str) -> PriceBook:
    """The book of a home that heard OpenRouter list one model with conditional prices."""
    model = openrouter_model()
    usual = {"prompt": "0.000002", "completion": "0.000004", "input_cache_read": "0.000001"}
    model["pricing"] = {**usual, **base, "overrides": list(overrides)}
    answer = openrouter.read(json.dumps({"data": [model]}).encode())
    snapshots.add(home, snapshot("openrouter", answer.offers, FIRST, FIRST))
    return price_book(home)


def at(book: PriceBook, on: date, minute: int, tokens: int = 1) -> tuple[float, ...]:
    price = book.require("openrouter", GLM, on).at_minute(minute).for_context(tokens)
    classes = (
        price.input_usd_per_mtok, price.output_usd_per_mtok, price.cache_read_usd_per_mtok
    )  # fmt: skip
    return tuple(float(one) for one in classes if one is not None)


def test_a_window_is_half_open_and_may_lie_across_midnight(home: Home) -> None:
    book = heard(home, {"utc_start": 1630, "utc_end": 30, "prompt": "0.0000005"})
    cheap, usual = (0.5, 4.0, 1.0), (2.0, 4.0, 1.0)
    assert book.require("openrouter", GLM, MONDAY).at_minute(0).tiers == ()
    told = {minute: at(book, MONDAY, minute) for minute in (0, 29, 30, 989, 990, 1439)}
    assert told == {0: cheap, 29: cheap, 30: usual, 989: usual, 990: cheap, 1439: cheap}


def test_a_window_that_ends_where_it_starts_is_the_whole_day(home: Home) -> None:
    book = heard(home, {"utc_start": 1000, "utc_end": 1000, "prompt": "0.0000005"})
    assert {at(book, MONDAY, minute)[0] for minute in (0, 599, 600, 601, 1439)} == {0.5}


def test_a_price_for_some_weekdays_holds_on_no_other(home: Home) -> None:
    book = heard(home, {"utc_days": ["saturday", "sunday"], "completion": "0.000001"})
    assert at(book, SUNDAY, 720) == (2.0, 1.0, 1.0)
    assert at(book, MONDAY, 720) == (2.0, 4.0, 1.0)


def test_of_several_that_hold_the_last_one_wins_price_by_price(home: Home) -> None:
    book = heard(
        home,
        {"utc_start": 0, "utc_end": 1200, "prompt": "0.000001", "completion": "0.000002"},
        {"utc_start": 600, "utc_end": 1800, "prompt": "0.000003"},
    )
    hours = {hour: at(book, MONDAY, 60 * hour) for hour in (0, 6, 12, 18)}
    assert hours == {
        0: (1.0, 2.0, 1.0), 6: (3.0, 2.0, 1.0), 12: (3.0, 4.0, 1.0), 18: (2.0, 4.0, 1.0)
    }  # fmt: skip


def test_a_tier_and_an_hour_may_hold_together_or_each_alone(home: Home) -> None:
    book = heard(
        home,
        {"min_prompt_tokens": 200_000, "prompt": "0.000008"},
        {"utc_start": 0, "utc_end": 600, "prompt": "0.000001"},
        {"utc_start": 0, "utc_end": 600, "min_prompt_tokens": 400_000, "prompt": "0.000005"},
    )
    sizes = (1, 200_001, 400_001)
    assert [at(book, MONDAY, 0, size)[0] for size in sizes] == [1.0, 1.0, 5.0]
    assert [at(book, MONDAY, 360, size)[0] for size in sizes] == [2.0, 8.0, 8.0]


@pytest.mark.parametrize(
    "override",
    [
        {"utc_start": 2530, "utc_end": 30, "prompt": "0.000001"},
        {"utc_start": 1075, "utc_end": 1100, "prompt": "0.000001"},
        {"utc_start": "noon", "utc_end": 1300, "prompt": "0.000001"},
        {"utc_start": True, "utc_end": 1300, "prompt": "0.000001"},
        {"utc_start": 0, "utc_end": 2400},
        {"utc_start": 0, "utc_end": 2400, "prompt": "0"},
        {"utc_start": 0, "utc_end": 2400, "prompt": "-1"},
        {"utc_start": 0, "utc_end": 2400, "prompt": "1"},
        {"utc_start": 0, "utc_end": 2400, "prompt": "0.00000001"},
        {"utc_days": [], "prompt": "0.000001"},
    ],
)
def test_what_cannot_be_understood_or_believed_leaves_the_usual_price(
    home: Home, override: dict[str, Any]
) -> None:
    assert at(heard(home, override), MONDAY, 600) == (2.0, 4.0, 1.0)


def test_a_price_up_to_a_hundred_times_away_is_believed_and_that_far_is_not() -> None:
    usual = {"input_usd_per_mtok": Decimal(2)}

    def believed(price: str) -> bool:
        stated = (("input_usd_per_mtok", Decimal(price)),)
        return HourlyPrice(0, 1, stated).is_believed(usual)

    answers = {price: believed(price) for price in ("0.02", "0.021", "199.9", "200", "2", "0")}
    assert answers == {
        "0.02": False, "0.021": True, "199.9": True, "200": False, "2": True, "0": False
    }  # fmt: skip
    free = HourlyPrice(0, 1, (("input_usd_per_mtok", Decimal(0)),))
    assert free.is_believed({"input_usd_per_mtok": Decimal(0)})
    assert free.is_believed({"input_usd_per_mtok": None})


@pytest.mark.parametrize(
    ("told", "windows"),
    [
        ({"hours_utc": "16:30-00:30"}, [(990, 30, None)]),
        (
            {"windows": [{"hours_utc": "01:00-04:00", "weekdays": [1, 7]},
                         {"hours_utc": "06:00-10:00"}, "x", {"hours_utc": "6-25:00"}]},
            [(60, 240, frozenset({1, 7})), (360, 600, None)],
        ),
        ({}, []),
        ("x", []),
        ({"hours_utc": "16:30"}, []),
    ],
)  # fmt: skip
def test_litellms_off_peak_hours_are_read(told: Any, windows: list[Any]) -> None:
    if isinstance(told, dict):
        told = {**told, "input_cost_per_token": 1e-7, "output_cost_per_token": 4e-7}
    found = litellm.hours("m", told)
    assert [(one.from_minute, one.up_to_minute, one.weekdays) for one in found] == windows
    for one in found:
        assert dict(one.prices) == {
            "input_usd_per_mtok": Decimal("0.1"), "output_usd_per_mtok": Decimal("0.4")
        }  # fmt: skip


def test_the_packages_hours_hold_with_the_price_that_they_follow() -> None:
    def input_at(on: date, hour: int) -> float:
        price = find("deepseek", "deepseek-v4-flash", on)
        assert price is not None
        return float(price.at_minute(60 * hour).input_usd_per_mtok or 0)

    after, before = date(2026, 9, 10), date(2026, 9, 9)
    assert [input_at(after, hour) for hour in (0, 1, 3, 4, 6, 9, 10)] == [
        0.15, 0.3, 0.3, 0.15, 0.3, 0.3, 0.15
    ]  # fmt: skip
    assert {input_at(before, hour) for hour in range(24)} == {0.22}


@pytest.mark.parametrize(
    ("clock", "minute"),
    [("00:00", 0), ("16:30", 990), ("1630", 990), (1630, 990), (Decimal("30.0"), 30), (0, 0),
     ("24:00", 1440), ("24:01", None), (2500, None), ("1:00", 60), (-30, None), (None, None),
     (True, None), (12.5, None), ("\u0967\u0966:00", None)],
)  # fmt: skip
def test_a_clock_is_read_in_each_way_of_writing_it(clock: object, minute: int | None) -> None:
    assert minute_of_day(clock) == minute


HOURS = st.builds(
    HourlyPrice,
    from_minute=st.integers(0, 1439),
    up_to_minute=st.integers(0, 1440),
    prices=st.builds(
        lambda usd: (("input_usd_per_mtok", Decimal(usd)),), st.integers(1, 50)
    ),
    weekdays=st.none() | st.frozensets(st.integers(1, 7)),
    above_tokens=st.sampled_from([0, 0, 1000]),
)  # fmt: skip


@given(hours=st.lists(HOURS, max_size=4), on=st.integers(0, 6), minute=st.integers(0, 1439))
def test_within_a_part_of_a_day_no_price_changes_and_the_parts_are_the_day(
    hours: list[HourlyPrice], on: int, minute: int
) -> None:
    usd = Decimal(7)
    price = ModelPrice(
        "p", "m", "M", usd, usd, usd, usd, usd, None, None, "s", None, day(on), by_hour=tuple(hours)
    )
    parts = spans(hours, day(on))
    assert [start for start, _ in parts[1:]] == [end + 1 for _, end in parts[:-1]]
    assert (parts[0][0], parts[-1][1]) == (0, 1439)
    [first] = [start for start, end in parts if start <= minute <= end]
    assert price.at_minute(minute) == price.at_minute(first)


def test_a_join_finds_exactly_one_price_for_each_minute_and_size(home: Home) -> None:
    book = heard(
        home,
        {"min_prompt_tokens": 1000, "prompt": "0.000008"},
        {"utc_start": 300, "utc_end": 600, "utc_days": ["monday"], "prompt": "0.000001"},
    )
    days = [day(n) for n in range(8)]
    prices = list_prices("openrouter", [GLM], days, book)
    asked = pl.DataFrame(
        list(itertools.product(days, (0, 179, 180, 359, 360), (1, 1001))),
        schema=["date", "minute", "size"], orient="row",
    )  # fmt: skip
    joined = asked.join(prices, on="date").filter(
        pl.col("minute").is_between(pl.col("from_minute"), pl.col("up_to_minute")),
        pl.col("size").is_between(pl.col("from_tokens"), pl.col("up_to_tokens")),
    )
    assert joined.height == asked.height
    cheap = joined.filter(pl.col("input_price") == 1_000_000)
    assert set(cheap["date"]) == {day(0), day(7)}
    assert set(cheap["minute"]) == {180, 359}


def test_the_hours_of_a_feed_are_still_told_in_its_own_words(home: Home) -> None:
    book = heard(home, {"utc_start": 0, "utc_end": 600, "prompt": "0.000001"})
    assert json.loads(book.require("openrouter", GLM, MONDAY).hours or "")[0]["utc_end"] == 600


def test_the_order_in_which_a_feed_writes_its_fields_makes_no_other_price() -> None:
    fields = {"utc_start": 0, "utc_end": 600, "prompt": "0.000001"}
    said = []
    for override in (fields, dict(reversed(fields.items()))):
        model = openrouter_model()
        model["pricing"] = {"prompt": "0.000002", "overrides": [override]}
        said += openrouter.read(json.dumps({"data": [model]}).encode()).offers
    assert said[0].hours
    assert said[0] == said[1]
