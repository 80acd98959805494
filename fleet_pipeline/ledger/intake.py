"""Evidence between the reader and the lake: in columns, by day, as small as it gets.

Rows wait here until everything was read, so that each day is written once. Repeated text (folders,
models, versions, sessions) is kept once; in the lake it is plain text again, so that the bytes
there do not depend on what happened to be read together.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from fleet_pipeline.home import Home
from fleet_pipeline.ledger import evidence, store
from fleet_pipeline.ledger.gathered import Gathered, Kind
from fleet_pipeline.ledger.spill import Piece, Spill
from fleet_pipeline.ledger.waiting import Waiting


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


_Place = tuple[Kind, date | None]
"""Where rows go: a kind's file of one day, or its only file."""


def place_of(kind: Kind, home: Home, host: str) -> Path:
    """Return where one kind of a host's evidence lies: a folder of days, or one file."""
    return home.root / TABLES[kind].place.format(host=f"host={host}")


class Intake:
    """What was read of one host and is not in the lake yet."""

    def __init__(self, home: Home, host: str, spill: Spill) -> None:
        """Hold nothing that is to go into the lake of ``home`` as ``host``'s."""
        self._home, self._host, self._spill = home, host, spill
        self._read_whole: list[int] = []
        self._parts: defaultdict[_Place, list[pl.DataFrame]] = defaultdict(list)
        self._pieces: defaultdict[_Place, list[Piece]] = defaultdict(list)

    @property
    def rows_in_memory(self) -> int:
        """How many rows wait, without those on disk."""
        return sum(map(_height, self._parts.values()))

    def take_in(self, gathered: Gathered) -> None:
        """Take in what reading gave, packed."""
        for kind, columns in gathered.columns.items():
            self._keep(kind, evidence.frame_of(kind, columns))
        for kind, table in gathered.tables:
            self._keep(kind, table.cast(evidence.compact(TABLES[kind].schema)))
        self._read_whole += gathered.read_again

    def make_room(self, leave: int) -> None:
        """Let rows wait on disk, until at most ``leave`` of them are in memory.

        The fullest days go first: one of which little was read yet is likely to get more, and the
        fewer pieces it comes in, the better. Raises OSError where the disk refuses.
        """
        left = self.rows_in_memory
        for place in sorted(self._parts, key=lambda place: -_height(self._parts[place])):
            if left <= leave:
                break
            rows = pl.concat(self._parts.pop(place))
            left -= rows.height
            self._pieces[place].append(self._spill.put(rows))
        self._let_go()

    def write(self) -> None:
        """Put all rows into the lake. Notes before which days have to be counted again.

        Raises OSError where the disk refuses; the transcripts are then read again the next time.
        """
        self._forget_rejected(place_of("rejected", self._home, self._host))
        waiting, places = Waiting(self._home), self._parts.keys() | self._pieces.keys()
        for client in ("claude", "codex"):
            if days := [day for kind, day in places if kind == client and day]:
                waiting.add(client, days)
        for kind, day in places:
            path = place_of(kind, self._home, self._host)
            path = path / f"date={day}.parquet" if day else path
            _merge_into(path, self._taken_from((kind, day)), TABLES[kind])

    def _taken_from(self, place: _Place) -> list[pl.DataFrame]:
        on_disk = map(self._spill.get, self._pieces.pop(place, ()))
        return [*on_disk, *self._parts.pop(place, ())]

    def _forget_rejected(self, path: Path) -> None:
        """Drop what was once not believed of files that have been read whole again since."""
        known = store.read_frame(path, evidence.REJECTED)
        still = known.filter(~pl.col("file_id").is_in(self._read_whole))
        if still.height < known.height:
            store.write_frame(path, still)
        self._read_whole = []

    def _keep(self, kind: Kind, frame: pl.DataFrame) -> None:
        if not TABLES[kind].by_day:
            self._parts[kind, None].append(frame)
            return
        in_order, start = frame.sort("ts"), 0
        for length, day in in_order["ts"].dt.date().rle().struct.unnest().iter_rows():
            self._parts[kind, day].append(in_order.slice(start, length))
            start += length

    def _let_go(self) -> None:
        """Copy what still waits: a part keeps all the memory of the batch in which it came."""
        rest, self._parts = self._parts, defaultdict(list)
        of_kinds: defaultdict[Kind, list[pl.DataFrame]] = defaultdict(list)
        for (kind, _), parts in rest.items():
            of_kinds[kind] += parts
        for kind, parts in of_kinds.items():
            self._keep(kind, pl.concat(parts, rechunk=True))


def _height(parts: Sequence[pl.DataFrame]) -> int:
    return sum(part.height for part in parts)


def _merge_into(path: Path, parts: list[pl.DataFrame], table: Table) -> None:
    """Merge ``parts`` into what ``path`` holds, and let go of them: a day may be a large one."""
    whole = pl.concat([store.read_frame(path, evidence.compact(table.schema)), *parts])
    parts.clear()
    whole = table.merge(whole)
    store.write_frame(path, whole.cast(table.schema))
