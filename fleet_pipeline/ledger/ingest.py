"""Transcripts in, evidence and ledger out: the only writer of both.

Reads what is new since the last time, merges it into the evidence, and counts again. A file that
cannot be read is counted and passed over; a store that cannot be written ends the run.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
import polars as pl

from fleet_pipeline.errors import SourceError
from fleet_pipeline.home import Home
from fleet_pipeline.ledger import evidence, store
from fleet_pipeline.ledger.register import Entry, Register, fingerprints
from fleet_pipeline.transcripts.claude import ClaudeEvent, Rejected, cannot_matter, read_transcript
from fleet_pipeline.transcripts.codex import CodexState, read_rollout
from fleet_pipeline.transcripts.discover import Found, Places, TranscriptFile, find
from fleet_pipeline.transcripts.lines import (
    CompressedBytes,
    Lines,
    PlainBytes,
    digest,
    is_compressed,
    open_regular,
)

Progress = Callable[[int], None]
"""Told how many bytes were dealt with since the last call."""

_ROWS_IN_MEMORY: Final = 250_000
_RECORDS_IN_MEMORY: Final = 20_000


@dataclass
class Report:
    """What one ingestion did. ``passed_over`` counts entries by reason; bytes are as on disk."""

    files: int = 0
    files_read: int = 0
    bytes_read: int = 0
    changed: bool = False
    passed_over: dict[str, int] = field(default_factory=dict)


def ingest(
    home: Home, sources: Sequence[Places], *, full: bool = False, progress: Progress | None = None
) -> Report:
    """Bring the evidence of ``home`` up to date with ``sources``.

    ``full`` reads every transcript whole again. Raises BusyError where another process is writing,
    OSError where the home cannot be written.
    """
    home.prepare()
    with home.lock("fleet ingest"):
        report = Report()
        register = Register(home.lake / "register.parquet")
        for places in sources:
            found = find(places)
            _Ingestion(home, places.host, register, report, full, progress).run(found)
            report.files += len(found.files)
            for reason, count in found.passed_over.items():
                report.passed_over[reason] = report.passed_over.get(reason, 0) + count
        register.save()
        return report


def bytes_to_read(sources: Sequence[Places]) -> int:
    """Return the size of all transcripts, for a progress bar."""
    return sum(file.size for places in sources for file in find(places).files)


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
        self._home, self._host, self._register, self._report = home, host, register, report
        self._full, self._progress = full, progress
        self._claude: list[ClaudeEvent] = []
        self._frames: dict[str, list[pl.DataFrame]] = {}
        self._rows = 0
        self._entries: list[Entry] = []
        self._held: list[tuple[str, int, int, int, int]] = []

    def run(self, found: Found) -> None:
        for file in found.files:
            entry = self._register.get(self._host, file.id)
            if self._full or entry is None or not entry.is_unchanged(file):
                try:
                    self._read(file, None if self._full else entry)
                except FileNotFoundError:
                    found.pass_over("vanished")
                except SourceError as error:
                    found.pass_over(str(error))
                except PermissionError:
                    found.pass_over("not readable")
                self._flush_when(_ROWS_IN_MEMORY)
            if self._progress:
                self._progress(file.size)
        self._flush_when(0)

    def _read(self, file: TranscriptFile, entry: Entry | None) -> None:
        descriptor = open_regular(file.path)
        try:
            compressed = is_compressed(descriptor)
            known = (
                entry
                if entry and not compressed and entry.has_only_grown(file, descriptor)
                else None
            )
            start = known.offset if known else 0
            source = (
                CompressedBytes(descriptor)
                if compressed
                else PlainBytes(descriptor, start, file.size)
            )
            lines = Lines(
                source, start, cannot_matter=cannot_matter if file.client == "claude" else None
            )
            written = datetime.fromtimestamp(file.modified_ns / 1e9, UTC)
            if file.client == "claude":
                rejected, request_lines = self._read_claude(file, lines, written)
                state = None
            else:
                rejected, request_lines, state = self._read_codex(file, lines, written, known)
            rejected += [
                Rejected(offset, length, "too_long", 0) for offset, length in lines.too_long
            ]
            count = lines.count + (known.lines if known else 0)
            request_lines += known.request_lines if known else 0
            if rejected:
                self._add(
                    "rejected",
                    evidence.frame_of(rejected, evidence.REJECTED).with_columns(
                        client=pl.lit(file.client), head=pl.lit(_first_line(descriptor, compressed))
                    ),
                )
            head, tail = fingerprints(descriptor, 0 if compressed else lines.end)
        finally:
            os.close(descriptor)
        self._report.files_read += 1
        self._report.bytes_read += file.size - start
        self._entries.append(
            Entry(
                self._host, file.id, file.size, file.modified_ns, file.inode,
                0 if compressed else lines.end, head, tail, count, request_lines, state,
            )
        )  # fmt: skip
        self._held.append((file.client, file.id, lines.end, count, request_lines))

    def _read_claude(
        self, file: TranscriptFile, lines: Lines, written: datetime
    ) -> tuple[list[Rejected], int]:
        in_agent_file = file.path.name.startswith("agent-")
        transcript = read_transcript(
            lines,
            file_id=file.id,
            written=written,
            in_agent_file=in_agent_file,
            agent_type=_agent_type(file.path) if in_agent_file else None,
        )
        self._claude += transcript.events
        if len(self._claude) >= _RECORDS_IN_MEMORY:
            self._pack()
        return transcript.rejected, transcript.request_lines

    def _read_codex(
        self, file: TranscriptFile, lines: Lines, written: datetime, known: Entry | None
    ) -> tuple[list[Rejected], int, bytes]:
        carried = (
            msgspec.msgpack.decode(known.state, type=CodexState) if known and known.state else None
        )
        rollout = read_rollout(
            lines, file_id=file.id, written=written, named=file.path.stem[-36:], state=carried
        )
        self._add("codex", evidence.frame_of(rollout.events, evidence.CODEX))
        quota = evidence.frame_of(rollout.quota, evidence.QUOTA)
        self._add("quota", quota.with_columns(client=pl.lit("codex")))
        return rollout.rejected, rollout.request_lines, msgspec.msgpack.encode(rollout.state)

    def _pack(self) -> None:
        """Turn records into columns: a tenth of the memory."""
        self._add("claude", evidence.frame_of(self._claude, evidence.CLAUDE))
        self._claude = []

    def _add(self, kind: str, frame: pl.DataFrame) -> None:
        if not frame.is_empty():
            self._frames.setdefault(kind, []).append(frame)
            self._rows += frame.height

    def _flush_when(self, rows: int) -> None:
        """Write what was read once there is enough of it; the register learns of it afterwards."""
        if self._rows < rows:
            return
        self._rows = 0
        self._pack()
        self._add("transcripts", pl.DataFrame(self._held, evidence.TRANSCRIPTS, orient="row"))
        self._held = []
        host = f"host={self._host}"
        lake = self._home.lake
        for kind, folder, schema, merge in (
            (
                "claude",
                lake / "events" / host / "client=claude",
                evidence.CLAUDE,
                evidence.merge_claude,
            ),
            ("codex", lake / "events" / host / "client=codex", evidence.CODEX, evidence.merge_same),
            ("quota", lake / "quota" / host, evidence.QUOTA, evidence.merge_same),
        ):
            if frames := self._frames.pop(kind, None):
                rows_of_kind = pl.concat(frames, how="diagonal").select(schema.names())
                self._report.changed |= bool(store.merge_days(folder, rows_of_kind, merge))
        for kind, path, schema, merge in (
            (
                "rejected",
                self._home.quarantine / f"{host}.parquet",
                evidence.REJECTED,
                evidence.merge_rejected,
            ),
            (
                "transcripts",
                lake / "transcripts" / f"{host}.parquet",
                evidence.TRANSCRIPTS,
                evidence.merge_transcripts,
            ),
        ):
            if frames := self._frames.pop(kind, None):
                known = store.read_frame(path, schema)
                new = [frame.select(schema.names()) for frame in frames]
                store.write_frame(path, merge(pl.concat([known, *new])))
        for entry in self._entries:
            self._register.put(entry)
        self._entries = []


def _first_line(descriptor: int, compressed: bool) -> int:
    """Return a digest of the first line: the same under any name, and while the file grows."""
    if not compressed:
        return digest(os.pread(descriptor, 65536, 0).split(b"\n", 1)[0])
    os.lseek(descriptor, 0, os.SEEK_SET)
    buffer = bytearray(65536)
    view = memoryview(buffer)
    source, filled = CompressedBytes(descriptor), 0
    while filled < len(buffer) and (count := source.readinto(view[filled:])):
        filled += count
    return digest(bytes(buffer[:filled]).split(b"\n", 1)[0])


class _Meta(msgspec.Struct):
    agentType: str | None = None


def _agent_type(transcript: Path) -> str | None:
    """Return the type that the client noted beside a subagent's transcript, if it did."""
    try:
        return msgspec.json.decode(
            transcript.with_suffix(".meta.json").read_bytes(), type=_Meta
        ).agentType
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
