"""``fleet recount``: history is counted again without any transcript."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]
WriteTranscript = Callable[..., Path]


def ledger_files() -> list[Path]:
    return sorted(Path(".fleet/lake/usage").rglob("*.parquet"))


def test_a_recount_of_a_true_ledger_changes_nothing(
    fleet: Run, claude_transcript: WriteTranscript
) -> None:
    claude_transcript(2)
    fleet("ingest")
    result = fleet("recount")
    assert result.exit_code == 0
    assert result.stdout == "no total changed\n0 of the ledger's files changed\n"


def test_what_the_ledger_lost_comes_back_though_the_transcripts_are_gone(
    fleet: Run, claude_transcript: WriteTranscript, machine: Path
) -> None:
    claude_transcript(2)
    fleet("ingest")
    before = {path: path.read_bytes() for path in ledger_files()}
    shutil.rmtree(machine / ".claude")
    for path in before:
        path.unlink()
    result = fleet("recount")
    assert "claude requests: 0 -> 2 (+2)" in result.stdout.splitlines()
    assert {path: path.read_bytes() for path in ledger_files()} == before


def test_a_lost_ledger_is_counted_again_by_the_next_ingestion(
    fleet: Run, claude_transcript: WriteTranscript
) -> None:
    claude_transcript(2)
    fleet("ingest")
    shutil.rmtree(".fleet/lake/usage")
    assert json.loads(fleet("ingest", "--json").stdout)["usage"]["claude"]["requests"] == 2


def test_the_totals_before_and_after_are_one_json_document(
    fleet: Run, claude_transcript: WriteTranscript
) -> None:
    claude_transcript(2)
    fleet("ingest")
    printed = json.loads(fleet("recount", "--json").stdout)
    assert printed["files_changed"] == 0
    assert printed["before"] == printed["after"]
    assert printed["after"]["claude"]["requests"] == 2


@pytest.mark.parametrize("content", [b"", b"PAR1 cut short", b"garbage" * 500 + b"PAR1"])
def test_a_damaged_day_of_the_ledger_is_counted_again_and_not_compared(
    fleet: Run, claude_transcript: WriteTranscript, machine: Path, content: bytes
) -> None:
    claude_transcript(2, name="a", day="2026-06-08")
    claude_transcript(3, name="b", day="2026-06-09")
    fleet("ingest")
    shutil.rmtree(machine / ".claude")
    before = {path: path.read_bytes() for path in ledger_files()}
    damaged = ledger_files()[0].absolute()
    damaged.write_bytes(content)
    usage = fleet("usage", "--since", "2026-06-09")
    assert (usage.exit_code, usage.stdout) == (1, "")
    assert usage.stderr == (
        f"fleet: {damaged} is damaged; `fleet recount` makes it anew from the evidence\n"
    )
    result = fleet("recount")
    assert result.exit_code == 0
    assert result.stdout == (
        f"{damaged} was damaged: counted again, and left out of what is compared\n"
        "no total changed\n1 of the ledger's files changed\n"
    )
    assert {path: path.read_bytes() for path in ledger_files()} == before
