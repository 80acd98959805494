"""What holds for every command: help, weight, exit statuses, errors as one line."""

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, flock
from pathlib import Path

import click
import pytest
from click.testing import Result

from fleet_pipeline import home as homes
from fleet_pipeline import ledger
from fleet_pipeline.cli import main
from fleet_pipeline.errors import (
    BusyError,
    ConfigurationError,
    FleetError,
    PriceError,
    PublicationError,
    SourceError,
)

FLEET = Path(sys.executable).with_name("fleet")

Run = Callable[..., Result]
RunReally = Callable[..., "subprocess.CompletedProcess[str]"]

COMMANDS = ("refresh", "ingest", "init", "doctor", "demo", "ui")
"""Those of the contract; there may be more."""


def commands() -> dict[str, click.Command]:
    """Return every command by its name, in the order in which they are listed."""
    context = click.Context(main)
    named = {name: main.get_command(context, name) for name in main.list_commands(context)}
    return {name: command for name, command in named.items() if command}


def modules_of(*arguments: str) -> set[str]:
    """Return the modules that a command has loaded by the time it ends."""
    program = (
        "import sys, os\n"
        "from fleet_pipeline.cli import main\n"
        "try: main()\n"
        "finally: os.write(3, ' '.join(sys.modules).encode())\n"
    )
    reader, writer = os.pipe()
    process = subprocess.Popen(
        ["bash", "-c", f'exec "$@" 3>&{writer}', "-", sys.executable, "-c", program, *arguments],
        pass_fds=[writer],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    with os.fdopen(reader) as pipe:
        loaded = set(pipe.read().split())
    assert process.wait() == 0
    return loaded


@contextmanager
def held_by(who: str) -> Iterator[None]:
    """Hold the lock of the usual home as another process would."""
    path = Path(".fleet/lake/.lock")
    path.parent.mkdir(parents=True)
    with path.open("w") as file:
        file.write(who)
        file.flush()
        flock(file, LOCK_EX)
        yield


def wait_until_open(pid: int, name: str) -> None:
    """Wait until a process has opened a file of that name (told by Linux)."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        time.sleep(0.05)
        with suppress(FileNotFoundError):
            if any(path.readlink().name == name for path in Path(f"/proc/{pid}/fd").iterdir()):
                return
    raise TimeoutError(f"{name} was not opened")


def raising(error: BaseException) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


@pytest.fixture
def failing(fleet: Run, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run ``fleet ingest`` while reading transcripts raises an error."""

    def run(error: BaseException, *options: str) -> Result:
        monkeypatch.setattr(ledger, "ingest", raising(error))
        return fleet(*options, "ingest")

    return run


def test_help_names_every_command_in_the_order_of_a_first_visit(fleet: Run) -> None:
    result = fleet("--help")
    listed = [line for line in result.stdout.partition("Commands:")[2].split("\n") if line.strip()]
    names = [line.split()[0] for line in listed]
    assert names == [name for name, command in commands().items() if not command.hidden]
    assert [name for name in names if name in COMMANDS] == list(COMMANDS)
    assert not [line for line in listed if line.endswith("...")], "a summary was cut"


@pytest.mark.parametrize("command", commands())
def test_every_command_explains_itself(fleet: Run, command: str) -> None:
    result = fleet(command, "-h")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"Usage: main {command} [OPTIONS]")


def test_the_version_is_the_one_of_the_package(fleet: Run) -> None:
    assert fleet("--version").stdout == "fleet, version 0.1.0\n"


def test_help_takes_less_than_a_fifth_of_a_second(fleet_process: RunReally) -> None:
    def cpu_seconds() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    spent = []
    for _ in range(3):
        before = cpu_seconds()
        assert fleet_process("--help").returncode == 0
        spent.append(cpu_seconds() - before)
    assert min(spent) < 0.2


def test_help_loads_neither_tables_nor_models_nor_the_graph() -> None:
    heavy = {"polars", "duckdb", "pydantic", "msgspec", "rich", "dagster", "assets"}
    assert not heavy & modules_of("refresh", "--help")


def test_ingest_loads_neither_the_graph_nor_the_query_engine() -> None:
    loaded = modules_of("ingest", "--home", "home")
    assert "fleet_pipeline.ledger" in loaded
    assert not {"dagster", "assets", "duckdb", "rich", "genai_prices", "jinja2"} & loaded


def test_prices_load_neither_the_graph_nor_the_query_engine() -> None:
    loaded = modules_of("prices", "z-ai/glm-5.2", "--home", "home")
    assert "fleet_pipeline.pricing" in loaded
    assert not {"dagster", "assets", "duckdb", "rich", "jinja2"} & loaded


def test_ingest_with_totals_still_does_not_load_the_graph() -> None:
    loaded = modules_of("ingest", "--json", "--home", "home")
    assert "duckdb" in loaded
    assert not {"dagster", "assets"} & loaded


@pytest.mark.parametrize(
    "arguments",
    [
        ["weep"],
        ["refresh", "--weekly"],
        ["refresh", "extra"],
        ["ingest", "--home", ""],
        ["ingest", "--claude", " "],
        ["demo"],
        ["demo", "--out", "x", "--requests", "0"],
        ["ui", "--port", "70000"],
        ["ui", "--claude", "x"],
    ],
)
def test_a_command_line_that_cannot_be_understood_is_bad_usage(
    fleet: Run, arguments: list[str]
) -> None:
    result = fleet(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error: " in result.stderr


@pytest.mark.parametrize("option", ["--claude", "--codex"])
@pytest.mark.parametrize("command", ["refresh", "ingest", "doctor"])
def test_a_named_folder_that_does_not_exist_is_bad_usage(
    fleet: Run, org: Path, command: str, option: str
) -> None:
    result = fleet(command, option, "no/such/folder")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no/such/folder: there is no such folder" in result.stderr
    assert not Path(".fleet").exists()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConfigurationError("mend this"), 2),
        (BusyError("mend this"), 3),
        (SourceError("mend this"), 1),
        (PriceError("mend this"), 1),
        (PublicationError("mend this"), 1),
        (FleetError("mend this"), 1),
    ],
)
def test_an_error_of_ours_is_its_message_and_a_status(
    failing: Callable[..., Result], error: FleetError, status: int
) -> None:
    result = failing(error)
    assert (result.exit_code, result.stdout) == (status, "")
    assert result.stderr.splitlines()[-1] == "fleet: mend this"


def test_what_the_system_refuses_is_told_with_its_path(failing: Callable[..., Result]) -> None:
    result = failing(PermissionError(errno.EACCES, "Permission denied", "/srv/lake/usage"))
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == "fleet: /srv/lake/usage: Permission denied"


def test_a_full_disk_is_told_with_the_home_where_the_system_names_no_path(
    failing: Callable[..., Result],
) -> None:
    result = failing(OSError(errno.ENOSPC, "No space left on device"))
    assert result.exit_code == 1
    home = Path(".fleet").absolute()
    assert result.stderr.splitlines()[-1] == f"fleet: {home}: No space left on device"


def test_a_disk_that_refuses_a_write_ends_in_one_line(
    org: Path, claude_transcript: Callable[..., Path]
) -> None:
    claude_transcript()
    process = subprocess.run(
        [FLEET, "ingest"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1
    assert "Traceback" not in process.stderr
    last = process.stderr.splitlines()[-1]
    assert last.startswith(f"fleet: {Path('.fleet').absolute()}")
    assert last.endswith("File too large")


def test_an_unexpected_error_names_the_command_and_its_place_but_quotes_nothing(
    failing: Callable[..., Result],
) -> None:
    result = failing(ValueError("the secret of the transcript"))
    assert result.exit_code == 1
    last = result.stderr.splitlines()[-1]
    assert last.startswith("fleet ingest: unexpected ValueError at ingest.py:")
    assert "this is a bug" in last
    assert "secret" not in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("how", ["option", "environment"])
def test_debugging_shows_where_an_unexpected_error_came_from_but_quotes_nothing(
    failing: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    error = ValueError("the secret of the transcript")
    error.__cause__ = KeyError("another secret")
    if how == "environment":
        monkeypatch.setenv("FLEET_DEBUG", "1")
    result = failing(error, *(["--debug"] if how == "option" else []))
    assert result.exit_code == 1
    assert "KeyError" in result.stderr
    assert "in bring_up_to_date" in result.stderr
    assert result.stderr.endswith("ValueError\n")
    assert "secret" not in result.stderr


def test_an_interruption_is_quiet(failing: Callable[..., Result]) -> None:
    result = failing(KeyboardInterrupt())
    assert result.exit_code == 130
    assert result.stderr == "reading transcripts ...\n"


def test_control_c_ends_a_command_that_waits(org: Path) -> None:
    with held_by("a test"):
        process = subprocess.Popen([FLEET, "ingest"], stderr=subprocess.PIPE, text=True)
        wait_until_open(process.pid, ".lock")
        process.send_signal(signal.SIGINT)
        _, says = process.communicate(timeout=30)
    assert (process.returncode, says) == (130, "")


@pytest.mark.parametrize("command", ["refresh", "ingest"])
def test_a_home_in_use_is_named_with_who_holds_it(
    fleet: Run, org: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr(homes, "LONGEST_WAIT", 0.1)
    with held_by("process 4711 (fleet refresh)"):
        result = fleet(command)
    assert (result.exit_code, result.stdout) == (3, "")
    [line] = result.stderr.splitlines()
    assert "in use by process 4711 (fleet refresh)" in line


def test_a_reader_who_leaves_stops_nothing(org: Path) -> None:
    process = subprocess.Popen(
        [FLEET, "ingest", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    says = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait() == 0
    assert "Broken" not in says and "Exception" not in says


def test_a_result_that_cannot_be_written_is_an_error(org: Path) -> None:
    with Path("/dev/full").open("w") as full:
        process = subprocess.run(
            [FLEET, "ingest", "--json"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert process.returncode == 1
    assert process.stderr.splitlines()[-1] == "fleet: <stdout>: No space left on device"


def test_a_result_that_is_no_text_and_cannot_be_written_is_an_error(org: Path) -> None:
    with Path("/dev/full").open("w") as full:
        process = subprocess.run(
            [FLEET, "query", "--format", "parquet", "select 1"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert process.returncode == 1
    assert process.stderr == "fleet: <stdout>: No space left on device\n"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_that_cannot_be_written_ends_in_one_line(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        process = subprocess.run(
            [FLEET, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert process.returncode == 1
    assert process.stderr == "fleet: No space left on device\n"


def test_closed_streams_change_no_exit_status(org: Path) -> None:
    closed = ["bash", "-c", 'exec "$0" "$@" <&- >&- 2>&-', FLEET]
    assert subprocess.run([*closed, "ingest", "--json"], check=False).returncode == 0
    assert subprocess.run([*closed, "ingest", "--nonesuch"], check=False).returncode == 2
    process = subprocess.run(
        ["bash", "-c", 'exec "$0" doctor >&-', FLEET], stderr=subprocess.PIPE, check=False
    )
    assert (process.returncode, process.stderr) == (0, b"")


def test_a_terminal_that_knows_only_ascii_gets_every_result(org: Path) -> None:
    home = Path("zuhause-für-alle")
    process = subprocess.run(
        [FLEET, "doctor", "--home", home],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0
    assert r"zuhause-f\xfcr-alle" in process.stdout


def test_progress_is_a_bar_at_a_terminal_and_never_part_of_the_result(org: Path) -> None:
    controller, terminal = os.openpty()
    process = subprocess.run(
        [FLEET, "ingest", "--json"],
        env={**os.environ, "TERM": "xterm-256color"},
        stdout=subprocess.PIPE,
        stderr=terminal,
        check=True,
    )
    os.close(terminal)
    shown = os.read(controller, 65536).decode()
    os.close(controller)
    assert "reading transcripts" in shown and "\x1b[" in shown
    assert json.loads(process.stdout)["usage"]["claude"]["requests"] == 0


def test_progress_in_a_log_is_one_plain_line(fleet: Run, org: Path) -> None:
    says = fleet("ingest").stderr
    assert says.splitlines()[0] == "reading transcripts ..."
    assert "\x1b" not in says
