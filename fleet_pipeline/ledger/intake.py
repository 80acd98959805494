"""Evidence between the reader and the lake: in columns, by day, as small as it gets.

Rows wait here until there are enough of them to be worth a write. Repeated text (folders, models,
versions, sessions) is kept once; in the lake it is plain text again, so that the bytes there do
not depend on what happened to be read together.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Literal

import polars as pl
from msgspec import Struct

from fleet_pipeline.home import Home
from fleet_pipeline.ledger import evidence, store
from fleet_pipeline.ledger.waiting import Waiting
from fleet_pipeline.transcripts.claude import ClaudeEvent

Kind = Literal["claude", "codex", "quota", "rejected", "totals", "transcripts", "unfamiliar"]

_DIFFERENT_IN_EACH_ROW: Final = {"message_id", "request_id", "line_id", "response_id"}


@dataclass(frozen=True)
class Table:
    """How one kind of evidence is kept: its columns, its place, and how old and new rows merge."""

    schema: pl.Schema
    place: str
    merge: store.Merge
    by_day: bool


TABLES: Final[dict[Kind, Table]] = {
    "claude": Table(
        evidence.CLAUDE, "lake/events/{host}/client=claude", evidence.merge_claude, True
    ),
    "codex": Table(evidence.CODEX, "lake/events/{host}/client=codex", evidence.merge_same, True),
    "quota": Table(evidence.QUOTA, "lake/quota/{host}", evidence.merge_same, True),
    "rejected": Table(evidence.REJECTED, "quarantine/{host}.parquet", evidence.merge_same, False),
    "totals": Table(evidence.TOTALS, "lake/totals/{host}.parquet", evidence.merge_same, False),
    "transcripts": Table(
        evidence.TRANSCRIPTS, "lake/transcripts/{host}.parquet", evidence.merge_transcripts, False
    ),
    "unfamiliar": Table(
        evidence.UNFAMILIAR, "lake/unfamiliar/{host}.parquet", evidence.merge_unfamiliar, False
    ),
}


def place_of(kind: Kind, home: Home, host: str) -> Path:
    """Return where one kind of a host's evidence lies: a folder of days, or one file."""
    return home.root / TABLES[kind].place.format(host=f"host={host}")


class Intake:
    """What was read of one host and is not in the lake yet."""

    def __init__(self) -> None:
        """Hold nothing."""
        self._events: list[ClaudeEvent] = []
        self._transcripts: list[evidence.Transcript] = []
        self._read_whole: list[int] = []
        self._frames: defaultdict[Kind, list[pl.DataFrame]] = defaultdict(list)
        self.rows = 0

    def add_events(self, events: Sequence[ClaudeEvent]) -> None:
        """Take in what a Claude Code transcript said."""
        self._events += events
        self.rows += len(events)

    def add_transcript(self, transcript: evidence.Transcript, *, whole: bool) -> None:
        """Take in how much a transcript held; ``whole`` if it was read from its beginning."""
        self._transcripts.append(transcript)
        if whole:
            self.read_again(transcript.file_id)

    def read_again(self, file_id: int) -> None:
        """Forget what was once not believed of a file: it was read from its beginning."""
        self._read_whole.append(file_id)

    def add(self, kind: Kind, records: Sequence[Struct], **same: object) -> None:
        """Take in records of another kind; ``same`` are columns that are alike for all of them."""
        if records:
            self._keep(kind, evidence.frame_of(records, TABLES[kind].schema, same))

    def add_frame(self, kind: Kind, frame: pl.DataFrame) -> None:
        """Take in evidence that another home has made, in the columns of its kind."""
        if frame.height:
            self._keep(kind, frame)

    def pack(self) -> None:
        """Turn all records into columns, which another process takes in as they are."""
        if self._events:
            frame = evidence.frame_of(self._events, evidence.CLAUDE)
            self.rows -= frame.height
            self._events = []
            self._keep("claude", frame)
        self.add("transcripts", self._transcripts)
        self._transcripts = []

    def take_in(self, other: "Intake") -> None:
        """Take in all that another one holds packed."""
        for kind, frames in other._frames.items():
            self._frames[kind] += frames
        self._read_whole += other._read_whole
        self.rows += other.rows

    def write(self, home: Home, host: str) -> None:
        """Put all that is packed into the lake of ``home``, as ``host``'s.

        Notes first which days have to be counted again. Raises OSError where the disk refuses; the
        transcripts are then read again the next time.
        """
        self._forget_rejected(place_of("rejected", home, host))
        waiting = Waiting(home)
        for kind in sorted(self._frames):
            table, frames = TABLES[kind], self._frames.pop(kind)
            place = place_of(kind, home, host)
            if not table.by_day:
                _merge_into(place, frames, table)
                continue
            days = _days(frames)
            if kind in ("claude", "codex"):
                waiting.add(kind, days)
            for day, slices in sorted(days.items()):
                rows = [frames[number].slice(*extent) for number, extent in slices]
                _merge_into(place / f"date={day}.parquet", rows, table)
        self.rows = 0

    def _forget_rejected(self, path: Path) -> None:
        """Drop what was once not believed of files that have been read whole again since."""
        known = store.read_frame(path, evidence.REJECTED)
        still = known.filter(~pl.col("file_id").is_in(self._read_whole))
        if still.height < known.height:
            store.write_frame(path, still)
        self._read_whole = []

    def _keep(self, kind: Kind, frame: pl.DataFrame) -> None:
        repeated = [
            name
            for name, dtype in frame.schema.items()
            if dtype == pl.String and name not in _DIFFERENT_IN_EACH_ROW
        ]
        small = frame.with_columns(pl.col(repeated).cast(pl.Categorical))
        self._frames[kind].append(small.sort("ts") if TABLES[kind].by_day else small)
        self.rows += frame.height


def _days(frames: Sequence[pl.DataFrame]) -> dict[date, list[tuple[int, tuple[int, int]]]]:
    """Return for each UTC day where it lies in each frame: number, first row, count of rows."""
    days: dict[date, list[tuple[int, tuple[int, int]]]] = {}
    for number, frame in enumerate(frames):
        start = 0
        for length, day in frame["ts"].dt.date().rle().struct.unnest().iter_rows():
            days.setdefault(day, []).append((number, (start, length)))
            start += length
    return days


def _merge_into(path: Path, rows: Sequence[pl.DataFrame], table: Table) -> None:
    known = store.read_frame(path, table.schema)
    new = pl.concat(rows).cast(table.schema)
    store.write_frame(path, table.merge(pl.concat([known, new])))
