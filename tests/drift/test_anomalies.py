"""Days outside an agent's own history, and whether a hot week is more than chance."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_pipeline.drift import agent_days, hot_week_chance
from fleet_pipeline.drift.agent_days import FEWEST_DAYS

FIRST = date(2026, 5, 18)


def daily(tokens: list[int], agent: str = "forge", client: str = "claude") -> pl.DataFrame:
    """One row for each day of an agent; 0 is a day without a request."""
    days = [(FIRST + timedelta(days=place), amount) for place, amount in enumerate(tokens)]
    return pl.DataFrame(
        [(day, client, agent, 1, amount) for day, amount in days if amount],
        schema={
            "date": pl.Date,
            "client": pl.String,
            "agent": pl.String,
            "requests": pl.Int64,
            "full_input_tokens": pl.Int64,
        },
        orient="row",
    )


USUAL = [100, 130, 80, 110, 95, 120, 90, 105, 140, 75, 100, 115]


def verdicts(tokens: list[int]) -> list[str]:
    return agent_days(daily(tokens))["verdict"].to_list()


def test_a_day_ten_times_the_usual_is_a_runaway_and_the_others_are_not() -> None:
    assert verdicts([*USUAL, 1_000]) == ["usual"] * len(USUAL) + ["runaway"]


def test_a_day_with_a_tenth_of_the_usual_is_quiet() -> None:
    assert verdicts([*USUAL, 10])[-1] == "quiet"


def test_two_wild_days_do_not_hide_each_other() -> None:
    assert verdicts([*USUAL, 5_000, 9_000]).count("runaway") == 2


def test_a_few_days_are_no_history() -> None:
    few = USUAL[: FEWEST_DAYS - 2]
    assert set(verdicts([*few, 100_000])) == {"too_few_days"}
    assert agent_days(daily([*few, 100_000]))["robust_z"].null_count() == FEWEST_DAYS - 1


def test_days_that_are_nearly_alike_make_no_day_an_anomaly() -> None:
    assert set(verdicts([1_000] * 12 + [1_100])) == {"usual"}


def test_each_agent_is_held_against_itself() -> None:
    both = pl.concat([daily(USUAL), daily([amount * 1_000 for amount in USUAL], "sage")])
    assert set(agent_days(both)["verdict"]) == {"usual"}


def test_a_days_use_is_that_of_both_clients() -> None:
    both = pl.concat([daily(USUAL), daily([7] * len(USUAL), client="codex")])
    assert agent_days(both)["full_input_tokens"].to_list() == [amount + 7 for amount in USUAL]


def test_a_week_among_thirty_steady_days_is_within_chance() -> None:
    [row] = hot_week_chance(daily((USUAL * 3)[:30])).to_dicts()
    assert row["verdict"] == "within_chance"
    assert 1 < row["multiplier"] < row["p95_multiplier"]


def test_a_week_of_three_times_the_pace_is_beyond_chance() -> None:
    days = (USUAL * 3)[:30]
    days[10:17] = [amount * 3 for amount in days[10:17]]
    [row] = hot_week_chance(daily(days)).to_dicts()
    assert (row["verdict"], row["window_start"]) == ("beyond_chance", FIRST + timedelta(days=10))


def test_the_null_expectation_of_days_that_vary_by_two_fifths_is_that_of_the_literature() -> None:
    """A fleet whose days have a coefficient of variation of 0.4 runs 1.23 times hot by chance."""
    days = [60, 140] * 15
    [row] = hot_week_chance(daily([amount * 10**6 for amount in days])).to_dicts()
    assert row["expected_multiplier"] == pytest.approx(1.23, abs=0.04)


def test_too_few_days_have_a_hot_week_and_no_chance_to_hold_it_against() -> None:
    [row] = hot_week_chance(daily(USUAL[:9])).to_dicts()
    assert (row["verdict"], row["expected_multiplier"]) == ("too_few_days", None)


def test_without_seven_days_in_a_row_there_is_no_hot_week() -> None:
    assert hot_week_chance(daily([5, 5, 5, 0, 5, 5, 5, 5, 5, 0])).height == 0


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 10**9), min_size=FEWEST_DAYS, max_size=30), st.integers(2, 1000))
def test_a_fleet_of_any_size_has_the_same_anomalies(tokens: list[int], factor: int) -> None:
    larger = [amount * factor for amount in tokens]
    assert agent_days(daily(tokens))["robust_z"].to_list() == pytest.approx(
        agent_days(daily(larger))["robust_z"].to_list(), abs=1e-6
    )
