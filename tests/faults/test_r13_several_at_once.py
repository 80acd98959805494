"""R13: two to eight processes on one home, round after round."""

import os
import random
import subprocess

import pytest

from ..ledger.machine import ONE_RUN, Machine
from ..ledger.test_write_faults import story

ROUNDS = 50 if os.environ.get("FLEET_FAULTS_FULL") else 4


@pytest.mark.slow
def test_many_processes_on_one_home_leave_what_one_leaves(tmp_path):
    chance = random.Random(2026)
    alone = Machine(tmp_path / "alone")
    story(alone, 3)
    alone.ingest()
    for number in range(ROUNDS):
        machine = Machine(tmp_path / f"round-{number}")
        story(machine, 2)
        machine.ingest()
        story(machine, 3)
        processes = [
            subprocess.Popen([*ONE_RUN, str(machine.root)], stdout=subprocess.DEVNULL)
            for _ in range(chance.randint(2, 8))
        ]
        assert {process.wait() for process in processes} == {0}
        assert machine.ledger_bytes() == alone.ledger_bytes()
