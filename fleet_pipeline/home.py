"""The home of one fleet's data: its folders, its lock, and how files are written into it.

Everything in a home is private (files 0600, folders 0700) but for the published site. A file is
either whole or not there: it is written under another name, synced, and renamed.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleet_pipeline.errors import BusyError, ConfigurationError

LONGEST_WAIT: Final = 60.0
"""Seconds that a second writer waits for the first."""

DEMO_HOST: Final = "demo"
"""The host of the demo fleet, which is left out of every answer once there is a real one."""

_held: dict[Path, int] = {}


@dataclass(frozen=True)
class Home:
    """A folder (``FLEET_HOME``) with ``lake/``, ``site/``, ``dagster/`` and ``quarantine/``."""

    root: Path

    @property
    def lake(self) -> Path:
        """Evidence, ledger and weekly tables: the record, as Parquet."""
        return self.root / "lake"

    @property
    def site(self) -> Path:
        """What is published."""
        return self.root / "site"

    @property
    def dagster(self) -> Path:
        """The instance of the graph: its runs and events."""
        return self.root / "dagster"

    @property
    def quarantine(self) -> Path:
        """Places of lines that were not believed; never their content."""
        return self.root / "quarantine"

    @property
    def shipped(self) -> Path:
        """What of this host was sent elsewhere: a memory aid for each address."""
        return self.root / "shipped"

    @property
    def demo(self) -> Path:
        """Transcripts of the demo fleet, where it stands in for real ones."""
        return self.root / "demo"

    def prepare(self) -> None:
        """Make the folders that are missing; raises ConfigurationError where that is refused."""
        os.umask(0o077)
        try:
            for folder in (self.lake, self.dagster, self.quarantine):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"{self.root}: cannot be the home of the fleet ({error.strerror});"
                " choose a writable folder with --home"
            ) from None

    @contextmanager
    def lock(self, purpose: str, wait: float = LONGEST_WAIT) -> Iterator[None]:
        """Be the only writer; within one process the lock may be taken again.

        Raises BusyError naming the holder after ``wait`` seconds. The lock goes with its process.
        """
        path = (self.lake / ".lock").resolve()
        if path in _held:
            yield
            return
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            deadline = time.monotonic() + wait
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip()
                        raise BusyError(
                            f"{self.root} is in use by {holder or 'another process'};"
                            f" waited {wait:.0f} s, try again when it is done"
                        ) from None
                    time.sleep(0.1)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"process {os.getpid()} ({purpose})\n".encode(), 0)
            _held[path] = descriptor
            try:
                yield
            finally:
                del _held[path]
        finally:
            os.close(descriptor)


def write_whole(path: Path, data: bytes | memoryview, *, mode: int = 0o600) -> bool:
    """Make ``path`` hold exactly ``data``, or leave it as it was; say whether anything changed.

    Raises OSError where the disk refuses; the old content is then untouched.
    """
    try:
        if path.read_bytes() == data:
            return False
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    # One name for all attempts: what a killed process left behind, the next one overwrites.
    temporary = path.with_name(f".{path.name}.part")
    try:
        descriptor = _opened_alone(temporary, mode)
        try:
            with os.fdopen(descriptor, "wb", closefd=False) as file:
                os.fchmod(descriptor, mode)  # whatever the umask takes away
                file.write(data)
                file.flush()
                os.fsync(descriptor)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)
    except OSError as error:
        error.filename = error.filename or str(path)
        raise
    return True


def _opened_alone(temporary: Path, mode: int) -> int:
    """Return a new, empty file to write into, which whoever else writes the same one waits for.

    Not every writer holds the lock of a home. This lock goes with its process, too.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    while True:
        descriptor = os.open(temporary, flags, mode)
        try:
            with suppress(OSError):  # a file system without locks, such as some NFS
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            opened = os.fstat(descriptor)
            # While this one waited, the other has given the file its name, or taken it away.
            with suppress(FileNotFoundError):
                if os.path.samestat(opened, temporary.lstat()):
                    if opened.st_size:
                        os.ftruncate(descriptor, 0)
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
