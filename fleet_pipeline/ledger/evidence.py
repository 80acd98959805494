"""Evidence: what each transcript said of each request, kept for good, merged day by day.

One table for each client with the columns that its reader gives, one of quota readings, one of the
client's own totals, one of the lines that were not believed, one of what was not known in a
transcript, one of how much each held. Merging is commutative, associative and idempotent: order,
repeats, restarts and copies change nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from types import NoneType, UnionType
from typing import Final, Literal, cast, get_args, get_origin, get_type_hints

import polars as pl
from msgspec import Struct

from fleet_pipeline.transcripts.claude import ClaudeEvent, Rejected
from fleet_pipeline.transcripts.client_totals import ClientTotal
from fleet_pipeline.transcripts.codex import CodexEvent
from fleet_pipeline.transcripts.codex_quota import QuotaReading
from fleet_pipeline.transcripts.drift import Unfamiliar


class Transcript(Struct):
    """How much of one transcript was read: whole lines, and those that spoke of requests."""

    client: str
    file_id: int
    bytes: int
    lines: int
    request_lines: int


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

_DTYPES: Final[dict[object, pl.DataType]] = {
    str: pl.String(),
    int: pl.Int64(),
    float: pl.Float64(),
    bool: pl.Boolean(),
    datetime: pl.Datetime("us", "UTC"),
}


def schema_of(record: type[Struct | ClaudeEvent]) -> pl.Schema:
    """Return the columns of a record type: one for each field."""
    return pl.Schema({name: _dtype(hint) for name, hint in get_type_hints(record).items()})


def _dtype(hint: object) -> pl.DataType:
    if get_origin(hint) is UnionType:
        [hint] = [kind for kind in get_args(hint) if kind is not NoneType]
    return pl.String() if get_origin(hint) is Literal else _DTYPES[hint]


CLAUDE: Final = schema_of(ClaudeEvent)
CODEX: Final = schema_of(CodexEvent)
QUOTA: Final = pl.Schema({"client": pl.String(), **schema_of(QuotaReading)})
REJECTED: Final = pl.Schema(
    {
        "client": pl.String(),
        "file_id": pl.Int64(),
        "head": pl.Int64(),
        **schema_of(Rejected),
    }
)
TRANSCRIPTS: Final = schema_of(Transcript)
TOTALS: Final = schema_of(ClientTotal)
UNFAMILIAR: Final = pl.Schema(
    {"client": pl.String(), "file_id": pl.Int64(), **schema_of(Unfamiliar)}
)

_CLAUDE_KEY = ("kind", "file_id", "_id")
_FROM_FIRST_LINE = CLAUDE.names()[
    CLAUDE.names().index("first_offset") : CLAUDE.names().index("offset")
]

_FROM_BEST_LINE = CLAUDE.names()[CLAUDE.names().index("offset") : CLAUDE.names().index("tools")]


def frame_of(
    records: Sequence[Struct | ClaudeEvent],
    schema: pl.Schema,
    same: Mapping[str, object] | None = None,
) -> pl.DataFrame:
    """Return ``records`` as a frame in ``schema``; ``same`` are columns that all rows share."""
    if not records:
        return pl.DataFrame(schema=schema)
    if isinstance(records[0], Struct):
        names = records[0].__struct_fields__
        rows: Iterable[Sequence[object]] = map(attrgetter(*names), records)
    else:
        names = ClaudeEvent._fields
        rows = records  # type: ignore[assignment]  # the one kind without a type of its own
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    for name, value in (same or {}).items():
        columns[name] = (value,) * len(records)
    return pl.DataFrame([_series(name, columns[name], dtype) for name, dtype in schema.items()])


def _series(name: str, values: Sequence[object], dtype: pl.DataType) -> pl.Series:
    if dtype == pl.Datetime:
        # Whole microseconds go into a column ten times as fast as datetimes do.
        moments = cast(Sequence[datetime | None], values)
        whole = [None if at is None else (at - _EPOCH) // _MICROSECOND for at in moments]
        return pl.Series(name, whole, pl.Int64).cast(dtype)
    return pl.Series(name, values, dtype)


def merge_claude(rows: pl.DataFrame) -> pl.DataFrame:
    """Return one row for each request of each file: its first line's facts, its best line's usage.

    A file that was read in parts gives several rows for the request that lay across the border, one
    that was written anew may give two that differ. Where nothing else decides, the values do.
    """
    request = pl.coalesce("message_id", "request_id", "line_id")
    copied = rows.select(pl.struct("kind", "file_id", request).is_duplicated()).to_series()
    if copied.any():
        rows = pl.concat([rows.filter(~copied), _merged(rows.filter(copied), request)])
    return rows.sort("file_id", "first_offset", "kind", request)


def _merged(copies: pl.DataFrame, request: pl.Expr) -> pl.DataFrame:
    copies = copies.with_columns(_id=request)
    in_order = copies.sort(
        [*_CLAUDE_KEY, "first_offset", "ts", *_FROM_FIRST_LINE, "request_id"], nulls_last=True
    )
    of_each = in_order.group_by(_CLAUDE_KEY, maintain_order=True).agg(
        *(pl.col(name).first() for name in _FROM_FIRST_LINE if name != "ts"),
        pl.col("ts").min(),
        pl.col("request_id").drop_nulls().first(),
        all_tools(),
    )
    full_input = pl.sum_horizontal(
        "input_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens"
    )
    is_final, offset = pl.col("stop_reason").is_not_null(), -pl.col("offset")
    rank = [is_final, pl.col("output_tokens"), full_input, offset]
    best_last: list[str | pl.Expr] = [*_CLAUDE_KEY, *rank, *_FROM_BEST_LINE]
    best = copies.sort(best_last, nulls_last=True).unique(
        _CLAUDE_KEY, keep="last", maintain_order=True
    )
    return best.with_columns(of_each.drop(_CLAUDE_KEY)).drop("_id")


def all_tools() -> pl.Expr:
    """Return the calls that any row of a group has, each once: the calls of one request."""
    calls = pl.col("tools").drop_nulls().str.split(" ").explode().unique().sort()
    return pl.when(calls.len() > 0).then(calls.implode().list.join(" ")).alias("tools")


def merge_same(rows: pl.DataFrame) -> pl.DataFrame:
    """Return each different row once: statements that never change need no choice."""
    return rows.unique().sort(rows.columns)


def each_rejected_once(rows: pl.DataFrame) -> pl.DataFrame:
    """Return each line that was not believed once, whatever name its file goes by.

    The first line's digest, the offset and the line's own digest tell lines apart.
    """
    order = ["client", "head", "offset", "line_digest", "reason"]
    return rows.sort(order).unique(order[:4], keep="first", maintain_order=True)


def merge_transcripts(rows: pl.DataFrame) -> pl.DataFrame:
    """Return for each transcript the most that it ever held."""
    return rows.group_by("client", "file_id").agg(pl.all().max()).sort("client", "file_id")


def merge_unfamiliar(rows: pl.DataFrame) -> pl.DataFrame:
    """Return for each transcript the most lines that ever bore a name that is not known."""
    key = ["client", "file_id", "kind", "name"]
    return rows.group_by(key).agg(pl.col("lines").max()).sort(key)
