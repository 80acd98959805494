"""The columns of the ledger: one row for each billed request, whichever client made it."""

from typing import Final

import polars as pl

_UTC: Final = pl.Datetime("us", "UTC")

USAGE: Final = pl.Schema(
    {
        "client": pl.String(),
        "message_id": pl.String(),
        "request_id": pl.String(),
        "session_id": pl.String(),
        "host": pl.String(),
        "ts": _UTC,
        "model": pl.String(),
        "cwd": pl.String(),
        "agent_type": pl.String(),
        "is_subagent": pl.Boolean(),
        "effort": pl.String(),
        "input_tokens": pl.Int64(),
        "cache_write_5m_tokens": pl.Int64(),
        "cache_write_1h_tokens": pl.Int64(),
        "cache_read_tokens": pl.Int64(),
        "output_tokens": pl.Int64(),
        "reasoning_tokens": pl.Int64(),
        "output_is_final": pl.Boolean(),
        "stop_reason": pl.String(),
        "web_search_requests": pl.Int64(),
        "client_version": pl.String(),
        "entrypoint": pl.String(),
        "service_tier": pl.String(),
        "speed": pl.String(),
        "inference_geo": pl.String(),
        "agent_id": pl.String(),
        "turn_id": pl.String(),
        "subagent_depth": pl.Int64(),
        "asked_by": pl.String(),
        "prompt_source": pl.String(),
        "tools": pl.String(),
        "command_heads": pl.String(),
    }
)
"""Tokens are disjoint classes (reasoning is a part of output), ``ts`` is the first line's, in UTC.
 ``message_id`` is Claude's message id or Codex's response id, or a stable key derived in its
place. ``output_is_final`` is false where the log only has a placeholder: read it as "at least".
 ``subagent_depth`` is 0 in the main thread. ``asked_by`` and ``prompt_source`` say who began the
turn (human, peer, coordinator, task-notification) and how (typed, queued, system, sdk); ``tools``
and ``command_heads`` are JSON objects from a name to how often it was called, null for no calls.
"""
