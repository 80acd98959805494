"""Files of the lake that cannot be read: named, made anew, and nothing of them lost in silence."""

import random
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from fleet_pipeline.errors import FleetError
from fleet_pipeline.ledger import damage, drop_damaged_days, recount, store
from fleet_pipeline.ledger.evidence import CLAUDE

from ..transcripts.claude_fixtures.lines import after, reply, transcript
from .machine import Machine

HOW = ("cut", "empty", "garbage", "bad page", "bad footer")


def damaged(path: Path, how: str) -> bytes:
    """Damage a file in place; return what it held before."""
    whole = path.read_bytes()
    data = bytearray(whole)
    match how:
        case "cut":
            del data[-10:]
        case "empty":
            data.clear()
        case "garbage":
            data[:] = bytes(range(256)) * 8
        case "bad page":
            data[60:160] = b"\xff" * 100
        case "bad footer":
            data[-60:-20] = b"\xff" * 40
    path.write_bytes(data)
    return whole


@pytest.fixture
def counted(machine: Machine) -> Machine:
    """Two days of Claude, the second one in two transcripts."""
    first = (reply(f"a{n}") for n in range(50))
    second = (reply(f"b{n}", at=after(days=1)) for n in range(50))
    machine.write(machine.claude("p/s.jsonl"), transcript(*first, *second))
    machine.write(machine.claude("p/t.jsonl"), transcript(reply("c", at=after(days=1))))
    machine.ingest()
    return machine


def table(machine: Machine, folder: str) -> Path:
    """Return the last day of a table."""
    return sorted((machine.home.lake / folder).rglob("*.parquet"))[-1]


@pytest.mark.parametrize("how", HOW)
def test_damaged_evidence_ends_the_run_with_an_error_that_names_it_and_stays_as_it_is(counted, how):
    """It is the record: nothing may be written over what could still be mended."""
    day = table(counted, "events")
    damaged(day, how)
    left = day.read_bytes()
    counted.write(counted.claude("p/u.jsonl"), transcript(reply("d", at=after(days=1))))
    with pytest.raises(FleetError, match=f"{day.name} is damaged.*fleet ingest --full"):
        counted.ingest()
    assert day.read_bytes() == left


@pytest.mark.parametrize("how", HOW)
def test_reading_everything_sets_damaged_evidence_aside_and_makes_it_anew(counted, how):
    day, ledger = table(counted, "events"), counted.ledger_bytes()
    whole = damaged(day, how)
    left = day.read_bytes()
    report = counted.ingest(full=True)
    assert day.read_bytes() == whole
    assert counted.ledger_bytes() == ledger
    assert (
        report.set_aside
        == damage.lies_aside(counted.home)
        == [day.with_name(f"{day.name}.damaged")]
    )
    assert report.set_aside[0].read_bytes() == left


def test_every_kind_of_evidence_is_made_anew(counted):
    """What is not by day, too: how much each transcript held, and which lines were not believed."""
    path = counted.claude("p/s.jsonl")
    counted.write(path, path.read_bytes() + b'{"type":"assistant","message":{"usage":\n')
    counted.ingest()
    before = counted.sources()
    places = [*counted.home.lake.glob("transcripts/*.parquet"), *counted.home.quarantine.iterdir()]
    whole = {place: damaged(place, "cut") for place in places}
    assert len(whole) == 2
    assert damage.damaged_evidence(counted.home) == sorted(whole, reverse=True)
    counted.ingest(full=True)
    assert {place: place.read_bytes() for place in places} == whole
    assert counted.sources() == before


def test_what_was_set_aside_is_never_written_over(counted):
    day = table(counted, "events")
    for how in HOW:
        damaged(day, how)
        counted.ingest(full=True)
    aside = damage.lies_aside(counted.home)
    assert len(aside) == len({path.read_bytes() for path in aside}) == len(HOW)


def test_a_run_that_dies_once_evidence_was_set_aside_is_finished_by_the_next(counted):
    """The register said that all of it was read: it has to go before the evidence does."""
    ledger = counted.ledger_bytes()
    damaged(table(counted, "events"), "cut")
    damage.set_aside(counted.home)
    counted.ingest_if_anything_is_new()
    assert counted.ledger_bytes() == ledger


def test_what_only_a_backup_holds_comes_back_with_it(counted):
    """The file is put in its place, whatever was made anew there, and everything is read."""
    day, ledger = table(counted, "events"), counted.ledger_bytes()
    backup = damaged(day, "garbage")
    counted.claude("p/s.jsonl").unlink()
    counted.ingest(full=True)
    assert counted.rows().height == 51
    day.write_bytes(backup)
    counted.ingest(full=True)
    recount(counted.home, everything=True)
    assert counted.ledger_bytes() == ledger


@pytest.mark.parametrize("how", HOW)
def test_a_damaged_day_of_the_ledger_is_counted_again(counted, how):
    """It is derived: the evidence has everything that it takes."""
    before, day = counted.ledger_bytes(), table(counted, "usage")
    damaged(day, how)
    with pytest.raises(FleetError, match=f"{day.name} is damaged; `fleet recount`"):
        counted.rows()
    recount(counted.home, everything=True)
    assert counted.ledger_bytes() == before


def test_no_day_of_the_ledger_is_dropped_that_damaged_evidence_cannot_bring_back(counted):
    day, evidence = table(counted, "usage"), table(counted, "events")
    damaged(day, "cut")
    damaged(evidence, "cut")
    with pytest.raises(FleetError, match=f"{evidence} is damaged"):
        recount(counted.home, everything=True)
    assert day.exists()


def test_what_is_called_whole_can_be_read_and_nothing_ends_the_look(counted, tmp_path):
    """Bytes anywhere: at some of them Polars, asked alone, ends its process."""
    whole, path = table(counted, "events").read_bytes(), tmp_path / "date=2026-06-11.parquet"
    chance, found = random.Random(2026), Counter()
    for _ in range(400):
        data, place = bytearray(whole), chance.randrange(len(whole))
        length = min(chance.choice((1, 4, 64, 512)), len(whole) - place)
        data[place : place + length] = chance.choice((chance.randbytes(length), bytes(length)))
        path.write_bytes(data)
        is_whole = damage.is_whole(path, CLAUDE)
        found[is_whole] += 1
        if is_whole:
            store.read_frame(path, CLAUDE)
    assert found[False] > 200


def test_what_cannot_even_be_opened_is_not_taken_for_damaged(counted):
    day = table(counted, "events")
    day.unlink()
    day.mkdir()
    with pytest.raises(IsADirectoryError, match=day.name):
        counted.ingest(full=True)
    assert damage.lies_aside(counted.home) == []
    assert (counted.home.lake / "register.parquet").exists()


def test_memory_that_runs_out_is_no_damage(counted, monkeypatch):
    """Arrow's own error of that name is an error of Arrow as well."""

    def run_out(*_, **__):
        raise pa.ArrowMemoryError

    monkeypatch.setattr("pyarrow.parquet.read_table", run_out)
    with pytest.raises(MemoryError):
        damage.damaged_days(counted.home)


def test_a_whole_lake_is_left_alone(counted):
    assert damage.set_aside(counted.home) == drop_damaged_days(counted.home) == []
    assert (counted.home.lake / "register.parquet").exists()


@pytest.mark.parametrize(
    ("path", "remedy"),
    [
        ("/events/home/lake/usage/host=a/date=2026-06-01.parquet", "`fleet recount`"),
        (
            "/usage/lake/weekly/target_proxy/2026-06-03.parquet",
            "`fleet refresh --as-of 2026-06-10`",
        ),
        ("/usage/lake/events/host=a/client=codex/date=2026-06-01.parquet", "fleet ingest --full"),
        ("/usage/home/quarantine/host=a.parquet", "fleet ingest --full"),
        ("/usage/lake/catalog/free_apis/20261127.parquet", "backup, or delete it"),
    ],
)
def test_what_to_do_about_a_damaged_file_depends_on_what_it_was_made_of(path, remedy):
    said = str(store.damaged(Path(path)))
    assert said.startswith(f"{path} is damaged; ")
    assert remedy in said
