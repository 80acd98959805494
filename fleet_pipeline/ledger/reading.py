"""One transcript after the other into columns: what is new of it, and what to remember of it.

Nothing is written here: what was read is gathered in memory, in this process or in another one,
until ``ingestion`` puts it into the lake.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Final
from uuid import UUID

import msgspec

from fleet_pipeline.errors import FleetError, ReaderError, SourceError, StoreError, origin
from fleet_pipeline.ledger.entry import Entry, fingerprints
from fleet_pipeline.ledger.gathered import Gathered, Transcript
from fleet_pipeline.statusline import log as statusline
from fleet_pipeline.transcripts.claude import ClaudeState, OfAgent, Rejected, read_transcript
from fleet_pipeline.transcripts.claude_lines import lines_to_decode
from fleet_pipeline.transcripts.codex import CodexState, read_rollout
from fleet_pipeline.transcripts.drift import Drift
from fleet_pipeline.transcripts.files import Opened, SourceFile, TranscriptFile
from fleet_pipeline.transcripts.lines import Lines, digest, every_line
from fleet_pipeline.transcripts.objects import EVIDENCE, StoredEvidence
from fleet_pipeline.transcripts.statusline_log import read_statusline_log


class Batch(msgspec.Struct):
    """What was read of some files of one host: for the lake, for the register, and for the report.

    ``passed_over`` counts files that could not be read, by reason; ``sound`` are those that could.
    ``gave_up`` says why nothing more was read after them, if so. ``bytes_done`` is the size of all
    that were dealt with.
    """

    gathered: Gathered = msgspec.field(default_factory=Gathered)
    entries: list[Entry] = []
    passed_over: Counter[str] = msgspec.field(default_factory=Counter)
    sound: int = 0
    gave_up: str | None = None
    files_read: int = 0
    tables_read: int = 0
    bytes_read: int = 0
    bytes_done: int = 0


class ToRead(msgspec.Struct, frozen=True, gc=False):
    """One file to read, and what is known of it if it may go on from there.

    ``has_agents`` says of a session's transcript that it started subagents.
    """

    file: SourceFile
    known: Entry | None
    has_agents: bool = False

    @property
    def bytes_left(self) -> int:
        """How many bytes lie behind what was read before, if it has only grown since."""
        return max(0, self.file.size - (self.known.offset if self.known else 0))


def read_files(host: str, files: Iterable[ToRead]) -> Iterator[Batch]:
    """Read files of one host and give what they hold, a bounded part of it at a time.

    A file that cannot be read is counted and passed over. Raises ReaderError for a bug.
    """
    reader = _Reader(host)
    faults = 0
    for each in files:
        batch = reader.batch
        fault = reader.attempt(each)
        if fault is None:
            batch.sound, faults = batch.sound + 1, 0
        else:
            batch.passed_over[str(fault)] += 1
            faults += isinstance(fault, StoreError)
        batch.bytes_done += each.file.size
        if faults == _FAULTS_IN_A_ROW:
            batch.gave_up = f"given up after several faults in a row: {fault}"
            break
        if batch.gathered.rows >= _ROWS_OF_A_BATCH or batch.bytes_done >= _BYTES_OF_A_BATCH:
            yield reader.taken()
    yield reader.taken()


_ROWS_OF_A_BATCH: Final = 4_000
_BYTES_OF_A_BATCH: Final = 64 * 2**20

_FAULTS_IN_A_ROW: Final = 3
"""Objects that a store fails to give, each after all attempts, before it is left alone."""


class _Reader:
    """Reads one file after the other and gathers what they hold, until it is taken away."""

    def __init__(self, host: str) -> None:
        self._host = host
        self.batch = Batch()

    def taken(self) -> Batch:
        """Return what was gathered, and gather anew."""
        taken, self.batch = self.batch, Batch()
        taken.gathered.pack()
        return taken

    def attempt(self, each: ToRead) -> SourceError | None:
        """Read one file; return why that could not be done, if so."""
        try:
            match each.file:
                case StoredEvidence() as table:
                    self._read_evidence(table)
                case TranscriptFile() as log if log.name in statusline.LOGS:
                    self._read_statusline_log(log, each.known)
                case TranscriptFile() as transcript:
                    self._read_transcript(transcript, each.known, each.has_agents)
        except FileNotFoundError:
            return SourceError("vanished")
        except SourceError as error:
            return error
        except OSError:
            return SourceError("not readable")
        except FleetError:
            raise
        except Exception as error:
            # What it says, or what it was raised from, may quote the line at hand.
            raise ReaderError(
                f"{type(error).__qualname__} at {origin(error)} while a transcript was"
                " read; this is a bug, please report it"
            ) from None
        return None

    def _read_transcript(self, file: TranscriptFile, entry: Entry | None, has_agents: bool) -> None:
        with file.open(entry.offset if entry else 0) as opened:
            grown = (
                entry is not None and not opened.compressed and entry.has_only_grown(file, opened)
            )
            known = entry if grown else None
            start = known.offset if known else 0
            is_claude = file.client == "claude"
            scan = lines_to_decode(notes=has_agents) if is_claude else every_line
            lines = Lines(opened.bytes_from(start), start, scan=scan)
            if is_claude:
                rejected, request_lines, state = self._read_claude(
                    file, lines, opened.written, known
                )
            else:
                rejected, request_lines, state = self._read_codex(
                    file, lines, opened.written, known
                )
            rejected = self._add_rejected(file, opened, rejected, lines)
            end = 0 if opened.compressed else lines.end
            head, tail = fingerprints(opened, end)
        count = lines.count + (known.lines if known else 0)
        request_lines += known.request_lines if known else 0
        self.batch.files_read += 1
        self.batch.bytes_read += file.size - start
        held = Transcript(file.client, file.id, lines.end, count, request_lines)
        self.batch.gathered.add("transcripts", [held])
        if known is None:
            self.batch.gathered.read_again.append(file.id)
        self._remember(file, end, (head, tail), count, request_lines, rejected, state)

    def _read_claude(
        self, file: TranscriptFile, lines: Lines, written: datetime, known: Entry | None
    ) -> tuple[list[Rejected], int, bytes]:
        carried = known.state if known else None
        transcript = read_transcript(
            lines,
            file_id=file.id,
            written=written,
            agent=_of_agent(file) if file.name.startswith("agent-") else None,
            state=msgspec.msgpack.decode(carried, type=ClaudeState) if carried else None,
        )
        self.batch.gathered.add("claude", transcript.events)
        self.batch.gathered.add("totals", transcript.totals)
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
            named=_thread_in_name(file.name),
            state=msgspec.msgpack.decode(carried, type=CodexState) if carried else None,
        )
        self.batch.gathered.add("codex", rollout.events)
        self.batch.gathered.add("quota", rollout.quota, client="codex")
        self._add_unfamiliar(file, rollout.state.drift)
        return rollout.rejected, rollout.request_lines, msgspec.msgpack.encode(rollout.state)

    def _add_rejected(
        self, file: TranscriptFile, opened: Opened, rejected: list[Rejected], lines: Lines
    ) -> list[Rejected]:
        """Take in the lines that are not believed, those too long to be looked at among them."""
        too_long = [Rejected(offset, length, "too_long", 0) for offset, length in lines.too_long]
        every = rejected + too_long
        if every:
            self.batch.gathered.add(
                "rejected", every, client=file.client, file_id=file.id, head=_first_line(opened)
            )
        return every

    def _add_unfamiliar(self, file: TranscriptFile, drift: Drift) -> None:
        self.batch.gathered.add("unfamiliar", drift.rows(), client=file.client, file_id=file.id)

    def _read_statusline_log(self, file: TranscriptFile, entry: Entry | None) -> None:
        """Take in a log of limits; it is no transcript, and no line of it is a request."""
        with file.open(entry.offset if entry else 0) as opened:
            known = entry if entry and entry.has_only_grown(file, opened) else None
            start = known.offset if known else 0
            lines = Lines(opened.bytes_from(start), start)
            log = read_statusline_log(lines, written=opened.written)
            self.batch.gathered.add("quota", log.quota, client=file.client)
            rejected = self._add_rejected(file, opened, log.rejected, lines)
            head, tail = fingerprints(opened, lines.end)
        count = lines.count + (known.lines if known else 0)
        if known is None:
            self.batch.gathered.read_again.append(file.id)
        self._remember(file, lines.end, (head, tail), count, 0, rejected, None)

    def _read_evidence(self, file: StoredEvidence) -> None:
        """Take in what another home has read of this host."""
        # Only tables need the query engine: a process that reads transcripts does without.
        from fleet_pipeline.ledger import handover

        kind = handover.kind_of(PurePath(file.path).relative_to(EVIDENCE))
        transcripts = file.beside("transcripts.parquet") if kind == "rejected" else None
        handover.take_in(self.batch.gathered, kind, file.read(), transcripts)
        self.batch.tables_read += 1
        self.batch.bytes_read += file.size
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
        self.batch.entries.append(
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


def _thread_in_name(rollout: str) -> str | None:
    """Return the thread id that ends a rollout's name; any other name is nobody's business."""
    stem = rollout.removesuffix(".zst").removesuffix(".jsonl")
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
