"""OpenRouter's real price history, replayed day by day through the price ledger."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from math import log
from typing import Any

import polars as pl
import pytest

from fleet_pipeline.home import Home
from fleet_pipeline.ledger.store import parquet_bytes
from fleet_pipeline.pricing import PriceBook, price_book, prices_table, snapshots
from fleet_pipeline.pricing.book import book_of
from fleet_pipeline.pricing.price_ledger import price_ledger

from .price_history import FILE, daily_snapshots

pytestmark = pytest.mark.skipif(not FILE.exists(), reason=f"{FILE.name} is not beside the checkout")

GLM = "z-ai/glm-5.2"
ZERO_DAY = date(2026, 6, 25)


@pytest.fixture(scope="module")
def history() -> list[tuple[date, pl.DataFrame]]:
    return list(daily_snapshots())


@pytest.fixture(scope="module")
def ledger(history: list[tuple[date, pl.DataFrame]]) -> pl.DataFrame:
    return price_ledger(pl.concat(frame for _, frame in history))


def known_by(history: list[tuple[date, pl.DataFrame]], close: date) -> PriceBook:
    return book_of(frame for day, frame in history if day < close)


def test_each_days_price_of_glm_is_the_one_that_was_listed_but_on_the_zero_day(
    ledger: pl.DataFrame,
) -> None:
    book = PriceBook(ledger)
    listed = {16: "1.4", 19: "1.2", 22: "1", 23: "0.95", 25: "0.95", 26: "0.95", 29: "0.94"}
    found = {day: book.require("openrouter", GLM, date(2026, 6, day)) for day in listed}
    assert {day: price.input_usd_per_mtok for day, price in found.items()} == {
        day: Decimal(price) for day, price in listed.items()
    }
    assert found[25].effective_from == found[26].effective_from == date(2026, 6, 23)


def test_the_zero_day_is_held_by_name(ledger: pl.DataFrame) -> None:
    held = ledger.filter(pl.col("model") == GLM, ~pl.col("believed"))
    assert held.select("reason", "input_usd_per_mtok", "sightings").rows() == [("zero", 0, 1)]
    assert held["first_seen"][0].date() == ZERO_DAY


def test_a_cache_price_that_the_package_knows_better_is_not_confirmed_by_it(
    history: list[tuple[date, pl.DataFrame]],
) -> None:
    """From 21 to 24 June GLM 5.1 stood at half of its input price, and at .182 before and after."""
    price = known_by(history, date(2026, 6, 24)).require(
        "openrouter", "z-ai/glm-5.1", date(2026, 6, 23)
    )
    assert price.cache_read_usd_per_mtok == Decimal("0.182")


def test_on_the_zero_day_itself_the_price_of_the_day_before_holds(
    history: list[tuple[date, pl.DataFrame]],
) -> None:
    book = known_by(history, ZERO_DAY + timedelta(days=1))
    price = book.require("openrouter", GLM, ZERO_DAY)
    assert (price.input_usd_per_mtok, price.seen_on) == (Decimal("0.95"), date(2026, 6, 24))


def test_no_closed_week_changes_when_later_snapshots_come(
    history: list[tuple[date, pl.DataFrame]], home: Home
) -> None:
    models = [("openrouter", GLM), ("openrouter", "moonshotai/kimi-k2.7-code")]
    closes = [date(2026, 6, 17), date(2026, 6, 24), date(2026, 7, 1)]
    since = date(2026, 6, 10)

    def priced(close: date) -> tuple[bytes, Decimal]:
        table = prices_table(models, close, price_book(home, close))
        price: Decimal = table.filter(model=GLM)["input_usd_per_mtok"].item()
        return parquet_bytes(table), price

    at_the_time: dict[date, tuple[bytes, Decimal]] = {}
    for day, frame in history:
        if day in closes:
            at_the_time[day] = priced(day)
        if day >= since:
            snapshots.add(home, frame)
    assert [str(price.normalize()) for _, price in at_the_time.values()] == ["1.4", "0.95", "0.93"]
    assert {close: priced(close) for close in closes} == at_the_time


def test_what_the_gates_held_back_and_how_much_of_it_was_wrong(ledger: pl.DataFrame) -> None:
    """What was held for good was right to hold, unless the feed moved on before anybody agreed."""
    questioned = ledger.filter(pl.col("reason").is_not_null())
    counts = questioned.group_by("reason", "believed").len().sort("reason", "believed")
    assert counts.rows() == [
        ("jump", False, 20),
        ("jump", True, 48),
        ("not_a_unit_price", False, 2),
        ("zero", False, 39),
    ]
    zero_day = questioned.filter(pl.col("first_seen").dt.date() == ZERO_DAY, reason="zero")
    assert zero_day.height == 18
    after = PriceBook(ledger)
    for model in zero_day["model"]:
        price = after.require("openrouter", model, date(2026, 6, 26)).input_usd_per_mtok
        assert price, model


def test_of_what_was_held_for_good_most_was_wrong_and_some_was_real(ledger: pl.DataFrame) -> None:
    """These counts stand in docs/prices.md."""
    verdicts = Counter(
        _hindsight(row, ledger.filter(pl.col("believed"), model=row["model"]))
        for row in ledger.filter(~pl.col("believed")).iter_rows(named=True)
    )
    assert verdicts == {
        "a zero of a model that has a price": 26,
        "a zero of a model that never had another price": 13,
        "a price per token": 2,
        "the feed went back": 9,
        "real, known late": 9,
        "the history's last word": 2,
    }
    later = ledger.filter(pl.col("believed"), pl.col("reason") == "jump")["confirmed_by"]
    assert Counter(later) == {"genai-prices 0.2.3": 25, "a week of the same": 23}


def _hindsight(held: dict[str, Any], believed: pl.DataFrame) -> str:
    """Say what became of a held price, judged by the believed ones around it."""
    if held["reason"] == "zero":
        return (
            "a zero of a model that never had another price"
            if believed.is_empty()
            else "a zero of a model that has a price"
        )
    if held["reason"] == "not_a_unit_price":
        return "a price per token"
    before = believed.filter(pl.col("first_seen") < held["first_seen"]).sort("first_seen")
    after = believed.filter(pl.col("last_seen") > held["last_seen"]).sort("first_seen")
    if after.is_empty():
        return "the history's last word"
    came = after.row(0, named=True)
    back = _apart(came, before.row(-1, named=True)) < _apart(came, held)
    return "the feed went back" if back else "real, known late"


def _apart(one: dict[str, Any], other: dict[str, Any]) -> float:
    columns = ("input_usd_per_mtok", "output_usd_per_mtok")
    return sum(abs(log(one[column] / other[column])) for column in columns)
