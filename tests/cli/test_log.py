"""``--log json``: what goes on, one JSON object a line, for whoever collects logs."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import Result

from fleet_pipeline.cli import ingest as ingest_command
from fleet_pipeline.cli import output

Run = Callable[..., Result]
WriteTranscript = Callable[..., Path]


def records(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stderr.splitlines()]


def test_every_line_is_an_object_with_its_time_level_and_command(
    fleet: Run, org: Path, claude_transcript: WriteTranscript
) -> None:
    claude_transcript(3)
    result = fleet("--log", "json", "ingest", "--json")
    assert result.exit_code == 0
    told = records(result)
    assert told
    for record in told:
        assert set(record) == {"ts", "level", "command", "process", "message"}
        assert (record["level"], record["command"]) == ("info", "ingest")
        assert datetime.fromisoformat(str(record["ts"])).utcoffset() is not None
    assert json.loads(result.stdout)["usage"]["claude"]["requests"] == 3
    assert "secret of the transcript" not in result.stderr


def test_the_environment_may_ask_for_it(
    fleet: Run, org: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEET_LOG", "json")
    assert all(record["command"] == "ingest" for record in records(fleet("ingest")))


def test_what_ends_a_command_is_an_error(fleet: Run, org: Path) -> None:
    for arguments in (("refresh", "--as-of", "2026-06-16"), ("ingest", "--claude", "nowhere")):
        result = fleet("--log", "json", *arguments)
        assert result.exit_code == 2
        assert records(result)[-1]["level"] == "error"
    wrong = fleet("--log", "json", "ingest", "--no-such-option")
    assert (wrong.exit_code, records(wrong)[-1]["level"]) == (2, "error")


def test_a_crash_is_told_without_what_it_quotes(
    fleet: Run, org: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("the secret of the transcript")

    monkeypatch.setattr(ingest_command, "bring_up_to_date", crash)
    result = fleet("--log", "json", "ingest")
    assert result.exit_code == 1
    [record] = records(result)
    assert record["level"] == "error"
    assert "RuntimeError" in str(record["message"])
    assert "secret" not in result.stderr


def test_without_it_a_person_reads_plain_lines(
    fleet: Run, org: Path, claude_transcript: WriteTranscript
) -> None:
    claude_transcript()
    assert not any(line.startswith("{") for line in fleet("ingest").stderr.splitlines())


def test_a_name_out_of_a_log_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    output.note("no list price for \x1b]0;owned\x07\u202emodel\nnext line")
    told = capsys.readouterr().err
    assert told == "no list price for \ufffd]0;owned\ufffd\ufffdmodel\nnext line\n"
