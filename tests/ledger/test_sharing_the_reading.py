"""Reading shared among processes: the store is the same, and a process that dies loses nothing."""

import sys

import pytest

from fleet_pipeline.errors import ReaderError
from fleet_pipeline.ledger import ingest, recount, workers
from fleet_pipeline.transcripts.discover import find

from ..transcripts.claude_fixtures.lines import after, encoded, reply, transcript, usage
from ..transcripts.codex_fixtures.rollouts import Rollout
from ..transcripts.codex_fixtures.rollouts import encoded as rollout_lines
from ..transcripts.codex_fixtures.rollouts import usage as codex_usage
from .machine import Machine

FILES = 7


def fleet(machine: Machine) -> None:
    """Leave transcripts that copy from each other, damaged lines and a rollout."""
    for n in range(FILES):
        lines = [reply(f"m{n + k}", usage(k, n * k), at=after(hours=n + k)) for k in range(20)]
        damaged = encoded(reply(f"d{n}", usage(-1, 2)))
        unknown = {"type": f"holo-{n}", "text": "x" * 900}
        machine.write(machine.claude(f"p/{n}.jsonl"), transcript(*lines, damaged, unknown))
    rollout = Rollout().own_turn().request(codex_usage(5, 7), times=2)
    machine.write(machine.codex("rollout-1.jsonl"), b"\n".join(rollout_lines(rollout)) + b"\n")


def store(machine: Machine) -> dict[str, bytes]:
    """Return all of the store but its lock, which names the process that held it."""
    root = machine.home.root
    paths = (path for path in sorted(root.rglob("*")) if path.is_file() and path.name != ".lock")
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def read_by(machine: Machine, readers: int, **how: object) -> None:
    ingest(machine.home, machine.places(), readers=readers, **how)
    recount(machine.home)


def test_the_store_does_not_depend_on_how_many_read(machine):
    fleet(machine)
    stores = []
    for readers in (0, 1, 2, 4):
        read_by(machine, readers)
        stores.append(store(machine))
        machine.home.root.rename(machine.root / f"home-{readers}")
    assert any(name.startswith("lake/usage/") for name in stores[0])
    assert all(other == stores[0] for other in stores)


def test_what_has_come_since_is_shared_as_well(machine):
    fleet(machine)
    read_by(machine, 2)
    for n in range(FILES):
        with machine.claude(f"p/{n}.jsonl").open("ab") as file:
            file.write(transcript(reply(f"late{n}", usage(n, 3), at=after(hours=90))))
    read_by(machine, 3)
    grown = machine.rows()
    read_by(machine, 0, full=True)
    assert machine.rows().equals(grown)
    assert sum(name.startswith("late") for name in grown["message_id"]) == FILES


def test_files_that_another_process_cannot_read_are_told(machine):
    fleet(machine)
    found = [find(places) for places in machine.places()]
    for n in range(FILES):
        machine.claude(f"p/{n}.jsonl").unlink()
    report = ingest(machine.home, machine.places(), found=found, readers=3)
    assert report.passed_over == {"vanished": FILES}
    assert report.files_read == 1


DIES = """
import os, signal, sys
from multiprocessing.connection import Connection
from fleet_pipeline.ledger.reading import read_files
connection = Connection(int(sys.argv[1]))
host, share = connection.recv()
connection.send(next(read_files(host, share[:1])))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("script", [DIES, "pass"], ids=["killed at work", "never began"])
def test_a_process_that_dies_ends_the_run_and_the_next_one_makes_it_good(
    machine, monkeypatch, script
):
    fleet(machine)
    with monkeypatch.context() as patch:
        patch.setattr(workers, "_COMMAND", (sys.executable, "-c", script))
        with pytest.raises(ReaderError, match=r"ended early.*nothing is lost"):
            read_by(machine, 2)
    given = list(machine.home.lake.glob("events/**/*.parquet"))
    assert bool(given) == (script == DIES), "what it had given is kept"
    read_by(machine, 0)
    made_good = store(machine)
    machine.home.root.rename(machine.root / "died")
    read_by(machine, 0)
    assert store(machine) == made_good
