"""``fleet usage``: the ledger in the columns of ccusage."""

import json
import os
import pty
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]
WriteTranscript = Callable[..., Path]

FLEET = Path(sys.executable).with_name("fleet")


@pytest.fixture
def ingested(
    fleet: Run, claude_transcript: WriteTranscript, codex_transcript: WriteTranscript
) -> None:
    """Two sessions of Claude Code on two days, and one request of Codex."""
    claude_transcript(2, name="first", day="2026-06-09")
    claude_transcript(1, name="second", model="claude-opus-4-7")
    codex_transcript()
    assert fleet("ingest").exit_code == 0


def document(result: Result) -> dict[str, list[dict[str, object]]]:
    assert result.exit_code == 0, result.stderr
    read: dict[str, list[dict[str, object]]] = json.loads(result.stdout)
    return read


@pytest.mark.usefixtures("ingested")
class TestReports:
    def test_days_are_what_is_shown_unless_something_else_is_asked_for(self, fleet: Run) -> None:
        assert fleet("usage").stdout == fleet("usage", "daily").stdout
        lines = fleet("usage").stdout.splitlines()
        assert lines[0].split("  ")[0] == "Date"
        assert [line.split()[0] for line in lines[2:4]] == ["2026-06-09", "2026-06-10"]
        assert lines[5].split()[:2] == ["Total", "330"]

    def test_the_same_as_json(self, fleet: Run) -> None:
        printed = document(fleet("usage", "daily", "--json"))
        assert [(day["date"], day["requests"]) for day in printed["daily"]] == [
            ("2026-06-09", 2),
            ("2026-06-10", 2),
        ]
        assert set(printed) == {"daily", "totals", "timezone", "since", "until", "newest"}
        assert printed["newest"] == "2026-06-10T11:00:02.000Z"

    @pytest.mark.parametrize(
        ("kind", "keys"),
        [
            ("weekly", {"2026-06-03", "2026-06-10"}),
            ("monthly", {"2026-06"}),
            ("session", {"first", "second", "0197702b-7aa0-7000-8000-000000000001"}),
            ("model", {"claude-sonnet-4-6", "claude-opus-4-7", "gpt-5.5-codex"}),
            ("blocks", {"2026-06-09", "2026-06-10", "gap"}),
        ],
    )
    def test_every_kind_has_its_rows(self, fleet: Run, kind: str, keys: set[str]) -> None:
        lines = fleet("usage", kind).stdout.splitlines()
        end = next(place for place, line in enumerate(lines) if line.startswith("Total"))
        assert {line.split()[0] for line in lines[2 : end - 1]} == keys

    def test_agents_are_those_of_the_organisation(self, fleet: Run, org: Path) -> None:
        printed = document(fleet("usage", "agent", "--json", "--org", org))
        assert [(row["agent"], row["requests"]) for row in printed["agents"]] == [
            ("forge", 3),
            ("unattributed", 1),
        ]

    def test_one_client_may_be_asked_for(self, fleet: Run) -> None:
        clients = {}
        for client in ("claude", "codex", "all"):
            printed = document(fleet("usage", "--json", "--client", client))
            clients[client] = sum(int(str(day["requests"])) for day in printed["daily"])
        assert clients == {"claude": 3, "codex": 1, "all": 4}

    def test_blocks_are_claudes(self, fleet: Run) -> None:
        blocks = document(fleet("usage", "blocks", "--json"))["blocks"]
        assert sum(int(str(block["entries"])) for block in blocks) == 3
        result = fleet("usage", "blocks", "--client", "codex")
        assert (result.exit_code, "blocks are Claude's" in result.stderr) == (2, True)

    @pytest.mark.parametrize("day", ["2026-06-10", "20260610"])
    def test_a_range_includes_both_of_its_days(self, fleet: Run, day: str) -> None:
        printed = document(fleet("usage", "--json", "--since", day, "--until", day))
        assert [row["date"] for row in printed["daily"]] == ["2026-06-10"]
        assert printed["newest"] == "2026-06-10T11:00:02.000Z"

    def test_days_are_those_of_the_zone(self, fleet: Run) -> None:
        printed = document(fleet("usage", "--json", "--timezone", "Pacific/Kiritimati"))
        assert [row["date"] for row in printed["daily"]] == ["2026-06-10", "2026-06-11"]

    def test_the_zone_of_this_machine_may_be_asked_for(
        self, fleet: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TZ", ":Pacific/Kiritimati")
        assert document(fleet("usage", "--json", "-z", "local"))["timezone"] == "Pacific/Kiritimati"

    def test_weeks_may_begin_on_any_day(self, fleet: Run) -> None:
        printed = document(fleet("usage", "weekly", "--json", "--week-start", "sunday"))
        assert [row["week"] for row in printed["weekly"]] == ["2026-06-07"]

    def test_deleted_transcripts_are_still_there(self, fleet: Run, machine: Path) -> None:
        before = fleet("usage", "--json").stdout
        for path in machine.rglob("*.jsonl"):
            path.unlink()
        fleet("ingest")
        assert fleet("usage", "--json").stdout == before

    def test_no_folder_is_shown(self, fleet: Run, org: Path) -> None:
        for kind in ("daily", "session", "agent"):
            for form in ([], ["--json"]):
                assert "/" not in fleet("usage", kind, *form).stdout.replace("n/a", "")

    def test_days_without_usage_are_told_apart_from_an_empty_ledger(self, fleet: Run) -> None:
        result = fleet("usage", "--since", "2026-07-01")
        assert (result.exit_code, result.stdout) == (0, "")
        assert "the ledger reaches 2026-06-10 UTC" in result.stderr


def test_an_empty_ledger_says_how_to_fill_it(fleet: Run) -> None:
    result = fleet("usage", "--json")
    assert "`fleet ingest` fills it" in result.stderr
    printed = document(result)
    assert (printed["daily"], printed["newest"]) == ([], None)
    assert not Path(".fleet").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["yearly"], "'yearly' is not one of"),
        (["--since", "yesterday"], "write a date such as 2026-06-17"),
        (["--since", "2026-06-02", "--until", "2026-06-01"], "--since 2026-06-02 is after"),
        (["--timezone", "Europe/Berlim"], "did you mean Europe/Berlin"),
        (["--week-start", "someday"], "'someday' is not one of"),
    ],
)
def test_a_mistake_in_the_options_is_named(fleet: Run, options: list[str], says: str) -> None:
    result = fleet("usage", *options)
    assert result.exit_code == 2
    assert says in result.stderr


@pytest.mark.usefixtures("ingested")
def test_a_narrow_terminal_gets_the_short_table(terminal: Callable[..., str]) -> None:
    assert "Cache Create" in terminal(200, "usage")
    narrow = terminal(80, "usage")
    assert "Cache Create" not in narrow
    assert max(map(len, narrow.splitlines()[:6])) <= 80


@pytest.fixture
def terminal() -> Callable[..., str]:
    """Run the installed ``fleet`` on a terminal of so many columns; return what it shows."""

    def run(columns: int, *arguments: str) -> str:
        process, screen = pty.fork()
        if not process:
            environment = {**os.environ, "COLUMNS": str(columns)}
            os.execve(FLEET, [str(FLEET), *arguments], environment)
        shown = b""
        # A terminal whose process is gone cannot be read.
        with suppress(OSError):
            while more := os.read(screen, 65536):
                shown += more
        os.close(screen)
        os.waitpid(process, 0)
        return shown.decode()

    return run
