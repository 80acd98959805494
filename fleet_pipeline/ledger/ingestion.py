"""Transcripts in, evidence and ledger out: the only writer of both.

Reads what is new since the last time, merges it into the evidence, and counts again. A file that
cannot be read is counted and passed over; a store that cannot be written ends the run.
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import PurePath
from typing import Final
from uuid import UUID

import msgspec

from fleet_pipeline.errors import FleetError, ReaderError, SourceError, StoreError, origin
from fleet_pipeline.home import Home
from fleet_pipeline.ledger import evidence, handover
from fleet_pipeline.ledger.intake import Intake
from fleet_pipeline.ledger.register import Entry, Register, fingerprints
from fleet_pipeline.store_format import bring_up_to_date
from fleet_pipeline.transcripts.claude import ClaudeState, OfAgent, Rejected, read_transcript
from fleet_pipeline.transcripts.claude_lines import lines_to_decode
from fleet_pipeline.transcripts.codex import CodexState, read_rollout
from fleet_pipeline.transcripts.discover import Found, Places, find
from fleet_pipeline.transcripts.drift import Drift
from fleet_pipeline.transcripts.files import Opened, SourceFile, TranscriptFile
from fleet_pipeline.transcripts.lines import Lines, Scan, digest, every_line
from fleet_pipeline.transcripts.objects import EVIDENCE, StoredEvidence
from fleet_pipeline.transcripts.statusline_log import read_statusline_log

Progress = Callable[[int], None]
"""Told how many bytes were dealt with since the last call."""

_ROWS_IN_MEMORY: Final = 45_000

_FAULTS_IN_A_ROW: Final = 3
"""Objects that a store fails to give, each after all attempts, before it is left alone."""


@dataclass
class Report:
    """What one ingestion did. ``passed_over`` counts entries by reason; bytes are as stored.

    ``tables_read`` are those of hosts that send evidence instead of transcripts. ``failures`` say
    of each host that could not be read, or not all of it, what is in the way.
    """

    files: int = 0
    files_read: int = 0
    bytes_read: int = 0
    tables_read: int = 0
    passed_over: dict[str, int] = field(default_factory=dict)
    failures: dict[str, list[str]] = field(default_factory=dict)


def ingest(
    home: Home,
    sources: Sequence[Places],
    *,
    found: Sequence[Found] | None = None,
    full: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Bring the evidence of ``home`` up to date with ``sources``.

    ``found`` is what lies there, if somebody looked already; what could not be read is added to it.
    ``full`` reads every transcript whole again. A source that cannot be read stops no other: it is
    told in the report. Raises BusyError where another process is writing, OSError where the home
    cannot be written.
    """
    home.prepare()
    with home.lock("fleet ingest"), _without_garbage_collection():
        bring_up_to_date(home)
        report = Report()
        register = Register(home.lake / "register.parquet")
        for number, places in enumerate(sources):
            here = found[number] if found else find(places)
            _Ingestion(home, places.host, register, report, full, progress).run(here)
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
        home: Home,
        host: str,
        register: Register,
        report: Report,
        full: bool,
        progress: Progress | None,
    ) -> None:
        self._host, self._register, self._report = host, register, report
        self._full, self._progress = full, progress
        self._intake = Intake(home, host)
        self._entries: list[Entry] = []
        self._agent_folders: set[PurePath] = set()
        self._sessions_with_agents: set[PurePath] = set()

    def run(self, found: Found) -> None:
        for path in (transcript.path for transcript in found.files):
            if path.name.startswith("agent-"):
                self._agent_folders.add(path.parent)
                self._sessions_with_agents.update(path.parents)
        # Files of about the same days one after the other: the fewer days does each write touch.
        files = sorted(found.files, key=lambda file: file.modified_ns)
        reads: list[tuple[Callable[[Entry | None], None], SourceFile]] = [
            *((partial(self._read, file), file) for file in files),
            *((partial(self._read_statusline_log, log), log) for log in found.statusline_logs),
            *((partial(self._read_evidence, table), table) for table in found.evidence),
        ]
        sound, faults = 0, 0
        for read, file in reads:
            entry = self._register.get(self._host, file.id)
            if self._full or entry is None or not entry.is_unchanged(file):
                try:
                    read(None if self._full else entry)
                    sound, faults = sound + 1, 0
                except FileNotFoundError:
                    found.pass_over("vanished")
                except SourceError as error:
                    found.pass_over(str(error))
                    faults += isinstance(error, StoreError)
                    if faults == _FAULTS_IN_A_ROW:
                        found.failures.append(f"given up after several faults in a row: {error}")
                        found.failed = not sound
                        break
                except OSError:
                    found.pass_over("not readable")
                except FleetError:
                    raise
                except Exception as error:
                    # What it says, or what it was raised from, may quote the line at hand.
                    raise ReaderError(
                        f"{type(error).__qualname__} at {origin(error)} while a transcript was"
                        " read; this is a bug, please report it"
                    ) from None
                if self._intake.rows >= _ROWS_IN_MEMORY:
                    self._write()
            else:
                sound += 1
            if self._progress:
                self._progress(file.size)
        self._write()

    def _write(self) -> None:
        """Write what was read; only then may the register say that it was."""
        self._intake.write()
        for entry in self._entries:
            self._register.put(entry)
        self._entries = []

    def _scan(self, file: TranscriptFile) -> Scan:
        """Return how to find the lines of a file that have to be decoded.

        Newer clients keep a session's subagents in a folder named for it, older ones beside it.
        """
        if file.client != "claude":
            return every_line
        has_agents = (
            file.path.parent in self._agent_folders
            or file.path.with_suffix("") in self._sessions_with_agents
        )
        return lines_to_decode(notes=has_agents)

    def _read(self, file: TranscriptFile, entry: Entry | None) -> None:
        with file.open(entry.offset if entry else 0) as opened:
            grown = (
                entry is not None and not opened.compressed and entry.has_only_grown(file, opened)
            )
            known = entry if grown else None
            start = known.offset if known else 0
            lines = Lines(opened.bytes_from(start), start, scan=self._scan(file))
            if file.client == "claude":
                rejected, request_lines, state = self._read_claude(
                    file, lines, opened.written, known
                )
            else:
                rejected, request_lines, state = self._read_codex(
                    file, lines, opened.written, known
                )
            rejected += [
                Rejected(offset, length, "too_long", 0) for offset, length in lines.too_long
            ]
            if rejected:
                head = _first_line(opened)
                self._intake.add(
                    "rejected", rejected, client=file.client, file_id=file.id, head=head
                )
            end = 0 if opened.compressed else lines.end
            head, tail = fingerprints(opened, end)
        count = lines.count + (known.lines if known else 0)
        request_lines += known.request_lines if known else 0
        self._report.files_read += 1
        self._report.bytes_read += file.size - start
        self._intake.add_transcript(
            evidence.Transcript(file.client, file.id, lines.end, count, request_lines),
            whole=known is None,
        )
        self._remember(file, end, (head, tail), count, request_lines, rejected, state)

    def _read_claude(
        self, file: TranscriptFile, lines: Lines, written: datetime, known: Entry | None
    ) -> tuple[list[Rejected], int, bytes]:
        carried = known.state if known else None
        transcript = read_transcript(
            lines,
            file_id=file.id,
            written=written,
            agent=_of_agent(file) if file.path.name.startswith("agent-") else None,
            state=msgspec.msgpack.decode(carried, type=ClaudeState) if carried else None,
        )
        self._intake.add_events(transcript.events)
        self._intake.add("totals", transcript.totals)
        self._add_unfamiliar(file, transcript.state.drift)
        state = msgspec.msgpack.encode(transcript.state)
        return transcript.rejected, transcript.request_lines, state

    def _read_codex(
        self, file: TranscriptFile, lines: Lines, written: datetime, known: Entry | None
    ) -> tuple[list[Rejected], int, bytes]:
        carried = known.state if known else None
        rollout = read_rollout(
            lines,
            file_id=file.id,
            written=written,
            named=_thread_in_name(file.path),
            state=msgspec.msgpack.decode(carried, type=CodexState) if carried else None,
        )
        self._intake.add("codex", rollout.events)
        self._intake.add("quota", rollout.quota, client="codex")
        self._add_unfamiliar(file, rollout.state.drift)
        return rollout.rejected, rollout.request_lines, msgspec.msgpack.encode(rollout.state)

    def _add_unfamiliar(self, file: TranscriptFile, drift: Drift) -> None:
        self._intake.add("unfamiliar", drift.rows(), client=file.client, file_id=file.id)

    def _read_statusline_log(self, file: TranscriptFile, entry: Entry | None) -> None:
        """Take in a log of limits; it is no transcript, and no line of it is a request."""
        with file.open(entry.offset if entry else 0) as opened:
            known = entry if entry and entry.has_only_grown(file, opened) else None
            start = known.offset if known else 0
            lines = Lines(opened.bytes_from(start), start)
            log = read_statusline_log(lines, written=opened.written)
            rejected = log.rejected + [
                Rejected(offset, length, "too_long", 0) for offset, length in lines.too_long
            ]
            self._intake.add("quota", log.quota, client=file.client)
            if rejected:
                head = _first_line(opened)
                self._intake.add(
                    "rejected", rejected, client=file.client, file_id=file.id, head=head
                )
            head, tail = fingerprints(opened, lines.end)
        count = lines.count + (known.lines if known else 0)
        if known is None:
            self._intake.read_again(file.id)
        self._remember(file, lines.end, (head, tail), count, 0, rejected, None)

    def _read_evidence(self, file: StoredEvidence, entry: Entry | None) -> None:
        """Take in what another home has read of this host."""
        kind = handover.kind_of(file.path.relative_to(EVIDENCE))
        transcripts = file.beside("transcripts.parquet") if kind == "rejected" else None
        handover.take_in(self._intake, kind, file.read(), transcripts)
        self._report.tables_read += 1
        self._report.bytes_read += file.size
        self._remember(file)

    def _remember(
        self,
        file: SourceFile,
        end: int = 0,
        prints: tuple[int, int] = (0, 0),
        lines: int = 0,
        request_lines: int = 0,
        rejected: Sequence[Rejected] = (),
        state: bytes | None = None,
    ) -> None:
        """Keep what the register is to know once the data is written."""
        self._entries.append(
            Entry(
                host=self._host,
                file_id=file.id,
                size=file.size,
                modified_ns=file.modified_ns,
                changed_ns=file.changed_ns,
                noted_ns=file.noted_ns,
                inode=file.inode,
                content=file.content,
                offset=end,
                head=prints[0],
                tail=prints[1],
                lines=lines,
                request_lines=request_lines,
                awaits_time=any(line.reason == "timestamp_in_future" for line in rejected),
                state=state,
            )
        )


_FIRST: Final = 65536


def _thread_in_name(rollout: PurePath) -> str | None:
    """Return the thread id that ends a rollout's name; any other name is nobody's business."""
    stem = rollout.name.removesuffix(".zst").removesuffix(".jsonl")
    try:
        return str(UUID(stem[-36:]))
    except ValueError:
        return None


def _first_line(opened: Opened) -> int:
    """Return a digest of the first line: the same under any name, and while the file grows."""
    if not opened.compressed:
        return digest(opened.piece(0, _FIRST).split(b"\n", 1)[0])
    buffer = bytearray(_FIRST)
    view = memoryview(buffer)
    source, filled = opened.bytes_from(0), 0
    while filled < len(buffer) and (count := source.readinto(view[filled:])):
        filled += count
    return digest(bytes(buffer[:filled]).split(b"\n", 1)[0])


_DEEPEST: Final = 100


class _Meta(msgspec.Struct):
    agentType: str | None = None
    spawnDepth: int | None = None


def _of_agent(file: TranscriptFile) -> OfAgent:
    """Return what the client noted beside a subagent's transcript, if it did."""
    try:
        note = msgspec.json.decode(file.note() or b"", type=_Meta)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return OfAgent()
    return OfAgent(note.agentType, max(1, min(note.spawnDepth or 1, _DEEPEST)))
