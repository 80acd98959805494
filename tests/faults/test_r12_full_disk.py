"""R12: a disk that is really full, not one that a test says is."""

import os
import subprocess

import pytest

from fleet_pipeline.home import Home

from ..ledger.machine import Machine
from ..transcripts.claude_fixtures.lines import after, reply, transcript, usage


def mounted(folder, size: str) -> bool:
    """Say whether a small disk could be put there; that takes root."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "fleet", str(folder)]
    return os.geteuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0


@pytest.mark.parametrize("rows_in_memory", [30_000, 100], ids=["in memory", "on disk"])
def test_a_disk_that_is_really_full_costs_a_run_and_nothing_else(
    tmp_path, monkeypatch, rows_in_memory
):
    """Whether rows wait in memory until everything was read, or fill the disk before that."""
    monkeypatch.setattr("fleet_pipeline.ledger.ingestion._ROWS_IN_MEMORY", rows_in_memory)
    machine = Machine(tmp_path)
    disk = tmp_path / "disk"
    disk.mkdir()
    if not mounted(disk, "400k"):
        pytest.skip("only root can mount a small disk")
    try:
        machine.home = Home(disk / "home")
        machine.write(machine.claude("p/a.jsonl"), transcript(reply("first")))
        machine.ingest()
        before = machine.billed()
        lines = [
            reply(f"m{day}-{n}", usage(n, day), at=after(days=day, minutes=n))
            for day in range(60)
            for n in range(40)
        ]
        machine.write(machine.claude("p/b.jsonl"), transcript(*lines), at=after(days=70))
        with pytest.raises(OSError, match="No space left") as told:
            machine.ingest()
        assert str(disk) in str(told.value.filename)
        assert before.items() <= machine.billed().items()
        remount = ["mount", "-o", "remount,size=16m", str(disk)]
        subprocess.run(remount, check=True)
        machine.ingest()
        assert len(machine.billed()) == 1 + len(lines)
        assert not list(disk.rglob("*.part"))
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
