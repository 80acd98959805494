"""Which of Claude Code's statements are billed requests: each counted once, whatever was copied.

Pure: evidence in, ledger rows out. The result depends on the set of rows only, not on their order
or on the run that read them. The rules, in the order in which they are applied:

1. A request is known by its message id. Where that is missing or was rewritten (teleported and
   forked sessions write a UUID there), by the message id that bears the same request id; else by
   the request id; else by what the line itself has.
2. The usage of the best copy counts, as a whole: a final one before a placeholder, then the larger.
3. Everything else comes from the copy that owns the request: the main thread's before a
   sidechain's, then the earliest, then always the same one, wherever the files lie.
4. A parent notes the final usage of a finished subagent's last request. Where the subagent's own
   file has only the placeholder from the start of the stream, the note is the truth.

Evidence for the rules, by client version: ``docs/counting.md``.
"""

from typing import Final

import polars as pl

from fleet_pipeline.ledger import evidence
from fleet_pipeline.ledger.columns import USAGE
from fleet_pipeline.ledger.tool_counts import with_tool_counts

_UUID: Final = r"(?i)^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"

_USAGE: Final = (
    "input_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_read_tokens",
    "output_tokens",
    "reasoning_tokens",
    "web_search_requests",
)
_OF_BEST_COPY: Final = (*_USAGE, "model", "stop_reason", "service_tier", "speed", "inference_geo")
_OF_OWNER: Final = (
    "session_id", "cwd", "agent_type", "agent_id", "effort", "client_version", "entrypoint",
    "subagent_depth", "turn_id", "asked_by", "prompt_source",
)  # fmt: skip
_PLACE: Final = ("host", "file_id")
"""Decides last: a file's id comes from its path, which says nothing of a request."""
_FULL_INPUT: Final = pl.sum_horizontal(_USAGE[:4])


def count_claude(events: pl.DataFrame) -> pl.DataFrame:
    """Return one ledger row for each request in ``events`` (``ClaudeEvent`` and its ``host``)."""
    rows = _each_once(_with_key(events.filter(pl.col("kind") == "request")))
    rows = rows.with_columns(
        client=pl.lit("claude"),
        message_id=pl.col("key"),
        output_is_final=pl.col("stop_reason").is_not_null(),
    )
    rows = _with_agent_types(rows, events)
    rows = _repaired(rows, events.filter(pl.col("kind") == "repair"))
    return with_tool_counts(rows).select(USAGE.names())


def _with_key(requests: pl.DataFrame) -> pl.DataFrame:
    was_rewritten = pl.col("message_id").str.contains(_UUID)
    original = pl.when(~was_rewritten).then("message_id")
    homeless = requests.select((was_rewritten | pl.col("message_id").is_null()).any()).item()
    if not homeless:
        return requests.with_columns(key="message_id")
    carriers = (
        requests.filter(original.is_not_null(), pl.col("request_id").is_not_null())
        .group_by("request_id")
        .agg(carrier=pl.col("message_id").min())
    )
    return (
        requests.join(carriers, on="request_id", how="left")
        .with_columns(key=pl.coalesce(original, "carrier", "request_id", "message_id", "line_id"))
        .drop("carrier")
    )


def _each_once(requests: pl.DataFrame) -> pl.DataFrame:
    copied = pl.col("key").is_duplicated()
    return pl.concat([requests.filter(~copied), _merged(requests.filter(copied))])


def _merged(copies: pl.DataFrame) -> pl.DataFrame:
    """Return one row for each key: the owner's facts, the best copy's usage, the earliest time."""
    # A file that was read in parts may have put one request under two days.
    of_hosts = copies.partition_by("host", maintain_order=True)
    copies = pl.concat([evidence.merge_claude(rows) for rows in of_hosts]) if of_hosts else copies
    last = [*_OF_BEST_COPY, *_PLACE, "offset"]
    best = copies.sort(
        "key", pl.col("stop_reason").is_not_null(), "output_tokens", _FULL_INPUT, *last
    ).unique("key", keep="last", maintain_order=True)
    first = ["is_subagent", "ts", *_OF_OWNER, *_PLACE, "first_offset"]
    owner = copies.sort("key", *first, nulls_last=True).unique(
        "key", keep="first", maintain_order=True
    )
    over_all = (
        copies.group_by("key").agg(pl.min("ts", "request_id"), evidence.all_tools()).sort("key")
    )
    return owner.with_columns(best.select(_OF_BEST_COPY)).with_columns(
        over_all.select("ts", "request_id", "tools")
    )


def _with_agent_types(rows: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Fill in the type of a subagent where only another line of it, or its parent, names it."""
    named = (
        events.filter(pl.col("agent_id").is_not_null(), pl.col("agent_type").is_not_null())
        .group_by("agent_id")
        .agg(named=pl.col("agent_type").min())
    )
    # Only these columns are joined: to gather all the others again would cost most of it.
    types = (
        rows.select("agent_id", "agent_type")
        .join(named, on="agent_id", how="left", maintain_order="left")
        .select(pl.coalesce("agent_type", "named").alias("agent_type"))
    )
    return rows.with_columns(types)


def _repaired(rows: pl.DataFrame, notes: pl.DataFrame) -> pl.DataFrame:
    of_agents = rows.filter(pl.col("agent_id").is_not_null())
    if notes.is_empty() or of_agents.is_empty():
        return rows
    agent = ["session_id", "agent_id"]
    noted = (
        notes.select(*agent, "ts", *_USAGE, full=_FULL_INPUT)
        .sort("ts")
        .join_asof(
            of_agents.select(
                *agent,
                "ts",
                "key",
                is_final="output_is_final",
                logged_output="output_tokens",
                logged_full=_FULL_INPUT,
            ).sort("ts"),
            on="ts",
            by=agent,
            strategy="backward",
            check_sortedness=False,
        )
        .filter(
            pl.col("is_final").not_(),
            pl.col("output_tokens") >= pl.col("logged_output"),
            pl.col("full") >= pl.col("logged_full"),
        )
        .sort("key", "output_tokens", "full", "ts", *_USAGE)
        .unique("key", keep="last", maintain_order=True)
        .select("key", *_USAGE, output_is_final=pl.lit(True))
    )
    usage = rows.select(noted.columns).update(noted, on="key", how="left")
    return rows.with_columns(usage)
