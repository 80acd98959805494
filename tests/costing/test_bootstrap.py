import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_pipeline.costing import bootstrap
from fleet_pipeline.costing.bootstrap import sampling_intervals


def sessions(values: list[int], strata: list[str] | None = None) -> pl.DataFrame:
    agents = strata or ["forge"] * len(values)
    return pl.DataFrame({"agent": agents, "cost": pl.Series(values, dtype=pl.Int64)})


def interval(frame: pl.DataFrame, **options: int) -> tuple[int, int]:
    return sampling_intervals(frame, stratum="agent", **options)["cost"]


def test_sessions_that_are_all_alike_leave_no_doubt() -> None:
    assert interval(sessions([7] * 30)) == (210, 210)


def test_the_interval_is_that_of_a_sum_of_independent_sessions() -> None:
    values = [n % 10 for n in range(400)]
    low, high = interval(sessions(values))
    deviation = (sum((v - 4.5) ** 2 for v in values)) ** 0.5
    assert low == pytest.approx(1_800 - 1.96 * deviation, abs=0.15 * deviation)
    assert high == pytest.approx(1_800 + 1.96 * deviation, abs=0.15 * deviation)


def test_an_agent_is_never_drawn_in_another_ones_place() -> None:
    strata = ["forge"] * 50 + ["sage"] * 50
    assert interval(sessions([1] * 50 + [1_000] * 50, strata)) == (50_050, 50_050)


def test_how_many_rows_are_drawn_at_a_time_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = sessions([n * n for n in range(100)])
    at_once = interval(frame, draws=50)
    monkeypatch.setattr(bootstrap, "_LARGEST_CHUNK", 700)
    assert interval(frame, draws=50) == at_once


def test_the_same_sessions_give_the_same_interval() -> None:
    frame = sessions([n * n for n in range(100)])
    assert interval(frame) == interval(frame)
    assert interval(frame) != interval(frame, seed=1)


@settings(max_examples=25)
@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=40))
def test_it_lies_within_what_the_smallest_and_the_largest_session_allow(values: list[int]) -> None:
    low, high = interval(sessions(values), draws=200)
    assert len(values) * min(values) <= low <= high <= len(values) * max(values)


def test_no_sessions_have_no_interval_but_zero() -> None:
    assert interval(sessions([])) == (0, 0)
