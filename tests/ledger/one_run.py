"""One run of `fleet ingest` in a process of its own, measured, and killed where a test wants it.

    python one_run.py ROOT [KIND NUMBER]

ROOT holds the home and the transcripts of the host `laptop`; with KIND and NUMBER, the process is
killed before the NUMBER-th call of that kind. Prints `ready`, and its peak memory in MiB when done.
"""

import os
import resource
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

KINDS = ("open", "write", "fsync", "replace", "fchmod", "mkdir", "unlink", "ftruncate", "pwrite")
"""The calls that change what is on the disk; `open` is one for writing."""


class _Torn:
    """A file of which half is written when the blow comes."""

    def __init__(self, file, blow: Callable[[], None]) -> None:
        self._file, self._blow = file, blow

    def __enter__(self) -> "_Torn":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, data: bytes) -> None:
        self._file.write(data[: len(data) // 2])
        self._file.flush()
        self._blow()


def strike_at(
    kind: str, number: int, blow: Callable[[], None], put: Callable[..., None] = setattr
) -> list[int]:
    """Let ``blow`` come at the ``number``-th call of one kind; return a list that then is filled.

    Every other call goes through.
    """
    name = "fdopen" if kind == "write" else kind
    call, calls, struck = getattr(os, name), count(1), []

    def attempt(*args, **options):
        writes = kind != "open" or args[1] & (os.O_WRONLY | os.O_RDWR)
        if not writes or next(calls) != number:
            return call(*args, **options)
        struck.append(number)
        if kind == "write":
            return _Torn(call(*args, **options), blow)
        blow()
        return call(*args, **options)

    put(os, name, attempt)
    return struck


def main(root: Path) -> None:
    from fleet_pipeline.home import Home
    from fleet_pipeline.ledger import ingest, note_that_all_is_read, nothing_is_new, recount
    from fleet_pipeline.transcripts.discover import Places, find

    print("ready", flush=True)
    home = Home(root / "home")
    places = [Places((root / "laptop/.claude",), (root / "laptop/.codex",), "laptop")]
    found = [find(each) for each in places]
    home.prepare()
    if not nothing_is_new(home, places, found):
        ingest(home, places)
        recount(home)
        note_that_all_is_read(home, places, found)
    print(max(own_peak(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) // 1024)


def own_peak() -> int:
    """Return the most memory that this program had, in KiB.

    Linux counts what the process had before it became this program into its resource usage.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(status.read_text().partition("VmHWM:")[2].split()[0])


if __name__ == "__main__":
    if len(sys.argv) > 2:
        strike_at(sys.argv[2], int(sys.argv[3]), lambda: os.kill(os.getpid(), signal.SIGKILL))
    main(Path(sys.argv[1]))
