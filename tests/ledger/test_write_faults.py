"""A run that dies at any moment leaves a home that the next run brings to the same bytes."""

import errno
import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from itertools import count
from pathlib import Path

import polars as pl
import pytest

from fleet_pipeline.errors import FleetError
from fleet_pipeline.ledger import recount

from ..transcripts.claude_fixtures.lines import after, reply, transcript, usage
from ..transcripts.codex_fixtures.rollouts import Rollout
from ..transcripts.codex_fixtures.rollouts import encoded as rollout_lines
from ..transcripts.codex_fixtures.rollouts import usage as codex_usage
from .machine import ONE_RUN, WRITTEN, Machine, fail_at
from .one_run import KINDS

OF_THE_MACHINE = (".lock", "glance.json")
"""Who held the lock last, and what the folders looked like: no two machines have them alike."""


def story(machine: Machine, days: int) -> None:
    """Leave transcripts of so many days; with more days the same files have grown."""
    lines = [
        reply(f"{day}-{n}", usage(n, day), at=after(days=day, minutes=n))
        for day in range(days)
        for n in range(3)
    ]
    at = WRITTEN + timedelta(hours=days)
    machine.write(machine.claude("p/s.jsonl"), transcript(*lines, b"broken"), at=at)
    limits = {"primary": {"used_percent": 1.5, "window_minutes": 300, "resets_at": 1780304402}}
    rollout = Rollout().event("token_count", info=None, rate_limits=limits).own_turn()
    for day in range(days):
        rollout.request(codex_usage(day + 1)).wait(hours=24)
    data = b"\n".join(rollout_lines(rollout)) + b"\n"
    machine.write(machine.codex("2026/06/01/rollout-1.jsonl"), data, at=at)


def lake(machine: Machine) -> dict[str, bytes]:
    """Return every file of the home; of the register all but inodes and when they changed."""
    whole = {
        path.relative_to(machine.home.root).as_posix(): path.read_bytes()
        for path in sorted(machine.home.root.rglob("*"))
        if path.is_file() and path.name not in OF_THE_MACHINE
    }
    register = pl.read_parquet(BytesIO(whole["lake/register.parquet"]))
    whole["lake/register.parquet"] = repr(register.drop("inode", "changed_ns").rows()).encode()
    return whole


def sizes(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield every file by name and size: how far a run that was cut short had come."""
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in OF_THE_MACHINE:
            yield path.name, path.stat().st_size


@pytest.fixture
def clean(tmp_path):
    """Return the home that runs without any fault leave."""
    machine = Machine(tmp_path / "machine")
    story(machine, 2)
    machine.ingest()
    story(machine, 3)
    machine.ingest()
    whole = lake(machine)
    machine.root.rename(tmp_path / "clean")
    return whole


def slow(kind: str) -> object:
    return pytest.param(kind, marks=pytest.mark.slow)


@pytest.mark.parametrize("kind", ["replace", *map(slow, (k for k in KINDS if k != "replace"))])
def test_a_run_that_fails_at_any_write_is_finished_by_the_next(tmp_path, clean, kind):
    """As SQLite tests its own: fail the first call, the second, and so on until it passes."""
    for number in count(1):
        machine = Machine(tmp_path / "machine")
        story(machine, 2)
        machine.ingest_if_anything_is_new()
        before = machine.billed()
        story(machine, 3)
        with pytest.MonkeyPatch.context() as patch:
            # Rows wait on disk, too: the clean home is of a run in which they did not.
            patch.setattr("fleet_pipeline.ledger.ingestion._ROWS_IN_MEMORY", 3)
            failed = fail_at(patch, kind, number)
            try:
                machine.ingest_if_anything_is_new()
            except (OSError, FleetError) as error:
                assert failed, error
        between = machine.billed()
        assert before.items() <= between.items(), "a total fell"
        assert between.keys() <= before.keys() | {f"2-{n}" for n in range(3)} | codex(between)
        machine.ingest_if_anything_is_new()
        assert lake(machine) == clean
        machine.root.rename(tmp_path / f"done-{number}")
        if not failed:
            break
    assert number > LEAST_CALLS.get(kind, 6), "hardly any call failed"


LEAST_CALLS = {"mkdir": 1, "unlink": 0, "ftruncate": 1, "pwrite": 1}
"""Of each other kind of call, a run makes more than six."""


@pytest.mark.parametrize("kind", ["fsync", "replace"])
def test_a_lost_ledger_that_cannot_be_written_at_once_is_whole_in_the_end(machine, kind):
    story(machine, 3)
    machine.ingest()
    whole = machine.ledger_bytes()
    for number in count(1):
        for path in (machine.home.lake / "usage").rglob("*.parquet"):
            path.unlink()
        with pytest.MonkeyPatch.context() as patch:
            failed = fail_at(patch, kind, number)
            try:
                machine.ingest()
            except OSError:
                assert failed
        machine.ingest()
        assert machine.ledger_bytes() == whole
        if not failed:
            break
    assert number > 3


def codex(keys) -> set[str]:
    return {key for key in keys if ":" in key}


def test_a_store_that_cannot_be_written_ends_the_run_and_is_no_bad_source(machine, monkeypatch):
    """A full disk under the home must not look like a transcript that could not be read."""
    story(machine, 1)
    for error in (PermissionError, FileNotFoundError, OSError):

        def refuse(*names, error=error):
            raise error(errno.EACCES, "refused")

        monkeypatch.setattr(os, "replace", refuse)
        with pytest.raises(OSError):
            machine.ingest()
    monkeypatch.undo()
    assert machine.ingest().files_read == 2
    assert len(machine.billed()) == 4


def test_a_recount_that_died_is_made_up_for(machine, monkeypatch):
    story(machine, 3)
    machine.ingest()
    whole = machine.ledger_bytes()
    for path in (machine.home.lake / "usage").rglob("*.parquet"):
        path.unlink()
    for number in count(1):
        with pytest.MonkeyPatch.context() as patch:
            failed = fail_at(patch, "replace", number)
            try:
                recount(machine.home, everything=True)
            except OSError:
                continue
        if not failed:
            break
    assert number > 2
    assert machine.ledger_bytes() == whole


@pytest.mark.parametrize("runs", [3])
def test_several_processes_at_once_give_what_one_gives(tmp_path, clean, runs):
    machine = Machine(tmp_path / "machine")
    story(machine, 3)
    processes = [
        subprocess.Popen([*ONE_RUN, str(machine.root)], stderr=subprocess.PIPE) for _ in range(runs)
    ]
    assert [process.communicate()[1] for process in processes] == [b""] * runs
    assert [process.returncode for process in processes] == [0] * runs
    machine.ingest()
    assert lake(machine).keys() == clean.keys()
    assert machine.ledger_bytes() == {
        name.removeprefix("lake/usage/"): data
        for name, data in clean.items()
        if name.startswith("lake/usage/")
    }


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_process_killed_at_any_write_leaves_a_home_that_the_next_run_completes(
    tmp_path, clean, kind
):
    for number in count(1):
        machine = Machine(tmp_path / "machine")
        story(machine, 2)
        machine.ingest_if_anything_is_new()
        story(machine, 3)
        killed = subprocess.run(
            [*ONE_RUN, str(machine.root), kind, str(number)], stdout=subprocess.DEVNULL
        ).returncode
        assert killed in (0, -signal.SIGKILL)
        machine.ingest_if_anything_is_new()
        assert lake(machine) == clean
        machine.root.rename(tmp_path / f"done-{number}")
        if not killed:
            break
    assert number > LEAST_CALLS.get(kind, 6), "hardly any call was reached"


@pytest.mark.slow
def test_a_process_killed_at_any_moment_leaves_a_home_that_the_next_run_completes(tmp_path, clean):
    """Two hundred moments; the longest that a run was seen to take is aimed at anew each time."""
    chance, longest, midway, left = random.Random(2026), 0.05, 0, set()
    for number in range(200):
        machine = Machine(tmp_path / "machine")
        story(machine, 2)
        machine.ingest_if_anything_is_new()
        story(machine, 3)
        with subprocess.Popen([*ONE_RUN, str(machine.root)], stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            began = time.monotonic()
            time.sleep(chance.uniform(0, longest))
            process.send_signal(signal.SIGKILL)
            midway += process.wait() == -signal.SIGKILL
            if process.returncode == 0:
                longest = max(0.05, time.monotonic() - began)
            else:
                longest = min(longest * 1.1, 5)
        left.add(frozenset(sizes(machine.home.lake)))
        machine.ingest_if_anything_is_new()
        assert lake(machine) == clean
        machine.root.rename(tmp_path / f"done-{number}")
    assert midway > 100, "most runs were over before the blow came"
    assert len(left) > 5, "the blow always came at the same place"


def test_the_note_of_what_is_to_be_counted_may_be_damaged(machine):
    """Whatever it is called: any small file of the lake that is no table is only a memory aid."""
    story(machine, 3)
    machine.ingest()
    before = machine.ledger_bytes()
    notes = [path for path in machine.home.lake.glob("*.json")]
    assert notes
    for damage in (b"", b"{", b"[]", json.dumps({"rules": "x"}).encode()):
        for note in notes:
            note.write_bytes(damage)
        machine.ingest()
        assert machine.ledger_bytes() == before
