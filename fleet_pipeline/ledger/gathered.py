"""What reading gave and nobody has written yet: plain columns, by kind of evidence.

No query engine is needed here, so that a process that only reads starts at once and stays small.
What becomes of the columns is for ``intake`` to say.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Final,
    Literal,
    NamedTuple,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from msgspec import Struct

from fleet_pipeline.transcripts.claude import ClaudeEvent, Rejected
from fleet_pipeline.transcripts.client_totals import ClientTotal
from fleet_pipeline.transcripts.codex import CodexEvent
from fleet_pipeline.transcripts.codex_quota import QuotaReading
from fleet_pipeline.transcripts.drift import Unfamiliar

if TYPE_CHECKING:
    import polars as pl

Kind = Literal["claude", "codex", "quota", "rejected", "totals", "transcripts", "unfamiliar"]

Plain = type[str] | type[int] | type[float] | type[bool] | type[datetime]


class Transcript(Struct):
    """How much of one transcript was read: whole lines, and those that spoke of requests."""

    client: str
    file_id: int
    bytes: int
    lines: int
    request_lines: int


class Repeated(NamedTuple):
    """A column of text that occurs again and again: each text once, and which one each row has."""

    values: list[str | None]
    rows: list[int]


Column = Sequence[object] | Repeated
"""Moments are whole microseconds since 1970, in UTC."""

Columns = dict[str, Column]


def _fields(record: type[Struct | ClaudeEvent], **same: Plain) -> dict[str, Plain]:
    return same | {name: _plain(hint) for name, hint in get_type_hints(record).items()}


def _plain(hint: object) -> Plain:
    if get_origin(hint) is UnionType:
        [hint] = [kind for kind in get_args(hint) if kind is not NoneType]
    return str if get_origin(hint) is Literal else cast(Plain, hint)


FIELDS: Final[dict[Kind, dict[str, Plain]]] = {
    "claude": _fields(ClaudeEvent),
    "codex": _fields(CodexEvent),
    "quota": _fields(QuotaReading, client=str),
    "rejected": _fields(Rejected, client=str, file_id=int, head=int),
    "totals": _fields(ClientTotal),
    "transcripts": _fields(Transcript),
    "unfamiliar": _fields(Unfamiliar, client=str, file_id=int),
}
"""The columns of each kind: what its records hold, behind what is alike for all of a file."""

DIFFERENT_IN_EACH_ROW: Final = {"message_id", "request_id", "line_id", "response_id", "tools"}

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Gathered:
    """What was read of some files of one host.

    ``read_again`` are files that were read from their beginning: what was once not believed of them
    is to be forgotten. ``tables`` is evidence that another home has made, in columns already.
    """

    def __init__(self) -> None:
        """Hold nothing."""
        self._rows: defaultdict[Kind, list[tuple[object, ...]]] = defaultdict(list)
        self.read_again: list[int] = []
        self.tables: list[tuple[Kind, pl.DataFrame]] = []
        self.columns: dict[Kind, Columns] = {}

    @property
    def rows(self) -> int:
        """How many rows wait to be packed."""
        return sum(map(len, self._rows.values()))

    def add(self, kind: Kind, records: Sequence[Struct | ClaudeEvent], **same: object) -> None:
        """Take in what a file said; ``same`` are columns that are alike for all of it."""
        shared = tuple(same[name] for name in FIELDS[kind] if name in same)
        self._rows[kind] += _as_rows(records, shared)

    def pack(self) -> None:
        """Turn all rows into columns, which another process takes in as they are."""
        self.columns = {kind: columns_of(kind, rows) for kind, rows in self._rows.items() if rows}
        self._rows.clear()


def _as_rows(
    records: Sequence[Struct | ClaudeEvent], same: tuple[object, ...]
) -> Sequence[tuple[object, ...]]:
    if not records or isinstance(records[0], tuple):
        return cast(Sequence[ClaudeEvent], records)
    fields: Callable[[object], tuple[object, ...]] = attrgetter(*records[0].__struct_fields__)
    return [same + fields(record) for record in records]


def columns_of(kind: Kind, rows: Sequence[tuple[object, ...]]) -> Columns:
    """Return ``rows``, of which there are some, column by column."""
    named = zip(FIELDS[kind].items(), zip(*rows, strict=True), strict=True)
    return {name: _column(name, plain, values) for (name, plain), values in named}


def _column(name: str, plain: Plain, values: Sequence[object]) -> Column:
    if plain is datetime:
        moments = cast(Sequence[datetime | None], values)
        return [None if at is None else (at - _EPOCH) // _MICROSECOND for at in moments]
    if plain is str and name not in DIFFERENT_IN_EACH_ROW:
        places = _Places()
        rows = [*map(places.__getitem__, cast(Sequence[str | None], values))]
        return Repeated(list(places), rows)
    return values


class _Places(dict[str | None, int]):
    """Each value's place, in the order in which they are first asked for."""

    def __missing__(self, value: str | None) -> int:
        place = self[value] = len(self)
        return place
