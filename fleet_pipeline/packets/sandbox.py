"""A command in a subprocess that can do little: bounded time, memory, files and output, no network.

For verify commands, and for whatever else has to look at or run what a model wrote. It is a fence
against accidents and not a jail: the command runs as the same user and can read what this user can.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_KEPT: Final = ("PATH", "LANG", "LC_ALL")
"""Of the environment; keys and the like stay outside."""

NOT_RUN: Final = (126, 127)
"""What a command ends with that cannot be run or is not there: the shells' convention."""


@dataclass(frozen=True, slots=True)
class Fence:
    """What a command may use."""

    seconds: float = 20
    cpu_seconds: int = 20
    memory_bytes: int = 1 << 30
    file_bytes: int = 16 << 20
    output_bytes: int = 64 << 10
    open_files: int = 256
    starts_processes: bool = True
    """False forbids a second process or thread; the kernel holds everybody but root to that."""


USUAL: Final = Fence()


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended. ``status`` is None where it took too long, negative for a signal."""

    status: int | None
    output: str
    """What it printed, both streams, from the beginning; may quote what it was given."""

    @property
    def passed(self) -> bool:
        """Say whether it ended with 0."""
        return self.status == 0


def run(
    command: Sequence[str],
    given: bytes = b"",
    files: Mapping[str, bytes] | None = None,
    fence: Fence = USUAL,
) -> Ran:
    """Run a command in an empty folder that holds ``files``, with ``given`` on its input.

    When it is over, everything that it started is too. Raises FileNotFoundError where there is no
    such command.
    """
    if shutil.which(command[0]) is None:
        raise FileNotFoundError(command[0])
    with tempfile.TemporaryDirectory(prefix="fleet-packet-") as folder:
        for name, content in (files or {}).items():
            (Path(folder) / name).write_bytes(content)
        source, output = Path(folder, ".given"), Path(folder, ".output")
        source.write_bytes(given)
        with source.open("rb") as stdin, output.open("wb") as out:
            child = subprocess.Popen(
                [*_alone(), sys.executable, "-ISc", _LIMITED, _limits(fence), *command],
                stdin=stdin,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=_environment(folder),
                start_new_session=True,
            )
            try:
                status: int | None = child.wait(fence.seconds)
            except subprocess.TimeoutExpired:
                status = None
            finally:
                _end(child)
        with output.open("rb") as written:
            said = written.read(fence.output_bytes)
    return Ran(status, said.decode("utf-8", "replace"))


_LIMITED: Final = """
import os, resource, sys
for limit in sys.argv[1].split():
    name, most = limit.split("=")
    resource.setrlimit(getattr(resource, name), (int(most), int(most)))
try:
    os.execvp(sys.argv[2], sys.argv[2:])
except OSError:
    sys.exit(126)
"""
"""Sets the limits in the child, where a function between fork and exec may hang with threads."""


def _limits(fence: Fence) -> str:
    most = {
        "RLIMIT_CPU": fence.cpu_seconds,
        "RLIMIT_AS": fence.memory_bytes,
        "RLIMIT_FSIZE": fence.file_bytes,
        "RLIMIT_NOFILE": fence.open_files,
        "RLIMIT_CORE": 0,
        **({} if fence.starts_processes else {"RLIMIT_NPROC": 0}),
    }
    return " ".join(f"{name}={value}" for name, value in most.items())


def _environment(folder: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "HOME": folder, "TMPDIR": folder, "PYTHONDONTWRITEBYTECODE": "1"}


@cache
def _alone() -> tuple[str, ...]:
    """Return what to put before a command so that it has no network, where the system allows it."""
    apart = ("unshare", "--map-current-user", "--net", "--")
    if shutil.which(apart[0]) is None:
        return ()
    tried = subprocess.run([*apart, "true"], capture_output=True, timeout=10)
    return apart if tried.returncode == 0 else ()


def has_no_network() -> bool:
    """Say whether this system lets a command be cut off from the network."""
    return bool(_alone())


def _end(child: "subprocess.Popen[bytes]") -> None:
    """End a command and all that it started and that did not leave its session."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
