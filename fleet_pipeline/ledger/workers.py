"""Reading shared among processes, each with files of its own: what they hold comes in columns.

They are started anew instead of forked, which the threads of the query engine would not survive,
and do not load it: they start in a moment and stay small.
None of them writes anything: one that dies costs what it had not given yet, and ends the run.
"""

import gc
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Final, Self, cast

from fleet_pipeline.errors import FleetError, ReaderError
from fleet_pipeline.ledger.reading import Batch, ToRead, read_files

_COMMAND: Final = (sys.executable, "-P", "-m", "fleet_pipeline.ledger.workers")


def read_shares(
    host: str, own: Sequence[ToRead], others: Sequence[Sequence[ToRead]]
) -> Iterator[Batch]:
    """Read ``own`` files here and each other share in a process of its own, all at once.

    Raises what reading raises, and ReaderError where a process ends before its share.
    """
    given: list[Batch] = []
    with _Workers(host, others) as workers:

        def listening_meanwhile() -> Iterator[ToRead]:
            for each in own:
                given.extend(workers.given(timeout=0))
                yield each

        for batch in read_files(host, listening_meanwhile()):
            yield batch
            yield from given
            given.clear()
        while workers.at_work:
            yield from workers.given(timeout=None)


class _Workers:
    """The other processes. One that nobody listens to waits, so that memory stays bounded."""

    def __init__(self, host: str, shares: Sequence[Sequence[ToRead]]) -> None:
        self.at_work: dict[Connection, subprocess.Popen[bytes]] = {}
        for _ in shares:
            here, there = Pipe()
            with there:
                self.at_work[here] = subprocess.Popen(
                    [*_COMMAND, str(there.fileno())],
                    pass_fds=[there.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,  # a traceback might quote a transcript
                )
        for connection, share in zip(self.at_work, shares, strict=True):
            with suppress(OSError):  # one that has ended already is told of when it is listened to
                connection.send((host, share))

    def given(self, timeout: float | None) -> Iterator[Batch]:
        """Give what any of them has to give within so many seconds; None waits for it."""
        for connection in cast(list[Connection], wait(list(self.at_work), timeout)):
            if batch := self._said_by(connection):
                yield batch
            else:
                self.at_work.pop(connection).wait()

    def _said_by(self, connection: Connection) -> Batch | None:
        """Return what a process has read; nothing once it is done. Raises what stopped it."""
        try:
            said = cast(Batch | FleetError | None, connection.recv())
        except (EOFError, OSError):
            status = self.at_work[connection].wait()
            raise ReaderError(
                f"a process that was reading transcripts ended early (status {status});"
                " nothing is lost, run the command again (it may have run out of memory)"
            ) from None
        if isinstance(said, FleetError):
            raise said
        return said

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for connection, process in self.at_work.items():
            process.kill()
            process.wait()
            connection.close()


def _work(connection: Connection) -> None:
    """Read what is asked for, and give it bit by bit."""
    gc.disable()
    host, share = connection.recv()
    try:
        for batch in read_files(host, share):
            connection.send(batch)
    except FleetError as error:
        connection.send(error)
    else:
        connection.send(None)


if __name__ == "__main__":
    _work(Connection(int(sys.argv[1])))
