"""R19: which week it is depends on UTC alone, and on no hour."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from fleet_pipeline.weeks import WINDOW, latest_close


@pytest.mark.parametrize("close", [date(2026, 4, 1), date(2026, 10, 28), date(2028, 3, 1)])
@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Europe/Berlin", "Pacific/Kiritimati"])
@pytest.mark.parametrize("hours", [0, 26, 6 * 24 + 23])
def test_a_run_that_is_late_or_local_is_for_the_same_week(close, zone, hours):
    """The Wednesdays after the clocks change, and the day after the 29th of February."""
    began = datetime(close.year, close.month, close.day, tzinfo=UTC) + timedelta(hours=hours)
    here = began.astimezone(ZoneInfo(zone))
    assert latest_close(here.astimezone(UTC).date()) == close
    assert timedelta(days=30) == WINDOW
