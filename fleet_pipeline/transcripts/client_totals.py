"""What Claude Code itself says that a session was billed: its ``cost-state`` lines, by model.

Belongs here: decoding one such line, and of it only ids, model names and numbers. What the totals
mean beside the ledger is decided in ``ledger.reconciliation``. Codex's own totals stand with each
of its usage statements and are read in ``codex``.

A line of this type is written when a session ends, and again after each time that it was resumed;
it sums every billed call since ``startTime``, also those that no line speaks of (titles,
compaction, searches). Measured on 2.1.330 against dictated usage; see ``docs/counting.md``.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from fleet_pipeline.transcripts.reasons import MOST_TOKENS, OLDEST, Reason

COST_STATE: Final = "cost-state"
"""The record type of these lines."""

_MODEL: Final = re.compile(r"[A-Za-z0-9][\w.:/@+-]{0,99}", re.ASCII)
_Counter = Annotated[int, Meta(ge=0, le=MOST_TOKENS)]


class ClientTotal(Struct, gc=False):
    """What one line says that one session was billed for one model since ``started_at`` (UTC).

    Tokens are disjoint classes; ``offset`` is the place of the line. ``model`` is null where the
    line's name for it has not the form of one.
    """

    file_id: int
    offset: int
    session_id: str
    started_at: datetime
    model: str | None
    input_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    cache_read_tokens: int
    output_tokens: int
    web_search_requests: int


class _ModelUsage(Struct, gc=False):
    inputTokens: _Counter | None = 0
    outputTokens: _Counter | None = 0
    cacheReadInputTokens: _Counter | None = 0
    cacheCreationInputTokens: _Counter | None = 0
    cacheCreationEphemeral1hInputTokens: _Counter | None = 0
    webSearchRequests: _Counter | None = 0


class _CostState(Struct, gc=False):
    sessionId: str | None = None
    startTime: object = None
    modelUsage: dict[str, _ModelUsage] | None = None


_decode: Final = msgspec.json.Decoder(_CostState).decode


def client_totals(
    data: bytes | memoryview, *, file_id: int, offset: int, latest: datetime
) -> list[ClientTotal] | Reason:
    """Return what a ``cost-state`` line says of each model, or why it is not believed.

    ``latest`` is the last moment (UTC) at which the file can have been written. A line that names
    no session says nothing. Never raises for any bytes.
    """
    try:
        said = _decode(data)
    except msgspec.ValidationError:
        return "bad_counter"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "unreadable"
    if not said.sessionId or not said.modelUsage:
        return []
    started_at = _moment(said.startTime, latest)
    if not isinstance(started_at, datetime):
        return started_at
    return [
        _total(file_id, offset, said.sessionId, started_at, name, usage)
        for name, usage in said.modelUsage.items()
    ]


def _total(
    file_id: int, offset: int, session_id: str, started_at: datetime, name: str, usage: _ModelUsage
) -> ClientTotal:
    written = usage.cacheCreationInputTokens or 0
    write_1h = min(usage.cacheCreationEphemeral1hInputTokens or 0, written)
    # A name ends in [1m] where the model was asked for its long context; replies do not repeat it.
    model = name.partition("[")[0]
    return ClientTotal(
        file_id,
        offset,
        session_id,
        started_at,
        model if _MODEL.fullmatch(model) else None,
        usage.inputTokens or 0,
        # As in the ledger: what a client does not split between 5m and 1h counts as 5m.
        written - write_1h,
        write_1h,
        usage.cacheReadInputTokens or 0,
        usage.outputTokens or 0,
        usage.webSearchRequests or 0,
    )


def _moment(milliseconds: object, latest: datetime) -> datetime | Reason:
    """Return the moment that is so long after 1970, or why it cannot be believed."""
    if not isinstance(milliseconds, int | float) or isinstance(milliseconds, bool):
        return "timestamp_missing"
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return "timestamp_in_future" if milliseconds > 0 else "timestamp_too_old"
    if moment < OLDEST:
        return "timestamp_too_old"
    return "timestamp_in_future" if moment > latest else moment
