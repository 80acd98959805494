"""``fleet statusline`` as Claude Code runs it: it prints one line and ends well, come what may."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from fleet_pipeline.statusline import command
from fleet_pipeline.statusline.log import FOLDER, LOG

from .claude_code import levels, status
from .conftest import FLEET

Show = Callable[..., str]

HEAVY = ("click", "polars", "msgspec", "pydantic", "dagster", "duckdb", "yaml", "rich")
SLOW = ("typing", "pathlib", "dataclasses", "datetime", "inspect", "logging", "subprocess")


def test_it_prints_a_line_and_logs_the_limits(show: Show, claude: Path) -> None:
    assert show(status(five_hour=42, seven_day=17)).startswith("Opus 5.5 | context 14% | 5h ")
    assert levels(claude) == [42]


def test_it_logs_to_the_folder_that_claude_code_uses(
    show: Show, claude: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (claude.parent / "work").mkdir()
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", "~/work, ~/.claude")
    show(status(five_hour=42))
    assert (levels(claude.parent / "work"), levels(claude)) == ([42], [])


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b"\xff\x00", b"[" * 100_000, b'{"model": 5}', b"\n\n"]
)
def test_what_is_no_status_gives_a_line_too(show: Show, claude: Path, data: bytes) -> None:
    assert show(data) == "Claude | limits unknown\n"
    assert list(claude.iterdir()) == []


def test_no_input_at_all_gives_a_line_too(claude: Path) -> None:
    done = subprocess.run(
        f"exec {FLEET} statusline <&-", shell=True, capture_output=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"Claude | limits unknown\n", b"")


def test_a_reader_who_has_left_is_no_failure(claude: Path) -> None:
    done = subprocess.run(
        f"exec {FLEET} statusline </dev/null >/dev/full",
        shell=True,
        stderr=subprocess.PIPE,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("refused", ["no folder", "a file in its place", "a full disk"])
def test_a_log_that_cannot_be_written_costs_no_line(
    claude: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
    refused: str,
) -> None:
    written: list[int] = []
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        if descriptor > 2:
            written.append(descriptor)
            raise OSError(28, "No space left on device")
        return write(descriptor, data)

    if refused == "no folder":
        claude.rmdir()
    elif refused == "a file in its place":
        (claude / FOLDER).write_text("")
    else:
        monkeypatch.setattr(os, "write", full)
    data = json.dumps(status(five_hour=42)).encode()
    monkeypatch.setattr(command, "_document", lambda: data)
    assert command.main() == 0
    assert capfdbinary.readouterr().out.startswith(b"Opus 5.5 | context 14% | 5h")
    assert bool(written) == (refused == "a full disk")
    assert not (claude / FOLDER / LOG).is_file() or levels(claude) == []


def test_a_fault_of_our_own_costs_no_line(
    claude: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setattr(command, "_document", lambda: 1 / 0)
    assert command.main() == 0
    assert capfdbinary.readouterr().out == b"Claude | limits unknown\n"


def test_an_endless_input_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setattr(command, "_STDIN", os.open("/dev/zero", os.O_RDONLY))
    assert command.main() == 0
    assert capfdbinary.readouterr().out == b"Claude | limits unknown\n"


def test_it_loads_nothing_that_takes_time_to_load(claude: Path) -> None:
    program = (
        "import sys; sys.argv = ['fleet', 'statusline']\n"
        "from fleet_pipeline.__main__ import main\n"
        "try: main()\n"
        "finally: print(*sys.modules, sep='\\n', file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=b"{}", capture_output=True, timeout=30, check=True
    )
    loaded = set(done.stderr.decode().split())
    assert "fleet_pipeline.statusline.command" in loaded
    assert loaded.isdisjoint({*HEAVY, *SLOW, "hashlib", "fcntl"})
    assert {name for name in loaded if name.startswith("fleet_pipeline")} == {
        "fleet_pipeline",
        "fleet_pipeline.__main__",
        "fleet_pipeline.statusline",
        "fleet_pipeline.statusline.command",
        "fleet_pipeline.statusline.line",
        "fleet_pipeline.statusline.log",
        "fleet_pipeline.statusline.payload",
    }


def test_the_installed_command_begins_where_that_short_way_does() -> None:
    [script] = entry_points(group="console_scripts", name="fleet")
    assert script.value == "fleet_pipeline.__main__:main"


def test_a_person_who_runs_it_by_hand_is_told_what_it_is_for(claude: Path) -> None:
    done = subprocess.run(
        [FLEET, "statusline", "--help"], capture_output=True, text=True, timeout=30, check=True
    )
    assert "fleet init" in done.stdout
