"""The ledger depends on transcripts alone: not on the machine, or on who writes meanwhile."""

import os
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from ..transcripts.claude_fixtures.lines import (
    after,
    encoded,
    finished_agent,
    read,
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

INGESTION = """
import sys
from pathlib import Path
from fleet_pipeline.home import Home
from fleet_pipeline.ledger import ingest, recount
from fleet_pipeline.transcripts.discover import Places
root = Path(sys.argv[1])
home = Home(root / "home")
ingest(home, [Places((root / "laptop/.claude",), (root / "laptop/.codex",), "laptop")])
recount(home)
"""

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
        subprocess.run(
            [sys.executable, "-c", INGESTION, str(machine.root)],
            env=os.environ | surroundings,
            check=True,
        )
        ledgers.append(machine.ledger_bytes())
        machine.root.rename(tmp_path / f"done-{len(ledgers)}")
    assert len(ledgers[0]) >= 3
    assert ledgers[0] == ledgers[1] == ledgers[2]


@pytest.mark.slow
def test_a_transcript_that_is_written_while_it_is_read_is_counted_whole_in_the_end(machine):
    """A client appends any number of bytes at a time, even half a character, while runs go on."""
    now = datetime.now(UTC) - timedelta(hours=1)
    lines = [reply(f"m{n}", usage(n, n), at=now, cwd="/work/Zoë 🚀") for n in range(4000)]
    path = machine.write(machine.claude("p/s.jsonl"), b"")
    source = path.with_name("source")
    source.write_bytes(transcript(*lines))
    writer = """
import os, random, sys, time
data, chance = open(sys.argv[1], "rb").read(), random.Random(7)
with open(sys.argv[2], "ab", buffering=0) as file:
    while data:
        size = chance.randint(1, 4000)
        file.write(data[:size])
        data = data[size:]
        time.sleep(0.001)
"""
    with subprocess.Popen([sys.executable, "-c", writer, str(source), str(path)]) as process:
        runs, before = 0, 0
        while process.poll() is None:
            machine.ingest()
            held = machine.billed()
            assert len(held) >= before, "a request was lost"
            runs, before = runs + 1, len(held)
    machine.ingest()
    assert runs > 10
    assert machine.sources()["quarantined"] == {}
    expected = count(set(said(path.read_bytes(), datetime.now(UTC))))
    assert machine.billed() == {key: billed.tokens for key, billed in expected.items()}


@pytest.mark.slow
def test_twenty_thousand_damaged_transcripts_cost_no_good_line():
    chance = random.Random(2026)
    whole = transcript(
        reply("x", usage(1, 2, iterations=[{"type": "compaction"} | usage(3, 4)])),
        finished_agent("a1", usage(5, 6)),
        reply("y", usage(7, 8, write_1h=9), request_id="r", content=[{"text": "Zoë 🚀 \\ud83d"}]),
    )
    first, last = transcript(reply("first")), transcript(reply("last"))
    for _ in range(20_000):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(damaged))
            size = chance.randint(0, 30)
            new = chance.choice([b"", chance.randbytes(size), damaged[place : place + size] * 2])
            damaged[place : place + chance.randint(0, 9)] = new
        file = read(first + bytes(damaged) + b"\n" + last)
        ids = [event.message_id for event in file.events]
        assert ids[0] == "first", bytes(damaged)
        assert "last" in ids, bytes(damaged)


@pytest.mark.slow
def test_a_line_of_a_hundred_megabytes_costs_little_memory(tmp_path):
    measured = INGESTION + (
        "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
    )
    peaks = []
    for size in (1, 100 * 10**6):
        machine = Machine(tmp_path / f"{size}")
        path = machine.write(machine.claude("p/s.jsonl"), transcript(reply("a")))
        with path.open("ab") as file:
            file.write(b'{"type":"user","message":"' + b"x" * size + b'"}\n' + encoded(reply("b")))
            file.write(b"\n")
        done = subprocess.run(
            [sys.executable, "-c", measured, str(machine.root)],
            capture_output=True,
            check=True,
        )
        peaks.append(int(done.stdout))
        assert set(machine.billed()) == {"a", "b"}
    assert machine.sources()["quarantined"] == {"too_long": 1}
    assert peaks[1] - peaks[0] < 256
