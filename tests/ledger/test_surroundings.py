"""The ledger depends on transcripts alone: not on the machine, or on who writes meanwhile."""

import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from ..transcripts.claude_fixtures.lines import (
    after,
    finished_agent,
    reply,
    rewritten,
    transcript,
    usage,
)
from ..transcripts.codex_fixtures.rollouts import Rollout
from ..transcripts.codex_fixtures.rollouts import encoded as rollout_lines
from ..transcripts.codex_fixtures.rollouts import usage as codex_usage
from .machine import Machine
from .reference_counter import count, said

SURROUNDINGS = [
    {"POLARS_MAX_THREADS": "1", "PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati"},
    {"POLARS_MAX_THREADS": "4", "PYTHONHASHSEED": "2", "TZ": "America/St_Johns", "LC_ALL": "C"},
    {"POLARS_MAX_THREADS": "2", "PYTHONHASHSEED": "3", "TZ": "UTC", "LC_ALL": "C.UTF-8"},
]


def fleet(machine: Machine) -> None:
    """Leave a few hundred requests of several sessions, with copies, forks and subagents."""
    for session in range(6):
        lines = []
        for n in range(60):
            name, at = f"{session % 5}-{n}", after(hours=session * 7, minutes=n * 5)
            agent = {"agentId": f"a{n % 4}", "isSidechain": True} if n % 3 == 0 else {}
            stop = None if n % 6 == 0 else "end_turn"
            counters = usage(n, n * 3 % 7, write_5m=n % 5, read=n)
            lines.append(reply(name, counters, at=at, stop=stop, request_id=f"r{name}", **agent))
            lines.append(reply(rewritten(f"{name}{session}"), at=at, request_id=f"r{name}"))
            if n % 6 == 0:
                note = finished_agent(f"a{n % 4}", usage(n, 50, read=n), at=at)
                lines.append(note | {"timestamp": lines[-1]["timestamp"]})
        random.Random(session).shuffle(lines)
        machine.write(machine.claude(f"p{session % 2}/{session}.jsonl"), transcript(*lines))
    rollout = Rollout().own_turn()
    for n in range(40):
        rollout.request(codex_usage(n + 1, n), times=1 + n % 3).wait(hours=1)
    machine.write(machine.codex("rollout-1.jsonl"), b"\n".join(rollout_lines(rollout)) + b"\n")


def test_threads_time_zone_language_and_hash_seed_make_no_difference(tmp_path):
    ledgers = []
    for surroundings in SURROUNDINGS:
        machine = Machine(tmp_path / "machine")
        fleet(machine)
        machine.ingest_apart(surroundings)
        ledgers.append(machine.ledger_bytes())
        machine.root.rename(tmp_path / f"done-{len(ledgers)}")
    assert len(ledgers[0]) >= 3
    assert ledgers[0] == ledgers[1] == ledgers[2]


@pytest.mark.slow
def test_a_transcript_that_is_written_while_it_is_read_is_counted_whole_in_the_end(machine):
    """A client appends any number of bytes at a time, even half a character, in 200 readings."""
    now = datetime.now(UTC) - timedelta(hours=1)
    lines = [reply(f"m{n}", usage(n, n), at=now, cwd="/work/Zoë 🚀") for n in range(4000)]
    path = machine.write(machine.claude("p/s.jsonl"), b"")
    source = path.with_name("source")
    source.write_bytes(transcript(*lines))
    writer = """
import random, sys, time
data, chance = open(sys.argv[1], "rb").read(), random.Random(7)
cuts = [0, *sorted(chance.sample(range(1, len(data)), 6 * 200 - 1)), len(data)]
with open(sys.argv[2], "ab", buffering=0) as file:
    for reading, _ in enumerate(sys.stdin):
        for at in range(6 * reading, 6 * reading + 6):
            file.write(data[cuts[at] : cuts[at + 1]])
            time.sleep(0.001)
"""
    command = [sys.executable, "-c", writer, str(source), str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, bufsize=0) as process:
        written_meanwhile, before = 0, 0
        for _ in range(200):  # the writer goes on at each run, however slow the machine is
            process.stdin.write(b"\n")
            size = path.stat().st_size
            machine.ingest()
            written_meanwhile += path.stat().st_size > size
            held = machine.billed()
            assert len(held) >= before, "a request was lost"
            before = len(held)
    assert process.returncode == 0
    machine.ingest()
    assert written_meanwhile > 50
    assert machine.held()["quarantined"] == {}
    expected = count(set(said(path.read_bytes(), datetime.now(UTC))))
    assert machine.billed() == {key: billed.tokens for key, billed in expected.items()}
