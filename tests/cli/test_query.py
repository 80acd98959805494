"""``fleet query``: one SELECT over the lake, in the form that is asked for."""

import json
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from fleet_pipeline.cli import main

Run = Callable[..., Result]
WriteTranscript = Callable[..., Path]

FLEET = Path(sys.executable).with_name("fleet")
BY_MODEL = "select model, count(*) as requests from usage group by model order by model"


@pytest.fixture(autouse=True)
def ingested(fleet: Run, claude_transcript: WriteTranscript) -> None:
    """Three requests of one model, and one of another that a spreadsheet would run."""
    claude_transcript(3)
    claude_transcript(1, name="other", model="=model()")
    assert fleet("ingest").exit_code == 0


def test_the_answer_is_a_table(fleet: Run) -> None:
    assert fleet("query", BY_MODEL).stdout.splitlines() == [
        "model              requests",
        "-----------------  --------",
        "=model()                  1",
        "claude-sonnet-4-6         3",
    ]


def test_or_csv_that_no_spreadsheet_runs(fleet: Run) -> None:
    assert fleet("query", BY_MODEL, "--format", "csv").stdout == (
        "model,requests\n'=model(),1\nclaude-sonnet-4-6,3\n"
    )


def test_or_json(fleet: Run) -> None:
    assert json.loads(fleet("query", BY_MODEL, "--format", "json").stdout) == [
        {"model": "=model()", "requests": 1},
        {"model": "claude-sonnet-4-6", "requests": 3},
    ]


def test_or_parquet_for_another_program(fleet: Run) -> None:
    answer = pl.read_parquet(fleet("query", BY_MODEL, "--format", "parquet").stdout_bytes)
    assert answer.rows() == [("=model()", 1), ("claude-sonnet-4-6", 3)]


@pytest.mark.parametrize("form", ["table", "csv", "json", "parquet"])
def test_any_form_goes_into_a_private_file(fleet: Run, form: str) -> None:
    result = fleet("query", BY_MODEL, "--format", form, "--out", "answer")
    assert (result.exit_code, result.stdout) == (0, "")
    printed = fleet("query", BY_MODEL, "--format", form).stdout_bytes
    assert Path("answer").read_bytes() == printed
    assert stat.S_IMODE(Path("answer").stat().st_mode) == 0o600


def test_a_file_that_is_none_is_not_replaced(fleet: Run) -> None:
    result = fleet("query", BY_MODEL, "--out", "/dev/null")
    assert (result.exit_code, "--out /dev/null: it is no regular file" in result.stderr) == (
        2,
        True,
    )
    assert not Path("/dev/null").is_file()


def test_the_question_may_come_from_standard_input() -> None:
    result = CliRunner().invoke(main, ["query", "-", "--format", "csv"], input=f"{BY_MODEL};\n")
    assert result.stdout.splitlines()[0] == "model,requests"


def test_the_views_are_listed_with_their_columns(fleet: Run) -> None:
    listed = json.loads(fleet("query", "--tables", "--format", "json").stdout)
    assert {row["view"] for row in listed} == {
        "client_totals",
        "events_claude",
        "events_codex",
        "quota",
        "sessions",
        "unfamiliar",
        "usage",
    }
    assert {"view": "usage", "column": "ts", "type": "TIMESTAMP WITH TIME ZONE"} in listed


@pytest.mark.parametrize("arguments", [[], ["select 1", "--tables"]])
def test_it_is_either_a_question_or_the_list(fleet: Run, arguments: list[str]) -> None:
    result = fleet("query", *arguments)
    assert (result.exit_code, "give one SELECT" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    "question",
    [
        "selct",
        "select nope from usage",
        "select * from nowhere",
        "delete from usage",
        "select * from read_text('/etc/hostname')",
        "copy usage to 'copied.csv'",
    ],
)
def test_what_cannot_be_answered_is_told_in_one_line(fleet: Run, question: str) -> None:
    result = fleet("query", question)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("fleet: ")
    assert result.stderr.count("\n") == 1
    assert not Path("copied.csv").exists()


@pytest.mark.parametrize("form", ["table", "csv", "json", "parquet"])
def test_a_reader_who_has_left_is_no_error(form: str) -> None:
    # Several times what a pipe holds, in each form.
    question = "select range as n, md5(range::varchar) as text from range(10000)"
    command = [str(FLEET), "query", question, "--format", form]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout and process.stderr
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""


def test_the_question_changes_nothing_in_the_home(fleet: Run) -> None:
    def files() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}

    before = files()
    fleet("query", BY_MODEL)
    fleet("usage", "session")
    assert files() == before


def test_each_session_can_be_asked_for_beside_what_its_client_was_billed(fleet: Run) -> None:
    question = "select session_id, status, requests_without_totals as n from sessions order by 1"
    assert json.loads(fleet("query", question, "--format", "json").stdout) == [
        {"session_id": "other", "status": "not_comparable", "n": 1},
        {"session_id": "session", "status": "not_comparable", "n": 3},
    ]


@pytest.mark.parametrize("view", ["client_totals", "unfamiliar"])
def test_the_evidence_behind_it_can_be_asked_for_even_where_there_is_none(
    fleet: Run, view: str
) -> None:
    answer = fleet("query", f"select count(*) as n from {view}", "--format", "json").stdout
    assert json.loads(answer) == [{"n": 0}]


@pytest.mark.parametrize("content", [b"", b"PAR1 cut short", b"garbage" * 500])
@pytest.mark.parametrize(
    ("file", "question"),
    [
        ("usage/host=local/date=2026-06-10.parquet", "select count(*) from usage"),
        ("weekly/turns/2026-06-03.parquet", "select count(*) from turns"),
    ],
)
def test_a_damaged_file_is_named_with_what_makes_it_anew(
    fleet: Run, file: str, question: str, content: bytes
) -> None:
    path = Path(".fleet/lake", file).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    result = fleet("query", question)
    assert (result.exit_code, result.stdout) == (1, "")
    [said] = result.stderr.splitlines()
    assert said.startswith(f"fleet: {path} is damaged; `fleet re")
