"""What a token costs of a window: found where it is there, refused where nobody can know."""

import random
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from fleet_pipeline.headroom import exchange_rates
from fleet_pipeline.headroom.exchange import CLASSES, FEWEST_STEPS, Fit, Step, fit

AS_OF = date(2026, 6, 17)
BEGAN = datetime(2026, 6, 1, tzinfo=UTC)
TRUE = (2.0, 0.05, 5.0)


def steps(
    windows: int = 12, each: int = 8, *, rates: tuple[float, ...] = TRUE, noise: float = 0.2
) -> list[Step]:
    chance = random.Random(5)
    found = []
    for window in range(windows):
        for _ in range(each):
            mtok = (chance.uniform(0, 2), chance.uniform(0, 40), chance.uniform(0, 0.4))
            gained = sum(rate * amount for rate, amount in zip(rates, mtok, strict=True))
            gained += chance.uniform(-noise, noise)
            found.append(Step(window, gained, mtok, BEGAN, BEGAN))
    return found


def test_rates_that_are_there_are_found_with_an_interval_around_them() -> None:
    found = fit(steps())
    assert isinstance(found, Fit) and found.r_squared > 0.9
    for true, rate, low, high in zip(TRUE, found.rates, found.low, found.high, strict=True):
        assert rate == pytest.approx(true, rel=0.1)
        assert low <= rate <= high and high - low > 0


def test_a_class_that_costs_nothing_is_not_given_a_negative_price() -> None:
    found = fit(steps(rates=(2.0, 0.0, 5.0)))
    assert isinstance(found, Fit)
    assert min(found.low) >= 0 and found.rates[1] < 0.02


@pytest.mark.parametrize(
    ("given", "plans", "reason"),
    [
        (steps(windows=6, each=(FEWEST_STEPS - 1) // 6), 1, "too_few_steps"),
        (steps(windows=4, each=30), 1, "too_few_windows"),
        (steps(), 2, "plan_changed"),
        (steps(windows=40, noise=12.0), 1, "does_not_fit"),
        (
            [*steps(), *(Step(1, 20.0, (0.0, 0.0, 0.0), BEGAN, BEGAN) for _ in range(20))],
            1,
            "spent_elsewhere",
        ),
        (
            [
                Step(s.window, s.gained * (4 if s.window >= 6 else 1), s.mtok, BEGAN, BEGAN)
                for s in steps()
            ],
            1,
            "drifted",
        ),
        ([], 1, "too_few_steps"),
    ],
)
def test_where_readings_do_not_allow_a_rate_the_reason_is_given(
    given: list[Step], plans: int, reason: str
) -> None:
    assert fit(given, plans=plans) == reason


def test_a_fit_comes_out_alike_each_time() -> None:
    assert fit(steps()) == fit(steps())


def a_month_of_readings() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Ten five-hour windows of Claude Max; each request costs what TRUE says of it."""
    chance = random.Random(9)
    readings, requests = [], []
    for window in range(10):
        start = BEGAN + timedelta(hours=10 * window)
        used = 0.0
        for minute in range(0, 290, 10):
            at = start + timedelta(minutes=minute)
            fresh, read, output = chance.randint(0, 900_000), chance.randint(0, 20_000_000), 90_000
            if minute:
                used += (TRUE[0] * fresh + TRUE[1] * read + TRUE[2] * output) / 1e6
                requests.append(("claude", "laptop", at, fresh, read, output))
            readings.append((at, min(100, int(used)), start + timedelta(hours=5)))
    return (
        pl.DataFrame(
            readings, schema=["ts", "used_percent", "resets_at"], orient="row"
        ).with_columns(
            client=pl.lit("claude"),
            host=pl.lit("laptop"),
            limit_id=pl.lit("claude_max"),
            limit_name=pl.lit("Claude Max"),
            window_minutes=pl.lit(300, pl.Int64),
            used_percent=pl.col("used_percent").cast(pl.Float64),
            plan_type=pl.lit(None, pl.String),
        ),
        pl.DataFrame(
            requests,
            schema=["client", "host", "ts", "input_tokens", "cache_read_tokens", "output_tokens"],
            orient="row",
        ).with_columns(
            model=pl.lit("claude-sonnet-4-6"),
            cache_write_5m_tokens=pl.lit(0, pl.Int64),
            cache_write_1h_tokens=pl.lit(0, pl.Int64),
        ),
    )


def test_readings_and_requests_give_the_rate_of_each_class_and_when_it_expires() -> None:
    readings, requests = a_month_of_readings()
    table = exchange_rates(readings, requests=requests, as_of=AS_OF)
    assert table["token_class"].to_list() == list(CLASSES)
    assert set(table["status"]) == {"fitted"} and table["reason"].null_count() == 3
    rates = dict(table.select("token_class", "percent_per_mtok").iter_rows())
    assert rates["input"] == pytest.approx(TRUE[0], rel=0.2)
    assert rates["cache_read"] == pytest.approx(TRUE[1], rel=0.2)
    assert table["windows"].unique().to_list() == [10]
    assert table["expires_on"].unique().to_list() == [date(2026, 6, 24)]


def test_a_refusal_names_no_class_and_no_rate() -> None:
    readings, requests = a_month_of_readings()
    [row] = exchange_rates(readings.head(20), requests=requests, as_of=AS_OF).to_dicts()
    assert (row["status"], row["reason"]) == ("refused", "too_few_steps")
    assert row["token_class"] is row["percent_per_mtok"] is row["expires_on"] is None


def test_readings_later_than_the_weeks_close_change_nothing() -> None:
    readings, requests = a_month_of_readings()
    late = readings.tail(20).with_columns(pl.col("ts") + timedelta(days=60))
    both = pl.concat([readings, late])
    assert exchange_rates(both, requests=requests, as_of=AS_OF).equals(
        exchange_rates(readings, requests=requests, as_of=AS_OF)
    )


def test_without_readings_there_is_nothing_to_say() -> None:
    readings, requests = a_month_of_readings()
    assert exchange_rates(readings.clear(), requests=requests, as_of=AS_OF).height == 0
