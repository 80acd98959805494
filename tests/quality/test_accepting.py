"""One check of one week may fail, if an operator says why; every other still refuses."""

from datetime import date
from pathlib import Path

import pytest

from fleet_pipeline import quality
from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.home import Home
from fleet_pipeline.quality.names import REFUSING, nearest

CLOSE, OTHER = date(2026, 6, 17), date(2026, 6, 10)
OFF = quality.Outcome("days_add_up", "error", False, "off by 1", remedy="report it")
SHRUNK = quality.Outcome("ledger_has_not_shrunk", "error", False, "fewer")
WARNED = quality.Outcome("window_is_whole", "warn", False, "a day missing")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.prepare()
    return home


def test_what_was_accepted_no_longer_refuses_and_is_told_with_its_reason(home: Home) -> None:
    quality.accept(home, CLOSE, "days_add_up", "seen by hand")
    gate = quality.gate([OFF, SHRUNK, WARNED], quality.accepted(home, CLOSE))
    assert gate.refusing == (SHRUNK,)
    assert gate.accepted == (
        {"check": "days_add_up", "because": "seen by hand", "says": "off by 1"},
    )


def test_a_check_is_accepted_for_one_week_and_no_other(home: Home) -> None:
    quality.accept(home, CLOSE, "days_add_up", "seen by hand")
    assert quality.accepted(home, OTHER) == []
    assert quality.gate([OFF], quality.accepted(home, OTHER)).refusing == (OFF,)


def test_a_check_that_passes_again_is_not_shown_as_accepted(home: Home) -> None:
    quality.accept(home, CLOSE, "days_add_up", "seen by hand")
    fine = quality.Outcome("days_add_up", "error", True, "fine")
    assert quality.gate([fine], quality.accepted(home, CLOSE)).accepted == ()


def test_a_second_reason_replaces_the_first_and_the_file_is_the_owners_alone(home: Home) -> None:
    for reason in ("first", "second"):
        quality.accept(home, CLOSE, "days_add_up", reason)
    assert quality.accepted(home, CLOSE) == [{"check": "days_add_up", "because": "second"}]
    [file] = (home.lake / "accepted").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_understood_is_named(home: Home) -> None:
    quality.accept(home, CLOSE, "days_add_up", "seen by hand")
    [file] = (home.lake / "accepted").iterdir()
    file.write_text("{")
    with pytest.raises(ConfigurationError, match=str(file)):
        quality.accepted(home, CLOSE)


def test_a_refusal_tells_the_check_what_it_found_and_what_to_do() -> None:
    assert OFF.told == "days_add_up: off by 1; report it"


def test_a_name_that_no_check_has_is_answered_with_the_nearest() -> None:
    assert "days_add_up" in REFUSING and "window_is_whole" not in REFUSING
    assert "days_add_up" in nearest("day_adds_up")
