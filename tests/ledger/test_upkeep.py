"""The store is made smaller, and days let go of, on command only and never by accident."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from fleet_pipeline.cli import main
from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.ledger import ingest, upkeep

from ..transcripts.claude_fixtures.lines import after, reply, transcript, usage
from .test_write_faults import story


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def long(machine):
    """Return a machine with forty days of work, all of it taken in."""
    lines = [
        reply(f"m{day}-{n}", usage(n, day), at=after(days=day, minutes=n), sessionId=f"s{day}")
        for day in range(40)
        for n in range(3)
    ]
    machine.write(machine.claude("p/s.jsonl"), transcript(*lines), at=after(days=41))
    machine.ingest()
    return machine


def test_what_each_table_holds_is_told(long):
    by_name = {one.table: one for one in upkeep.holdings(long.home)}
    assert (by_name["usage"].rows, by_name["usage"].files) == (120, 40)
    assert by_name["events"].first == after().date()
    assert by_name["events"].last == after(days=39).date()
    assert by_name["events"].bytes > 0


def test_compacting_only_tells_unless_it_is_meant(long):
    before = bytes_of(long.home.root)
    told = upkeep.compact(long.home, for_real=False)
    assert told.bytes_after <= told.bytes_before
    assert bytes_of(long.home.root) == before


def test_compacting_changes_no_row_and_removes_what_killed_runs_left(long):
    half = long.home.lake / "events" / ".date=2026-01-01.parquet.part"
    half.write_bytes(b"half")
    rows, sources = long.rows(), long.sources()
    done = upkeep.compact(long.home, for_real=True)
    assert (done.leftovers, half.exists()) == (1, False)
    assert long.rows().equals(rows)
    assert long.sources() == sources
    assert upkeep.compact(long.home, for_real=True).bytes_after == done.bytes_after
    long.ingest(full=True)
    assert long.rows().equals(rows)


def test_evidence_stays_unless_lower_totals_are_asked_for(long):
    before = bytes_of(long.home.root)
    done = upkeep.let_go(long.home, after(days=20).date(), of_evidence=False, for_real=True)
    assert (done.requests, done.evidence_files) == (0, 0)
    assert bytes_of(long.home.root) == before


def test_days_go_when_they_are_asked_to_and_the_others_count_as_before(long):
    day = after(days=20).date()
    rows = long.rows()
    before = bytes_of(long.home.root)
    told = upkeep.let_go(long.home, day, of_evidence=True, for_real=False)
    assert bytes_of(long.home.root) == before
    done = upkeep.let_go(long.home, day, of_evidence=True, for_real=True)
    assert done == told
    assert done.requests == 60
    left = rows.filter(rows["ts"].dt.date() >= day)
    assert long.rows().equals(left)
    long.claude("p/s.jsonl").unlink()
    long.ingest()
    assert long.rows().equals(left)


def test_days_that_later_ones_need_do_not_go(machine):
    """A request that was begun before midnight is one with its copy from after it."""
    line = {"request_id": "req_a", "sessionId": "s"}
    early = reply("a", usage(5, 1), at=after(), stop=None, **line)
    late = reply("a", usage(5, 9), at=after(days=2), **line)
    machine.write(machine.claude("p/s.jsonl"), transcript(early), at=after(days=3))
    machine.write(machine.claude("p/t.jsonl"), transcript(late), at=after(days=3))
    machine.ingest()
    before = bytes_of(machine.home.root)
    with pytest.raises(ConfigurationError, match="choose another day"):
        upkeep.let_go(machine.home, after(days=1).date(), of_evidence=True, for_real=True)
    assert bytes_of(machine.home.root) == before


def test_nothing_goes_while_days_wait_to_be_counted(machine):
    """A run was killed between reading and counting: deleting would clear what it noted."""
    lines = [reply(f"m{day}", at=after(days=day)) for day in range(3)]
    machine.write(machine.claude("p/s.jsonl"), transcript(*lines))
    ingest(machine.home, machine.places())
    with pytest.raises(ConfigurationError, match="fleet recount"):
        upkeep.let_go(machine.home, after(days=1).date(), of_evidence=True, for_real=True)
    machine.ingest()
    assert machine.rows().height == 3


def test_codex_days_go_too(machine):
    story(machine, 3)
    machine.ingest()
    first = min(machine.rows()["ts"].dt.date())
    done = upkeep.let_go(machine.home, first + timedelta(days=1), of_evidence=True, for_real=False)
    assert done.requests > 0


def fleet(*arguments: object):
    return CliRunner().invoke(main, [str(one) for one in arguments])


def test_the_command_changes_nothing_without_yes(long, monkeypatch):
    monkeypatch.chdir(long.root)
    before = bytes_of(long.home.lake / "events")
    for command in (
        ("compact",),
        ("retain", "--before", "2026-06-10", "--lower-totals"),
        ("status",),
    ):
        done = fleet("lake", *command, "--home", long.home.root)
        assert done.exit_code == 0, done.output
        assert ("nothing was changed: --yes does it" in done.stderr) is (command[0] != "status")
    assert bytes_of(long.home.lake / "events") == before


def test_the_command_says_what_goes_and_lets_no_young_day_go(long, monkeypatch):
    monkeypatch.chdir(long.root)
    done = fleet(
        "lake",
        "retain",
        "--before",
        "2026-06-11",
        "--lower-totals",
        "--yes",
        "--json",
        "--home",
        long.home.root,
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["requests"] == 30
    assert long.rows().height == 90
    young = fleet("lake", "retain", "--before", date.today(), "--home", long.home.root)
    assert young.exit_code == 2
    assert "pages need the days since" in young.stderr
