"""The weeks: Wednesday to Wednesday in UTC, and which of them an operator may ask for."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.weeks import FIRST_CLOSE, closing, latest_close, opening, window

WEDNESDAY = date(2026, 6, 17)
DAYS = st.dates(FIRST_CLOSE, date(2100, 1, 1))


@pytest.mark.parametrize("day", range(7))
def test_a_week_is_over_from_its_closing_wednesday_on(day: int) -> None:
    assert latest_close(WEDNESDAY + timedelta(days=day)) == WEDNESDAY


def test_without_a_wish_the_latest_week_is_taken() -> None:
    assert closing(None, date(2026, 6, 20)) == WEDNESDAY


def test_a_wednesday_of_a_week_that_is_over_may_be_asked_for() -> None:
    assert closing("2026-06-10", WEDNESDAY) == date(2026, 6, 10)
    assert closing("2026-06-17", WEDNESDAY) == WEDNESDAY
    assert closing("2025-01-08", WEDNESDAY) == FIRST_CLOSE


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (
            "2026-06-15",
            "--as-of 2026-06-15 is a Monday; weeks close on Wednesdays:"
            " use 2026-06-10 or 2026-06-17",
        ),
        ("2026-06-18", "--as-of 2026-06-18: that week is not over; the latest is 2026-06-17"),
        ("2026-06-24", "--as-of 2026-06-24: that week is not over; the latest is 2026-06-17"),
        ("2025-01-01", "--as-of 2025-01-01: weeks begin to close at 2025-01-08"),
        ("17.6.2026", "--as-of 17.6.2026: write a date such as 2026-06-17"),
        ("2026-02-30", "--as-of 2026-02-30: write a date such as 2026-06-17"),
        ("", "--as-of : write a date such as 2026-06-17"),
    ],
)
def test_any_other_day_is_refused_with_days_that_can_be_used(asked: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        closing(asked, WEDNESDAY)
    assert str(refused.value) == says


def test_a_day_after_the_latest_close_is_not_sent_to_a_week_that_is_not_over() -> None:
    with pytest.raises(ConfigurationError, match=r"the latest is 2026-06-17$"):
        closing("2026-06-19", date(2026, 6, 20))


@given(today=DAYS, asked=DAYS)
def test_every_day_is_either_taken_as_it_is_or_answered_with_days_that_are_taken(
    today: date, asked: date
) -> None:
    try:
        assert closing(asked.isoformat(), today) == asked
    except ConfigurationError as refused:
        words = str(refused).replace(";", " ").split()[2:]
        offered = [word for word in words if word[:2] == "20" and word != f"{asked}:"]
        assert offered
        assert [closing(word, today).isoformat() for word in offered] == offered


@given(today=DAYS)
def test_a_week_is_seven_days_and_its_window_the_thirty_before_its_close(today: date) -> None:
    close = latest_close(today)
    assert close.weekday() == opening(close).weekday() == 2
    assert close - opening(close) == timedelta(days=7)
    start, end = window(close)
    assert (end - start, end) == (timedelta(days=30), close)
