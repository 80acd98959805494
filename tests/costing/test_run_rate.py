from datetime import date, timedelta
from fractions import Fraction

import pytest

from fleet_pipeline.costing import hot_week, monthly_factor

START = date(2026, 5, 18)


def days(*tokens: int | None) -> dict[date, int]:
    """Covered days from START on; None is a day without data."""
    return {
        START + timedelta(days=offset): count
        for offset, count in enumerate(tokens)
        if count is not None
    }


@pytest.mark.parametrize(
    ("covered", "factor"), [(30, Fraction(1)), (20, Fraction(3, 2)), (14, Fraction(15, 7))]
)
def test_covered_days_stand_for_a_month(covered: int, factor: Fraction) -> None:
    assert monthly_factor(covered) == factor


@pytest.mark.parametrize("covered", [0, 1, 13])
def test_less_than_two_weeks_never_stand_for_a_month(covered: int) -> None:
    assert monthly_factor(covered) is None


def test_the_hot_week_is_the_largest_seven_days_in_a_row() -> None:
    week = hot_week(days(1, 1, 9, 9, 9, 9, 9, 9, 9, 1, 1))
    assert week is not None
    assert (week.start, week.end) == (date(2026, 5, 20), date(2026, 5, 27))
    assert week.full_input_tokens == 63
    assert week.full_input_tokens * week.monthly_factor == 270


def test_of_equal_weeks_the_earliest_is_named() -> None:
    week = hot_week(days(*[5] * 10))
    assert week is not None
    assert week.start == START


def test_a_week_with_a_day_missing_is_no_week() -> None:
    assert hot_week(days(9, 9, 9, 9, 9, 9, None, 9, 9, 9, 9, 9, 9)) is None
    assert hot_week({}) is None
