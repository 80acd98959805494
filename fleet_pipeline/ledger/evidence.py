"""Evidence: what each transcript said of each request, kept for good, merged day by day.

One table for each client with the columns that its reader gives, one of quota readings, one of the
client's own totals, one of the lines that were not believed, one of what was not known in a
transcript, one of how much each held. Merging is commutative, associative and idempotent: order,
repeats, restarts and copies change nothing.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import polars as pl

from fleet_pipeline.ledger.gathered import (
    DIFFERENT_IN_EACH_ROW,
    FIELDS,
    Column,
    Columns,
    Kind,
    Plain,
    Repeated,
)

_DTYPES: Final[Mapping[Plain, pl.DataType]] = {
    str: pl.String(),
    int: pl.Int64(),
    float: pl.Float64(),
    bool: pl.Boolean(),
    datetime: pl.Datetime("us", "UTC"),
}


def schema_of(kind: Kind) -> pl.Schema:
    """Return the columns of one kind of evidence, as they are kept."""
    return pl.Schema({name: _DTYPES[plain] for name, plain in FIELDS[kind].items()})


CLAUDE: Final = schema_of("claude")
CODEX: Final = schema_of("codex")
QUOTA: Final = schema_of("quota")
REJECTED: Final = schema_of("rejected")
TRANSCRIPTS: Final = schema_of("transcripts")
TOTALS: Final = schema_of("totals")
UNFAMILIAR: Final = schema_of("unfamiliar")

_CLAUDE_KEY = ("kind", "file_id", "_id")
_FROM_FIRST_LINE = CLAUDE.names()[
    CLAUDE.names().index("first_offset") : CLAUDE.names().index("offset")
]

_FROM_BEST_LINE = CLAUDE.names()[CLAUDE.names().index("offset") : CLAUDE.names().index("tools")]


def compact(schema: pl.Schema) -> pl.Schema:
    """Return ``schema`` for rows in memory: a text that occurs again and again is there once."""
    return pl.Schema(
        {
            name: pl.Categorical() if dtype == pl.String and name not in _ALL_APART else dtype
            for name, dtype in schema.items()
        }
    )


_ALL_APART: Final = DIFFERENT_IN_EACH_ROW | {"agent_id"}
"""What ties rows together is compared by its hash, which has to be that of the text."""


def frame_of(kind: Kind, columns: Columns) -> pl.DataFrame:
    """Return ``columns`` as a frame, with repeated text as categories (``compact``)."""
    schema = compact(schema_of(kind))
    raw = [_as_given(name, columns[name], dtype) for name, dtype in schema.items()]
    # All at once: each expression of its own costs more than it has to do here.
    return pl.DataFrame(raw).select(
        _as_kept(name, columns[name], dtype) for name, dtype in schema.items()
    )


def _as_given(name: str, column: Column, dtype: pl.DataType) -> pl.Series:
    if isinstance(column, Repeated):
        return pl.Series(name, column.rows, pl.UInt32)
    return pl.Series(name, column, pl.Int64 if dtype == pl.Datetime else dtype)


def _as_kept(name: str, column: Column, dtype: pl.DataType) -> pl.Expr:
    if isinstance(column, Repeated):
        return pl.lit(pl.Series(name, column.values, pl.String)).cast(dtype).gather(pl.col(name))
    return pl.col(name).cast(dtype)


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
