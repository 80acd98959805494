"""Which days wait to be counted, as the note beside the evidence says it."""

from datetime import date

import pytest

from fleet_pipeline.home import Home
from fleet_pipeline.ledger.waiting import Waiting

FIRST, SECOND, THIRD = (date(2026, 6, day) for day in (1, 2, 3))


@pytest.fixture
def home(tmp_path) -> Home:
    """Return a home with evidence of three days, Codex's of two, all of it counted."""
    home = Home(tmp_path)
    for client, days in (("claude", (FIRST, SECOND, THIRD)), ("codex", (FIRST, SECOND))):
        for day in days:
            put(home, f"events/host=h/client={client}/date={day}.parquet")
            put(home, f"usage/host=h/date={day}.parquet")
    waiting = Waiting(home)
    waiting.add_everything()
    waiting.clear(rules=7)
    return home


def put(home: Home, name: str) -> None:
    path = home.lake / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def test_where_nothing_was_ever_counted_there_is_no_version_of_the_rules(tmp_path):
    assert Waiting(Home(tmp_path)).rules == 0


def test_what_was_counted_waits_no_more_and_by_which_rules_is_remembered(home):
    waiting = Waiting(home)
    assert (waiting.rules, waiting.is_any_day_left()) == (7, False)
    assert not waiting.days("claude") | waiting.days("codex")


def test_days_add_up_in_the_note_client_by_client(home):
    Waiting(home).add("claude", [THIRD])
    Waiting(home).add("claude", [FIRST])
    assert Waiting(home).days("claude") == {FIRST, THIRD}
    assert Waiting(home).days("codex") == set()
    assert Waiting(home).is_any_day_left()


def test_all_evidence_waits_for_its_own_client(home):
    waiting = Waiting(home)
    waiting.add_everything()
    assert waiting.days("claude") == {FIRST, SECOND, THIRD}
    assert waiting.days("codex") == {FIRST, SECOND}


def test_only_the_days_that_the_ledger_lost_wait_again(home):
    for day in (SECOND, THIRD):
        (home.lake / f"usage/host=h/date={day}.parquet").unlink()
    waiting = Waiting(home)
    assert waiting.is_any_day_left()
    waiting.add_lost_days()
    assert waiting.days("claude") == {SECOND, THIRD}
    assert waiting.days("codex") == {SECOND}


def test_where_nothing_is_lost_nothing_is_noted(home):
    before = (home.lake / "uncounted.json").read_bytes()
    waiting = Waiting(home)
    waiting.add_lost_days()
    assert (home.lake / "uncounted.json").read_bytes() == before
    assert not waiting.is_any_day_left()
