"""Which of Codex's usage statements are billed requests: each counted once, whatever was copied.

Pure: evidence in, ledger rows out. The result depends on the set of rows only, not on their order,
the host that a file came from first, or the run that read it.

The rules, in the order in which they are applied:

1. A statement is known by its response id or, where old clients gave none, by thread, moment and
   totals. Copies of it in other files (archived, compressed, on another host) are the same one.
2. A forked thread's history belongs to its parent: turns that the parent told of are dropped, and
   turns older than the thread unless the parent is known and no other thread told of them; where
   turns have no ids, so is the longest prefix that equals the parent's statements up to the fork;
   where the parent is unknown too, what the file itself shows to be copied.
3. Records are right about the turns that they speak of, so the counts of those turns are dropped.
   Turns without any record (an older client wrote them) keep their counts.
4. While a review runs in a thread of its own, 0.74 echoes its counts in the parent: an echo is
   dropped if the review thread tells the same totals within a minute.
5. A count without tokens (after a compaction) bills nothing.

Cumulative totals are only compared, never subtracted: they restart at 0 when 0.55 or 0.74 resume.
Measured: exact on seven versions from 0.29 to 0.169 against dictated usage.
"""

from collections import defaultdict
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final, NamedTuple

import polars as pl

from fleet_pipeline.ledger.columns import USAGE
from fleet_pipeline.ledger.tool_counts import with_tool_counts
from fleet_pipeline.transcripts.codex import thread_birth

_LAST: Final = (
    "input_tokens",
    "cached_input_tokens",
    "cache_write_input_tokens",
    "output_tokens",
    "reasoning_output_tokens",
    "total_tokens",
)
_TOTALS: Final = tuple(f"cumulative_{name}" for name in _LAST)
_REVIEW_ECHO: Final = timedelta(minutes=1)

SESSION: Final = pl.coalesce(
    "session_id", pl.when("is_subagent").then("parent_thread_id"), "thread"
)
"""The session of a billed statement: a subagent's thread belongs to the one that started it."""


def count_codex(events: pl.DataFrame) -> pl.DataFrame:
    """Return one ledger row for each request in ``events`` (``CodexEvent`` and its ``host``).

    Tokens are disjoint: fresh input, cache write (counted as 5m), cache read, output with
    reasoning. Ordered by time and message id.
    """
    return (
        billed_statements(events)
        .sort("ts", "message_id")
        .select(
            client=pl.lit("codex"),
            message_id="message_id",
            request_id=None,
            session_id=SESSION,
            host="host",
            ts="ts",
            model="model",
            cwd="cwd",
            agent_type="agent_type",
            is_subagent="is_subagent",
            effort="effort",
            input_tokens=pl.col("input_tokens")
            - pl.col("cached_input_tokens")
            - pl.col("cache_write_input_tokens"),
            cache_write_5m_tokens="cache_write_input_tokens",
            cache_write_1h_tokens=0,
            cache_read_tokens="cached_input_tokens",
            output_tokens="output_tokens",
            reasoning_tokens=pl.min_horizontal("reasoning_output_tokens", "output_tokens"),
            output_is_final=True,
            stop_reason=None,
            web_search_requests=0,
            client_version="client_version",
            entrypoint="entrypoint",
            service_tier=None,
            speed=None,
            inference_geo=None,
            agent_id=pl.when("is_subagent").then("thread"),
            turn_id="turn_id",
            subagent_depth="subagent_depth",
            asked_by=None,
            prompt_source=None,
            tools="tools",
        )
        .pipe(with_tool_counts)
        .cast(USAGE)
    )


def billed_statements(events: pl.DataFrame) -> pl.DataFrame:
    """Return the one statement of each billed request, with its ``thread`` and ``message_id``.

    Ordered by thread and, within it, as the client wrote them: clocks are set back.
    """
    known = _named(events.rechunk())
    statements = _once(known)
    counts = statements.filter(pl.col("kind") == "count")
    records = known.filter(pl.col("kind") == "record")
    dropped = pl.concat([_replayed(counts, known), _superseded(counts, records), _echoes(counts)])
    bills = (pl.col("kind") == "record") | (pl.sum_horizontal("input_tokens", "output_tokens") > 0)
    return statements.join(dropped, on="message_id", how="anti", maintain_order="left").filter(
        bills
    )


def _named(events: pl.DataFrame) -> pl.DataFrame:
    """Add the ``thread`` and the ``message_id`` of each statement."""
    derived = pl.format(
        "{}:{}:{}-{}-{}-{}",
        "thread",
        pl.col("ts").dt.epoch("us"),
        *(pl.col(name).fill_null(0) for name in (_TOTALS[0], _TOTALS[3], _LAST[0], _LAST[3])),
    )
    return events.with_columns(
        thread=pl.coalesce("thread_id", pl.format("file-{}", "file_id"))
    ).with_columns(message_id=pl.coalesce("response_id", derived))


def _once(known: pl.DataFrame) -> pl.DataFrame:
    """Return each statement once: the original, else the earliest, else always the same one.

    A record without a response id goes before the count that tells the same at the same moment.
    """
    is_count = pl.col("kind") == "count"
    return (
        known.sort("replayed", is_count, "ts", "thread", "order", "host", "file_id")
        .unique("message_id", keep="first", maintain_order=True)
        .with_columns(_begun=pl.col("ts").min().over("thread", "host", "file_id"))
        .sort("thread", "_begun", "order", "message_id")
        .drop("_begun")
    )


def _superseded(counts: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
    """Return the ids of counts of requests that have a record.

    Where no turn is named (a client of before 0.128), what comes after the first record of a file
    or equals a record of the thread is taken to be the same request.
    """
    named = counts.join(records, on=["thread", "turn_id"], how="semi")
    unnamed = counts.filter(pl.col("turn_id").is_null())
    first = records.group_by("host", "file_id").agg(first_record=pl.col("order").min())
    later = unnamed.join(first, on=["host", "file_id"]).filter(
        pl.col("order") > pl.col("first_record")
    )
    equal = unnamed.join(records, on=["thread", *_LAST], how="semi")
    return pl.concat([part.select("message_id") for part in (named, later, equal)])


def _echoes(counts: pl.DataFrame) -> pl.DataFrame:
    """Return the ids of counts that a parent repeats from its review thread."""
    reviews = counts.filter(pl.col("is_subagent") & (pl.col("agent_type") == "review"))
    near = (pl.col("ts") - pl.col("ts_right")).abs() <= _REVIEW_ECHO
    return (
        counts.filter("in_review")
        .join(reviews.select("ts", *_TOTALS, *_LAST), on=[*_TOTALS, *_LAST])
        .filter(near)
        .select("message_id")
    )


class _Count(NamedTuple):
    message_id: str
    ts: datetime
    turn_is_own: bool | None
    replayed: bool
    tokens: tuple[int, ...]


def _replayed(counts: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return the ids of counts in the history that a forked thread copied from its parent."""
    forked = counts.filter(pl.col("forked_from").is_not_null())
    dropped = _of_copied_turns(forked, known).get_column("message_id").to_list()
    unclear = forked.filter(pl.col("turn_is_own").is_null())
    families = unclear.select("thread", "forked_from").unique().sort(pl.all()).rows()
    histories = _histories(counts, {thread for family in families for thread in family})
    for thread, parent in families:
        own = histories[thread]
        shared = _shared_with_parent(thread, own, histories[parent] if parent != thread else [])
        dropped += [
            count.message_id
            for place, count in enumerate(own)
            if count.turn_is_own is None and (place < shared if shared else count.replayed)
        ]
    return pl.DataFrame({"message_id": dropped}, schema={"message_id": pl.String()})


def _of_copied_turns(forked: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return those counts of forks whose turn has an id and is not the fork's own.

    A clock that was set back makes copied turns look younger than the fork, or its own ones older:
    where the parent is known, what it said goes before what the ids tell of time.
    """
    parents = known.select("thread", "turn_id", *_TOTALS).rename({"thread": "forked_from"})
    copied = (
        known.filter(pl.col("forked_from") != pl.col("thread"))
        .join(parents, on=["forked_from", "turn_id"], how="semi")
        .select("thread", "turn_id")
        .unique()
    )
    elsewhere = (
        known.join(copied, on=["thread", "turn_id"], how="anti")
        .group_by("turn_id")
        .agg(pl.col("thread").n_unique())
        .filter(pl.col("thread") > 1)
    )
    older = forked.filter(~pl.col("turn_is_own")).join(copied, on=["thread", "turn_id"], how="anti")
    own_after_all = (
        older.join(parents, on="forked_from", how="semi")
        .join(parents, on=["forked_from", *_TOTALS], how="anti")
        .join(elsewhere, on="turn_id", how="anti")
    )
    return pl.concat(
        [
            forked.join(copied, on=["thread", "turn_id"], how="semi"),
            older.join(own_after_all, on="message_id", how="anti"),
        ]
    )


def _histories(counts: pl.DataFrame, threads: set[str]) -> dict[str, list[_Count]]:
    """Return all that each of the ``threads`` counted, in order."""
    histories: dict[str, list[_Count]] = defaultdict(list)
    wanted = counts.filter(pl.col("thread").is_in(sorted(threads)))
    columns = ("thread", *_Count._fields[:-1], *_TOTALS, *_LAST)
    for thread, message_id, ts, turn_is_own, replayed, *tokens in wanted.select(
        columns
    ).iter_rows():
        histories[thread].append(_Count(message_id, ts, turn_is_own, replayed, tuple(tokens)))
    return histories


def _shared_with_parent(thread: str, own: list[_Count], parent: list[_Count]) -> int:
    """Return how many counts a fork shares with what its parent had said when it was made.

    Copies may keep their old times or get the fork's, so the fork is as old as the later one says.
    """
    fork_ts = max(own[0].ts, thread_birth(thread) or own[0].ts)
    earlier = (count for count in parent if count.ts <= fork_ts)
    alike = (mine.tokens == theirs.tokens for mine, theirs in zip(own, earlier, strict=False))
    return sum(takewhile(bool, alike))
