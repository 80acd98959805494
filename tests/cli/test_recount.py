"""``fleet recount``: history is counted again without any transcript."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

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
