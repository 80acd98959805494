"""Writing so that a reader, or a power cut, finds the old thing or the new one and never a half."""

import ctypes
import errno
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

FILE_MODE: Final = 0o644
FOLDER_MODE: Final = 0o755

_HERE: Final = -100
"""AT_FDCWD of renameat2(2): paths are relative to the working folder, as everywhere else."""
_EXCHANGE: Final = 2
"""RENAME_EXCHANGE of renameat2(2)."""


def write_file(path: Path, content: bytes) -> None:
    """Write a new file, readable by all, and wait until the disk has it. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, FILE_MODE)
    try:
        os.fchmod(descriptor, FILE_MODE)
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Wait until the disk has the names inside a folder. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(path: Path) -> None:
    """Create a folder and its parents, each new one open to readers. Raises OSError."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir()
        folder.chmod(FOLDER_MODE)


def remove(path: Path) -> None:
    """Remove a file, a link or a whole folder; one that is not there is no error."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def exchange_folders(new: Path, current: Path) -> None:
    """Let two folders of one file system change places; raises OSError and changes nothing.

    On Linux this is one atomic step (renameat2), so ``current`` is there at every moment. Where
    the system or the file system has no such step it takes three renames through a name beside
    ``current``, with a moment in which ``current`` is missing; ``settle`` heals a crash in it.
    """
    call = _renameat2()
    if call is not None:
        if call(_HERE, os.fsencode(new), _HERE, os.fsencode(current), _EXCHANGE) == 0:
            return
        number = ctypes.get_errno()
        if number not in {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}:
            raise OSError(number, os.strerror(number), str(current))
    aside = outgoing(current)
    current.replace(aside)
    try:
        new.replace(current)
        try:
            aside.replace(new)
        except OSError:
            current.replace(new)
            raise
    except OSError:
        aside.replace(current)
        raise


def outgoing(path: Path) -> Path:
    """Return the name under which a folder waits while another takes its place."""
    return path.with_name(f".{path.name}.outgoing")


def incoming(path: Path) -> Path:
    """Return the name under which something is built before it takes its place."""
    return path.with_name(f".{path.name}.incoming")


def settle(folder: Path) -> None:
    """Clear what earlier, interrupted publishes left in a folder, and undo a half exchange."""
    for left in sorted(folder.glob(".*.outgoing")):
        place = left.with_name(left.name.removeprefix(".").removesuffix(".outgoing"))
        if place.exists():
            remove(left)
        else:
            left.replace(place)
    for left in sorted(folder.glob(".*.incoming")):
        remove(left)


@cache
def _renameat2() -> Callable[..., int] | None:
    """Return the C library's renameat2, or None where there is none."""
    try:
        call: Callable[..., int] = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return None
    return call
