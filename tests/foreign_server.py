"""A server that is not ours, run as a process of its own for as long as a test needs it."""

import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def started(
    command: Sequence[str], port: int, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Run a command from when it listens on ``port`` until the block is left."""
    with log.open("wb") as written:
        server = subprocess.Popen(
            list(command), stdout=written, stderr=subprocess.STDOUT, env=environment
        )
        try:
            deadline = time.monotonic() + 60
            while not _listens(port):
                assert server.poll() is None and time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
            yield
        finally:
            server.terminate()
            server.wait(20)


def _listens(port: int) -> bool:
    with socket.socket() as there:
        return there.connect_ex(("127.0.0.1", port)) == 0
