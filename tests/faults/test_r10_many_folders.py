"""R10: a tree of ten thousand folders with a pipe among them ends, and is counted."""

import os
import time

from fleet_pipeline.transcripts.discover import find

from ..ledger.machine import Machine
from ..transcripts.claude_fixtures.lines import reply, transcript


def test_ten_thousand_folders_and_a_pipe_hold_nothing_up(tmp_path):
    machine = Machine(tmp_path)
    machine.write(machine.claude("p/s.jsonl"), transcript(reply("a"), reply("b")))
    for number in range(10_000):
        machine.claude(f"empty-{number}").mkdir()
    os.mkfifo(machine.claude("empty-5000/pipe.jsonl"))
    began = time.monotonic()
    [found] = [find(places) for places in machine.places()]
    machine.ingest()
    assert time.monotonic() - began < 20
    assert sum(found.passed_over.values()) == 1
    assert len(machine.billed()) == 2
