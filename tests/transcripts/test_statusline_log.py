"""The log of ``fleet statusline`` as quota readings."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_pipeline.transcripts.statusline_log import StatuslineLog, read_statusline_log

WRITTEN = datetime(2026, 6, 10, 12, tzinfo=UTC)
RESET = datetime(2026, 6, 10, 15, tzinfo=UTC)


def line(**given: object) -> bytes:
    """Return a line as 0.1.0 writes it, 42.5% of five hours used."""
    told: dict[str, object] = {
        "ts": "2026-06-10T11:59:00.250Z",
        "five_hour": {"used_percentage": 42.5, "resets_at": int(RESET.timestamp())},
        "session": "d2621f0461443148",
        "version": "2.1.330",
        "model": "claude-opus-5-5",
    }
    return json.dumps({key: value for key, value in (told | given).items() if value != {}}).encode()


def read(*lines: bytes) -> StatuslineLog:
    def placed() -> Iterator[tuple[int, bytes]]:
        offset = 0
        for data in lines:
            yield offset, data
            offset += len(data) + 1

    return read_statusline_log(placed(), written=WRITTEN)


def test_a_line_is_a_reading_of_each_of_its_windows() -> None:
    five_hour, seven_day = read(line(seven_day={"used_percentage": 17, "resets_at": None})).quota
    assert five_hour.ts == datetime(2026, 6, 10, 11, 59, 0, 250_000, tzinfo=UTC)
    assert (five_hour.limit_id, five_hour.limit_name) == ("claude_max", "Claude Max")
    assert (five_hour.window_minutes, five_hour.used_percent) == (300, 42.5)
    assert (five_hour.resets_at, five_hour.plan_type) == (RESET, None)
    assert (seven_day.limit_id, seven_day.window_minutes) == ("claude_max", 10_080)
    assert (seven_day.used_percent, seven_day.resets_at) == (17.0, None)


@pytest.mark.parametrize(
    ("window", "limit", "name", "minutes"),
    [
        ("seven_day_opus", "claude_max_opus", "Claude Max Opus", 10_080),
        ("seven_day_sonnet_5", "claude_max_sonnet_5", "Claude Max Sonnet 5", 10_080),
        ("thirty_day", "claude_max", "Claude Max", 43_200),
        ("one_hour", "claude_max", "Claude Max", 60),
    ],
)
def test_a_windows_name_tells_its_limit_and_length(
    window: str, limit: str, name: str, minutes: int
) -> None:
    [reading] = read(line(five_hour={}, **{window: {"used_percentage": 1}})).quota
    assert (reading.limit_id, reading.limit_name, reading.window_minutes) == (limit, name, minutes)


@pytest.mark.parametrize("window", ["overage", "some_day", "five_minutes", "five_hours", ""])
def test_a_window_whose_length_is_not_told_is_left_out_and_no_fault(window: str) -> None:
    log = read(line(**{window: {"used_percentage": 1}}))
    assert [reading.window_minutes for reading in log.quota] == [300]
    assert log.rejected == []


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"ts":"2026-', "unreadable"),
        (b"[1]", "unreadable"),
        (b"\xff\xfe", "unreadable"),
        (b"[" * 100_000, "unreadable"),
        (line(ts=None), "timestamp_missing"),
        (line(ts=1_795_390_000), "timestamp_missing"),
        (line(ts="yesterday"), "timestamp_missing"),
        (line(ts="2026-06-10T11:59:00"), "timestamp_without_zone"),
        (line(ts="2022-12-31T23:59:59Z"), "timestamp_too_old"),
        (line(ts="0001-01-01T00:00:00+14:00"), "timestamp_too_old"),
        (line(ts="2026-06-11T12:00:01Z"), "timestamp_in_future"),
        (line(ts="9999-12-31T23:59:59-12:00"), "timestamp_in_future"),
        (line(five_hour={"used_percentage": -1}), "bad_counter"),
        (line(five_hour={"used_percentage": True}), "bad_counter"),
        (line(five_hour={"used_percentage": "42"}), "bad_counter"),
        (line(five_hour={"used_percentage": 10**400}), "bad_counter"),
        (line(five_hour={"utilization": 1}), "bad_counter"),
    ],
)
def test_a_line_that_cannot_be_believed_is_set_apart_by_reason(data: bytes, reason: str) -> None:
    log = read(line(), data, line())
    assert [(bad.offset, bad.length, bad.reason) for bad in log.rejected] == [
        (len(line()) + 1, len(data), reason)
    ]
    assert len(log.quota) == 2


@pytest.mark.parametrize("reset", ["soon", -1, 10**18, True, [1]])
def test_a_reset_that_makes_no_sense_is_unknown(reset: object) -> None:
    [reading] = read(line(five_hour={"used_percentage": 1, "resets_at": reset})).quota
    assert reading.resets_at is None


@given(st.binary() | st.binary().map(lambda noise: line()[: len(noise)] + noise))
def test_any_bytes_are_a_reading_or_set_apart(data: bytes) -> None:
    log = read(data, line())
    assert len(log.rejected) <= 1
    assert log.quota
