"""Dagster's own server and daemons on one fleet, for tests that ask it or look at it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assets import runs

from .fleets import Fleet

CHECKOUT = Path(__file__).parents[2]

LOCATION = "{ workspaceOrError { ... on Workspace { locationEntries { name loadStatus } } } }"


class Server:
    """`dagster dev` on a free port, asked over GraphQL."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"

    def ask(self, query: str, **variables: object) -> dict[str, dict[str, object]]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        asked = urllib.request.Request(
            f"{self.address}/graphql", body, headers={"content-type": "application/json"}
        )
        with urllib.request.urlopen(asked, timeout=30) as answer:
            found = json.load(answer)
        assert "errors" not in found, found
        data: dict[str, dict[str, object]] = found["data"]
        return data


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds:.0f} s"
        time.sleep(1)


@pytest.fixture
def served(fleet: Fleet) -> Fleet:
    """A fleet whose organisation names its transcripts: a server is told nothing else."""
    file = fleet.org / "fleet.yaml"
    named = [
        "sources:",
        "  - host: workstation",
        f"    claude: [{fleet.transcripts / '.claude'}]",
        f"    codex: [{fleet.transcripts / '.codex'}]",
    ]
    text = file.read_text()
    assert "sources: []" in text
    file.write_text(text.replace("sources: []", "\n".join(named)))
    return fleet


@pytest.fixture
def server(served: Fleet, tmp_path: Path) -> Iterator[Server]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml"]
    log = (tmp_path / "server.log").open("w")
    process = subprocess.Popen(
        [*command, "-h", "127.0.0.1", "-p", str(port)],
        cwd=CHECKOUT,
        env={**os.environ, **runs.environment(served.settings)},
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    made = Server(port)

    def is_loaded() -> bool:
        assert process.poll() is None, (tmp_path / "server.log").read_text()
        try:
            entries = made.ask(LOCATION)["workspaceOrError"]["locationEntries"]
        except OSError:
            return False
        return entries == [{"name": "assets.definitions", "loadStatus": "LOADED"}]

    try:
        wait_until(is_loaded, 120, "loading the graph")
        yield made
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        log.close()
