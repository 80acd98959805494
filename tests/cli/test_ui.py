"""``fleet ui``: Dagster's interface, on loopback and on the same home."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]

FLEET = Path(sys.executable).with_name("fleet")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        assert isinstance(port, int)
        return port


def test_it_becomes_dagster_on_loopback_with_the_home_and_the_organisation(
    fleet: Run, org: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    became: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _, command: became.append(command))
    monkeypatch.setattr(os, "environ", dict(os.environ))
    port = free_port()
    assert fleet("ui", "--home", "home", "--port", port).exit_code == 0
    [command] = became
    assert command == [
        sys.executable,
        "-m",
        "dagster",
        "dev",
        "-m",
        "assets.definitions",
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
    ]
    home = Path("home").absolute()
    assert os.environ["FLEET_HOME"] == str(home)
    assert os.environ["DAGSTER_HOME"] == str(home / "dagster")
    assert os.environ["FLEET_ORG"] == str(org)


def test_a_port_in_use_is_told_before_dagster_starts(fleet: Run, org: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        result = fleet("ui", "--port", port)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        f"fleet: port {port} cannot be used (Address already in use); choose another with --port\n"
    )


@pytest.mark.slow
def test_it_answers_on_loopback_only(org: Path) -> None:
    port = free_port()
    process = subprocess.Popen(
        [FLEET, "ui", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 120
        answer = b""
        while not answer and time.monotonic() < deadline:
            time.sleep(1)
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info") as response:
                    answer = response.read()
            except OSError:
                assert process.poll() is None, "it ended"
        assert b"dagster" in answer
        # Whoever listens on every address of the machine answers at this one too.
        with socket.socket() as other, pytest.raises(ConnectionRefusedError):
            other.connect(("127.0.0.2", port))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
