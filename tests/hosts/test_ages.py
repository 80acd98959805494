"""How long each host has been quiet, seen from the day that a page speaks of."""

from datetime import date

import pytest

from fleet_pipeline.hosts import hosts, is_quiet, told
from fleet_pipeline.ledger import Sources
from fleet_pipeline.quality import hosts_are_reporting

AS_OF = date(2026, 6, 17)


def sources(**last_days: str) -> Sources:
    return {
        "files": 1, "bytes": 1, "lines": 1, "requests_lines": 1, "duplicates": 0,
        "quarantined": {}, "clients": {},
        "hosts": [
            {"host": host, "requests": 5, "last_ts": f"2026-{day}T12:00:00+00:00"}
            for host, day in last_days.items()
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("last_day", "days"),
    [("06-16", 0), ("06-15", 1), ("06-09", 7), ("06-08", 8), ("06-17", 0), ("08-01", 0)],
)
def test_quiet_days_are_whole_days_before_the_close_without_a_request(last_day, days):
    [host] = hosts(sources(box=last_day), [], AS_OF)
    assert host["quiet_days"] == days
    assert is_quiet(host) == (days > 7)


def test_a_listed_host_of_which_nothing_was_ever_read_is_shown_too():
    known = hosts(sources(desk="06-16"), ["desk", "box"], AS_OF)
    assert known[0] == {"host": "box", "requests": 0, "last_ts": None, "quiet_days": None}
    assert [host["host"] for host in known] == ["box", "desk"]
    assert [told(host) for host in known] == [
        "box: no request yet",
        "desk: last request on 2026-06-16",
    ]


def test_a_listed_host_that_went_quiet_is_a_warning_and_one_that_was_taken_out_is_none():
    known = hosts(sources(desk="06-16", old="01-01", box="06-01"), ["desk", "box"], AS_OF)
    found = hosts_are_reporting(known, ["desk", "box"])
    assert (found.passed, found.severity) == (False, "warn")
    assert "box: last request on 2026-06-01, quiet for 15 days" in found.says
    assert "old" not in found.says
    assert hosts_are_reporting(known, ["desk"]).passed


def test_one_machine_that_nobody_lists_is_no_warning():
    assert hosts_are_reporting(hosts(sources(local="01-01"), [], AS_OF), []).passed
