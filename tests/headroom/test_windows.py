from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from fleet_pipeline.headroom import headroom

AS_OF = date(2026, 6, 17)
NOW = datetime(2026, 6, 17, tzinfo=UTC)
SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "client": pl.String,
    "host": pl.String,
    "ts": pl.Datetime("us", "UTC"),
    "limit_id": pl.String,
    "limit_name": pl.String,
    "window_minutes": pl.Int64,
    "used_percent": pl.Float64,
    "resets_at": pl.Datetime("us", "UTC"),
    "plan_type": pl.String,
}
EXPECTED = [
    (limit, minutes) for limit in ("Codex", "Spark", "Claude Max") for minutes in (300, 10_080)
]


def reading(hours_ago: float = 1.0, **given: object) -> dict[str, object]:
    """A reading of Codex's 5-hour window, 28% used, that has not been reset since."""
    return {
        "client": "codex",
        "host": "laptop",
        "ts": NOW - timedelta(hours=hours_ago),
        "limit_id": "codex",
        "limit_name": None,
        "window_minutes": 300,
        "used_percent": 28.0,
        "resets_at": NOW + timedelta(hours=1),
        "plan_type": "pro",
        **given,
    }


def run(*readings: dict[str, object], hosts: tuple[str, ...] = ("laptop",)) -> pl.DataFrame:
    return headroom(
        pl.DataFrame(readings, schema=SCHEMA),
        requests=pl.DataFrame({"host": hosts}, schema={"host": pl.String}),
        as_of=AS_OF,
    )


def first(table: pl.DataFrame) -> dict[str, object]:
    return table.row(0, named=True)


def test_windows_that_were_never_read_are_unknown_and_never_full_or_empty() -> None:
    table = run()
    assert table.select("limit", "window_minutes").rows() == EXPECTED
    assert set(table["status"]) == {"unknown"}
    assert table["remaining_share"].null_count() == len(EXPECTED)


def test_a_level_that_still_holds_says_what_is_left() -> None:
    row = first(run(reading()))
    assert (row["status"], row["remaining_share"], row["age_minutes"]) == ("fresh", 0.72, 60)


def test_the_latest_reading_before_the_week_closed_counts() -> None:
    later = reading(hours_ago=-0.5, used_percent=99.0)
    earlier = reading(hours_ago=2, used_percent=50.0)
    assert first(run(later, reading(), earlier))["used_percent"] == 28.0


def test_of_two_readings_at_one_moment_the_fuller_window_counts() -> None:
    assert first(run(reading(used_percent=28.0), reading(used_percent=30.0)))["used_percent"] == 30


def test_once_the_window_was_reset_its_level_is_no_longer_known() -> None:
    row = first(run(reading(resets_at=NOW)))
    assert (row["status"], row["remaining_share"]) == ("stale", None)
    assert row["used_percent"] == 28.0
    assert row["read_at"] == NOW - timedelta(hours=1)


@pytest.mark.parametrize(("hours_ago", "status"), [(5.0, "fresh"), (5.1, "stale"), (25, "stale")])
def test_a_reading_older_than_its_window_is_stale(hours_ago: float, status: str) -> None:
    assert first(run(reading(hours_ago=hours_ago, resets_at=None)))["status"] == status


@pytest.mark.parametrize(("logged", "place"), [(300, 0), (299, 0), (10_080, 1), (10_079, 1)])
def test_a_window_is_known_by_its_length(logged: int, place: int) -> None:
    table = run(reading(window_minutes=logged))
    assert table.height == len(EXPECTED)
    assert table["status"].to_list().index("fresh") == place


def test_sparks_limit_is_its_own() -> None:
    table = run(reading(limit_id="codex_bengalfox", limit_name="GPT-5.3-Codex-Spark"))
    assert table["status"].to_list().index("fresh") == 2
    assert table.filter(status="fresh").height == 1


def test_claudes_windows_are_known_by_client_and_limit() -> None:
    claude = reading(client="claude", limit_id="claude_max", limit_name="Claude Max")
    week = reading(client="codex", limit_id="claude_max", window_minutes=10_080)
    table = run(claude, week)
    assert table.filter(status="fresh").select("client", "limit", "window_minutes").rows() == [
        ("claude", "Claude Max", 300),
        ("codex", "claude_max", 10_080),
    ]


def test_a_limit_nobody_expected_is_shown_after_the_expected_ones() -> None:
    opus = {"limit_id": "claude_max_opus", "limit_name": "Claude Max Opus"}
    table = run(reading(client="claude", window_minutes=10_080, **opus))
    assert table.select("limit", "window_minutes").rows() == [
        *EXPECTED,
        ("Claude Max Opus", 10_080),
    ]


@pytest.mark.parametrize(("used", "left"), [(120.0, 0.0), (-3.0, 1.0), (0.0, 1.0), (100.0, 0.0)])
def test_what_is_left_stays_between_nothing_and_all(used: float, left: float) -> None:
    assert first(run(reading(used_percent=used)))["remaining_share"] == left


@pytest.mark.parametrize("used", [None, float("nan"), float("inf")])
def test_a_reading_without_a_level_is_no_reading(used: float | None) -> None:
    assert first(run(reading(used_percent=used)))["status"] == "unknown"


def test_the_synthetic_fleets_limits_are_never_shown_as_real_ones() -> None:
    demo = reading(host="demo")
    assert first(run(demo, hosts=("demo",)))["status"] == "fresh"
    assert first(run(demo, hosts=("demo", "laptop")))["status"] == "unknown"
    assert first(run(demo, reading(used_percent=9.0), hosts=()))["used_percent"] == 9.0


def test_the_burn_rate_is_that_of_the_window_in_force() -> None:
    earlier_window = reading(hours_ago=3.9, used_percent=90.0, resets_at=NOW - timedelta(hours=3))
    row = first(run(earlier_window, reading(hours_ago=3, used_percent=8.0), reading()))
    assert row["burn_percent_per_hour"] == pytest.approx(10.0)
    assert row["burn_from"] == NOW - timedelta(hours=3)


def test_a_window_that_would_be_empty_before_its_reset_runs_out() -> None:
    reset = {"resets_at": NOW + timedelta(hours=2)}
    row = first(run(reading(2, used_percent=60.0, **reset), reading(1, used_percent=80.0, **reset)))
    assert (row["minutes_to_empty"], row["outlook"]) == (0, "runs_out")


def test_the_time_to_empty_counts_from_the_weeks_close_and_not_from_the_reading() -> None:
    reset = {"resets_at": NOW + timedelta(hours=3)}
    row = first(run(reading(2, used_percent=10.0, **reset), reading(1, used_percent=40.0, **reset)))
    assert row["minutes_to_empty"] == 60
    assert row["outlook"] == "runs_out"


def test_a_window_that_is_reset_before_it_is_empty_lasts() -> None:
    row = first(run(reading(3, used_percent=26.0), reading(1)))
    assert (row["minutes_to_empty"], row["outlook"]) == (72 * 60 - 60, "lasts")


def test_a_meter_that_stands_still_lasts_without_a_time() -> None:
    row = first(run(reading(3), reading(1)))
    assert (row["burn_percent_per_hour"], row["minutes_to_empty"]) == (0.0, None)
    assert row["outlook"] == "lasts"


def test_two_readings_close_together_give_no_rate() -> None:
    row = first(run(reading(1.2, used_percent=27.0), reading(1)))
    assert (row["burn_percent_per_hour"], row["outlook"]) == (None, "unknown")


def test_nothing_is_foreseen_of_a_window_that_was_reset() -> None:
    row = first(run(reading(3, used_percent=5.0, resets_at=NOW), reading(1, resets_at=NOW)))
    assert (row["burn_percent_per_hour"], row["outlook"]) == (None, "unknown")
