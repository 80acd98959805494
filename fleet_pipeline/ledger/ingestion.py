"""Transcripts in, evidence and ledger out: the only writer of both.

Reads what is new since the last time, merges it into the evidence, and counts again. A file that
cannot be read is counted and passed over; a store that cannot be written ends the run.
"""

import gc
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from fleet_pipeline.errors import ReaderError
from fleet_pipeline.home import Home
from fleet_pipeline.ledger.damage import set_aside
from fleet_pipeline.ledger.entry import Entry
from fleet_pipeline.ledger.intake import Intake
from fleet_pipeline.ledger.reading import Batch, ToRead, read_files
from fleet_pipeline.ledger.register import Register
from fleet_pipeline.ledger.spill import spilling_into
from fleet_pipeline.store_format import bring_up_to_date
from fleet_pipeline.transcripts.discover import Found, Places, find
from fleet_pipeline.transcripts.files import LocalFile, SourceFile

Progress = Callable[[int], None]
"""Told how many bytes were dealt with since the last call."""

_ROWS_IN_MEMORY: Final = 30_000

_WORTH_A_READER: Final = 100 * 2**20
"""Bytes; another process takes as long to start as it takes to read a tenth of them."""

_MOST_READERS: Final = 8
"""More would wait for the one that writes."""


class Report(Struct):
    """What one ingestion did. ``passed_over`` counts entries by reason; bytes are as stored.

    ``tables_read`` are those of hosts that send evidence instead of transcripts. ``failures`` say
    of each host that could not be read, or not all of it, what is in the way. ``set_aside`` is
    where evidence lies that was damaged.
    """

    files: int = 0
    files_read: int = 0
    bytes_read: int = 0
    tables_read: int = 0
    passed_over: dict[str, int] = {}
    failures: dict[str, list[str]] = {}
    set_aside: list[Path] = []


def ingest(
    home: Home,
    sources: Sequence[Places],
    *,
    found: Sequence[Found] | None = None,
    full: bool = False,
    progress: Progress | None = None,
    readers: int | None = None,
) -> Report:
    """Bring the evidence of ``home`` up to date with ``sources``.

    ``found`` is what lies there, if somebody looked already; what could not be read is added to it.
    ``full`` reads every transcript whole again, and sets aside what is damaged of the evidence: it
    is made anew from what transcripts still hold. ``readers`` are processes that share the reading
    while this one writes; by default as many as there are cores for, where there is enough to read,
    else this one does both. The store is the same in any case. A source that cannot be read stops
    no other: it is told in the report. Raises BusyError where another process is writing, OSError
    where the home cannot be written, ReaderError where a reader ends early; what it had given
    stays.
    """
    home.prepare()
    with home.lock("fleet ingest"), _without_garbage_collection():
        bring_up_to_date(home)
        report = Report(set_aside=set_aside(home) if full else [])
        register = Register(home.lake / "register.parquet")
        for number, places in enumerate(sources):
            here = found[number] if found else find(places)
            with spilling_into(home.lake) as spill:
                intake = Intake(home, places.host, spill)
                _Ingestion(intake, places.host, register, report, progress).run(here, full, readers)
            report.files += len(here.files)
            if here.failures:
                report.failures[places.host] = here.failures
            for reason, count in here.passed_over.items():
                report.passed_over[reason] = report.passed_over.get(reason, 0) + count
        register.save()
        return report


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Leave cycles alone meanwhile: there are none, and looking for them takes a tenth longer."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Ingestion:
    """One host's transcripts on their way into the evidence."""

    def __init__(
        self,
        intake: Intake,
        host: str,
        register: Register,
        report: Report,
        progress: Progress | None,
    ) -> None:
        self._intake, self._host, self._register, self._report = intake, host, register, report
        self._progress = progress
        self._entries: list[Entry] = []

    def run(self, found: Found, full: bool, readers: int | None) -> None:
        new, sound = [], 0
        for file in _in_order(found):
            known = None if full else self._register.get(self._host, file.id)
            if known and known.is_unchanged(file):
                sound += 1
                self._advance(file.size)
            else:
                new.append(ToRead(file, known))
        try:
            for batch in self._read(_knowing_agents(new, found), readers):
                sound += batch.sound
                for reason, count in batch.passed_over.items():
                    found.passed_over[reason] = found.passed_over.get(reason, 0) + count
                if batch.gave_up:
                    found.failures.append(batch.gave_up)
                    found.failed = not sound
                self._take(batch)
        except ReaderError:
            self._intake.write()  # a transcript may be gone before the bug is
            raise
        self._intake.write()
        # Only now may the register say that all of it was read.
        for entry in self._entries:
            self._register.put(entry)

    def _read(self, new: Sequence[ToRead], readers: int | None) -> Iterator[Batch]:
        own, others = _shares(new, readers)
        if not others:
            return read_files(self._host, own)
        from fleet_pipeline.ledger.workers import read_shares  # rarely needed, slow to load

        return read_shares(self._host, own, others)

    def _take(self, batch: Batch) -> None:
        self._intake.take_in(batch.gathered)
        self._entries += batch.entries
        self._report.files_read += batch.files_read
        self._report.tables_read += batch.tables_read
        self._report.bytes_read += batch.bytes_read
        if self._intake.rows_in_memory >= _ROWS_IN_MEMORY:
            self._intake.make_room(_ROWS_IN_MEMORY // 2)
        self._advance(batch.bytes_done)

    def _advance(self, count: int) -> None:
        if self._progress:
            self._progress(count)


def _in_order(found: Found) -> list[SourceFile]:
    """Return all that was found, transcripts of about the same days one after the other.

    The fewer days does each write touch.
    """
    transcripts = sorted(found.files, key=lambda file: file.modified_ns)
    return [*transcripts, *found.statusline_logs, *found.evidence]


def _knowing_agents(new: Sequence[ToRead], found: Found) -> list[ToRead]:
    """Return ``new``, of each with whether it started subagents, going by all that was found.

    Newer clients keep a session's subagents in a folder named for it, older ones beside it.
    """
    names = [file.path for file in found.files] if new else []
    agents = [name for name in names if name.rpartition("/")[2].startswith("agent-")]
    beside = {name.rpartition("/")[0] for name in agents}
    inside = {above for folder in beside for above in accumulate(folder.split("/"), "{}/{}".format)}

    def has_agents(name: str) -> bool:
        return name.rpartition("/")[0] in beside or name.rpartition(".")[0] in inside

    return [replace(each, has_agents=has_agents(each.file.path)) for each in new]


def _shares(
    files: Sequence[ToRead], readers: int | None
) -> tuple[list[ToRead], list[list[ToRead]]]:
    """Return what this process is to read, and what each reader: as many bytes, of the same days.

    What does not lie on this machine stays with this one, which has the connection.
    """
    local = [each for each in files if isinstance(each.file, LocalFile)]
    if readers is None:
        size = sum(each.bytes_left for each in local)
        readers = min(_cores(), size // _WORTH_A_READER, _MOST_READERS)
    if not readers:
        return list(files), []
    shares: list[list[ToRead]] = [[] for _ in range(readers)]
    sizes = [0] * readers
    for each in local:
        least = sizes.index(min(sizes))
        shares[least].append(each)
        sizes[least] += each.bytes_left
    return [each for each in files if not isinstance(each.file, LocalFile)], shares


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
