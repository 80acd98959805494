"""``fleet init`` and Claude Code's settings: nothing unasked, and nothing that cannot be undone."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fleet_pipeline.cli import init as offering
from fleet_pipeline.cli import main

Run = Callable[..., Result]

OTHER = {"statusLine": {"type": "command", "command": "mine.sh"}}


@pytest.fixture
def fleet(claude: Path) -> Run:
    return lambda *arguments, **given: CliRunner().invoke(main, ["init", *arguments], **given)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offering, "_on_a_terminal", lambda: True)


def settings(claude: Path) -> dict[str, dict[str, str]] | None:
    path = claude / "settings.json"
    return json.loads(path.read_bytes()) if path.exists() else None


def runs_fleet(claude: Path) -> bool:
    told = settings(claude)
    return bool(told) and told["statusLine"]["command"].endswith("fleet statusline")


@pytest.mark.usefixtures("terminal")
def test_on_a_terminal_it_says_what_it_would_change_and_asks(fleet: Run, claude: Path) -> None:
    result = fleet(input="y\n")
    assert result.exit_code == 0
    shown, asked, done = result.stdout.partition("Change it?")
    assert f"{claude / 'settings.json'}, a new file:" in shown
    assert '  + "statusLine": {"type": "command", "command": ' in shown
    assert asked
    assert "changed" in done
    assert runs_fleet(claude)


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("answer", ["n\n", "\n"])
def test_without_a_yes_nothing_is_changed(fleet: Run, claude: Path, answer: str) -> None:
    assert fleet(input=answer).exit_code == 0
    assert list(claude.iterdir()) == []


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("arguments", [("--no-statusline",), ()])
def test_it_does_not_ask_twice_nor_against_ones_will(
    fleet: Run, claude: Path, arguments: tuple[str, ...]
) -> None:
    if not arguments:
        fleet("--install-statusline")
    result = fleet("--org", "another", *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "statusline" not in result.stdout


def test_without_a_terminal_it_changes_nothing_and_says_how(fleet: Run, claude: Path) -> None:
    result = fleet()
    assert result.exit_code == 0
    assert "`fleet init --install-statusline`" in result.stderr
    assert list(claude.iterdir()) == []


def test_where_claude_code_was_never_run_there_is_nothing_to_offer(
    fleet: Run, claude: Path
) -> None:
    claude.rmdir()
    result = fleet()
    assert (result.exit_code, result.stderr) == (0, "")
    result = fleet("--install-statusline", "--org", "another")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "CLAUDE_CONFIG_DIR" in result.stderr
    assert not claude.exists()
    assert not Path("another").exists()


def test_asked_for_it_is_installed_whether_or_not_the_organisation_is_there(
    fleet: Run, claude: Path
) -> None:
    assert fleet("--no-statusline").exit_code == 0
    result = fleet("--install-statusline")
    assert result.exit_code == 0
    assert runs_fleet(claude)
    assert "nothing was changed" in fleet("--install-statusline").stdout


def test_the_command_that_is_installed_can_be_run(fleet: Run, claude: Path) -> None:
    fleet("--install-statusline")
    told = settings(claude)
    assert told is not None
    command = told["statusLine"]["command"]
    done = subprocess.run(
        command, shell=True, input=b"{}", capture_output=True, timeout=30, check=True
    )
    assert done.stdout == b"Claude | limits unknown\n"


def test_another_status_line_is_named_and_stays_unless_it_is_to_be_replaced(
    fleet: Run, claude: Path
) -> None:
    (claude / "settings.json").write_text(json.dumps(OTHER))
    result = fleet("--install-statusline")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "mine.sh" in result.stderr
    assert settings(claude) == OTHER
    assert not Path("orgs").exists()

    result = fleet()
    assert result.exit_code == 0
    assert "--replace-statusline" in result.stderr
    assert settings(claude) == OTHER

    result = fleet("--replace-statusline")
    assert result.exit_code == 0
    assert '- "statusLine": {"type": "command", "command": "mine.sh"}' in result.stdout
    assert runs_fleet(claude)

    assert fleet("--undo-statusline").exit_code == 0
    assert settings(claude) == OTHER


def test_undoing_touches_nothing_else(fleet: Run, claude: Path) -> None:
    fleet("--install-statusline", "--org", "mine")
    before = {path: path.read_bytes() for path in Path("mine").iterdir()}
    assert fleet("--undo-statusline").exit_code == 0
    assert list(claude.iterdir()) == []
    assert {path: path.read_bytes() for path in Path("mine").iterdir()} == before
    assert not Path("orgs").exists()
    result = fleet("--undo-statusline")
    assert (result.exit_code, "nothing was changed" in result.stdout) == (0, True)


def test_settings_that_are_no_json_end_in_one_line_that_says_so(fleet: Run, claude: Path) -> None:
    (claude / "settings.json").write_text('{\n  // mine\n  "model": "opus"\n}')
    result = fleet("--install-statusline")
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    assert "line 2" in result.stderr
