"""What a Codex rollout says about billed requests and quota windows, statement by statement.

Everything that the counting rules in ``ledger.codex_rules`` need is kept with each statement, so
that history can be recounted without the rollouts. Nothing is decided here about other files:
copies, replayed history of forks and echoes of reviews stay in, marked as far as the file proves.

A client from 0.55 on writes ``token_count`` events (the thread's total and the last request's
usage), up to three times for one request; from 0.169 on also a ``token_usage_record`` for each.
Measured against dictated usage on 0.29, 0.55, 0.74, 0.96, 0.128, 0.140 and 0.169.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from fleet_pipeline.transcripts.claude import Rejected
from fleet_pipeline.transcripts.codex_lines import (
    Line,
    ReviewEntered,
    ReviewLeft,
    Said,
    SessionMeta,
    TokenCount,
    ToolCalled,
    TurnContext,
    TurnStarted,
    UsageRecord,
    Vector,
    decode_line,
    text,
    whole_number,
)
from fleet_pipeline.transcripts.codex_quota import QuotaReading, quota_readings
from fleet_pipeline.transcripts.drift import KNOWN_RECORDS, Drift, codex_usage
from fleet_pipeline.transcripts.lines import digest
from fleet_pipeline.transcripts.reasons import CLOCK_SLACK, OLDEST, Reason

_PAUSE: Final = timedelta(milliseconds=100)
"""Copied history is written in one go, a few milliseconds a line; a request takes longer."""

_KNOWN: Final = KNOWN_RECORDS["codex"]


class CodexEvent(Struct, gc=False):
    """One usage statement of one rollout: ``count`` or ``record``.

    Tokens are as logged: input includes cache reads and writes, output includes reasoning. The
    ``cumulative_`` ones are the thread's totals after the request. ``ts`` is UTC. ``order`` numbers
    the statements of the file, ``offset`` is the place of the line.

    What the file proves about where a statement comes from: ``turn_is_own`` is false in a turn that
    began before the thread existed (null where ids carry no time), ``replayed`` is true in history
    that was copied from ``forked_from``, ``in_review`` while a review ran in another thread.
    """

    kind: Literal["record", "count"]
    file_id: int
    order: int
    offset: int
    thread_id: str | None
    forked_from: str | None
    parent_thread_id: str | None
    session_id: str | None
    is_subagent: bool
    agent_type: str | None
    subagent_depth: int
    response_id: str | None
    turn_id: str | None
    turn_is_own: bool | None
    replayed: bool
    in_review: bool
    ts: datetime
    model: str | None
    effort: str | None
    cwd: str | None
    client_version: str | None
    entrypoint: str | None
    input_tokens: int
    cached_input_tokens: int
    cache_write_input_tokens: int
    output_tokens: int
    reasoning_output_tokens: int
    total_tokens: int
    cumulative_input_tokens: int | None
    cumulative_cached_input_tokens: int | None
    cumulative_cache_write_input_tokens: int | None
    cumulative_output_tokens: int | None
    cumulative_reasoning_output_tokens: int | None
    cumulative_total_tokens: int | None
    tools: str | None = None


class CodexState(Struct):
    """What reading one rollout carries from line to line; made of plain values, to be stored."""

    thread_id: str | None = None
    forked_from: str | None = None
    parent_thread_id: str | None = None
    session_id: str | None = None
    is_subagent: bool = False
    agent_type: str | None = None
    subagent_depth: int = 0
    client_version: str | None = None
    entrypoint: str | None = None
    first_own_ordinal: int | None = None
    head_is_lost: bool = False
    cwd: str | None = None
    model: str | None = None
    effort: str | None = None
    turn_id: str | None = None
    turn_is_own: bool | None = None
    replaying: bool = False
    line_ts: datetime | None = None
    in_review: bool = False
    total: Vector | None = None
    total_before_review: Vector | None = None
    order: int = 0
    calls: list[str] = []
    readings: dict[str, QuotaReading] = {}
    drift: Drift = msgspec.field(default_factory=Drift)


class CodexFile(Struct):
    """What one rollout, or the new part of it, holds.

    ``lines`` counts all lines given, ``request_lines`` the believed usage statements, of which
    ``duplicates`` only repeated the one before.
    """

    events: list[CodexEvent] = []
    quota: list[QuotaReading] = []
    rejected: list[Rejected] = []
    lines: int = 0
    request_lines: int = 0
    duplicates: int = 0
    state: CodexState = msgspec.field(default_factory=CodexState)


def read_rollout(
    lines: Iterable[tuple[int, bytes | memoryview]],
    *,
    file_id: int,
    written: datetime,
    named: str | None = None,
    state: CodexState | None = None,
) -> CodexFile:
    """Return what the ``lines`` of one rollout say about billed requests and quota windows.

    ``lines`` are (offset, bytes) of whole lines, ``written`` the file's modification time in UTC,
    ``named`` the thread id in the file's name, which counts only where the first line is lost.
    With the ``state`` that reading the lines before has left, reading goes on from there; reading
    in parts and at once give the same. Never raises for any bytes; ``state`` is not changed.
    """
    state = CodexState() if state is None else msgspec.structs.replace(state)
    state.readings, state.calls = dict(state.readings), list(state.calls)
    state.drift = state.drift.copy()
    file = CodexFile(state=state)
    latest = written + CLOCK_SLACK
    for offset, data in lines:
        file.lines += 1
        line = decode_line(data)
        if isinstance(line, Line):
            fault = _follow(file, line, file_id, offset, latest)
            if line.kind not in _KNOWN and line.kind is not None:
                state.drift.see_record(line.kind)
            elif (
                fault is None
                and _tells_usage(line.said)
                and state.drift.wants_sample(state.client_version)
            ):
                state.drift.see_usage(codex_usage(data))
        else:
            fault = line
            if fault == "unreadable" and state.thread_id is None:
                state.head_is_lost, state.thread_id = True, named
        if fault is not None:
            file.rejected.append(Rejected(offset, len(data), fault, digest(data)))
    return file


def _tells_usage(said: Said | None) -> bool:
    """Say whether a line has usage in it; the first count of a session mostly has limits alone."""
    if isinstance(said, TokenCount):
        return said.info is not None
    return isinstance(said, UsageRecord)


def thread_birth(thread_id: str | None) -> datetime | None:
    """Return when a thread or turn was made, to the millisecond; null if its id is no UUIDv7.

    Source: RFC 9562, section 5.7: the first 48 bits are milliseconds since 1970.
    """
    try:
        identifier = UUID(thread_id or "")
        if identifier.version == 7:
            return datetime.fromtimestamp((identifier.int >> 80) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def _follow(
    file: CodexFile, line: Line, file_id: int, offset: int, latest: datetime
) -> Reason | None:
    """Take in one line; return why its usage statement is not believed, if it is not."""
    state = file.state
    if state.replaying:
        _see_whether_replay_ends(state, line)
    match line.said:
        case SessionMeta() as meta:
            _meet(state, meta)
            state.line_ts = _utc(line.timestamp)
        case TurnContext() as context:
            _turn(state, text(context.turn_id))
            state.model, state.effort = text(context.model), text(context.effort)
            state.cwd = text(context.cwd) or state.cwd
        case TurnStarted() as turn:
            _turn(state, text(turn.turn_id))
        case ToolCalled() as call:
            state.calls.append(call.kept())
        case ReviewEntered():
            state.in_review, state.total_before_review = True, state.total
        case ReviewLeft():
            state.in_review = False
        case TokenCount() | UsageRecord() as usage:
            return _take_usage(file, usage, line.timestamp, file_id, offset, latest)
        case None:
            pass
    return None


def _meet(state: CodexState, meta: SessionMeta) -> None:
    """Learn who the thread is from the file's first line; any other thread's is copied history."""
    thread_id = text(meta.id)
    if state.thread_id is None and not state.head_is_lost:
        state.thread_id, state.head_is_lost = thread_id, thread_id is None
        state.forked_from = text(meta.forked_from_id)
        state.parent_thread_id = meta.spawned_by()
        state.is_subagent, state.agent_type = meta.is_subagent(), meta.agent_type()
        state.subagent_depth = meta.depth()
        state.session_id = text(meta.session_id)
        state.first_own_ordinal = whole_number(meta.subagent_history_start_ordinal)
    elif thread_id != state.thread_id:
        state.replaying = True
        state.forked_from = state.forked_from or thread_id
        return
    state.client_version, state.entrypoint = text(meta.cli_version), text(meta.originator)
    state.cwd = text(meta.cwd)


def _turn(state: CodexState, turn_id: str | None) -> None:
    state.turn_id = turn_id
    state.turn_is_own = _is_own(state, turn_id)
    if state.turn_is_own is not None and state.forked_from is not None:
        state.replaying = not state.turn_is_own


def _is_own(state: CodexState, turn_id: str | None) -> bool | None:
    """Say whether a turn began in this thread: one that is older than the thread was copied."""
    if turn_id is None:
        return None
    thread, turn = thread_birth(state.thread_id), thread_birth(turn_id)
    return turn >= thread if thread and turn else None


def _see_whether_replay_ends(state: CodexState, line: Line) -> None:
    """End copied history at the ordinal that the client named, or else at the first pause.

    Where turns have ids that carry their time, ``_turn`` knows better than any pause.
    """
    ts = _utc(line.timestamp)
    if state.first_own_ordinal is not None and line.ordinal is not None:
        state.replaying = line.ordinal < state.first_own_ordinal
    elif ts and state.line_ts and state.turn_is_own is None:
        state.replaying = ts - state.line_ts < _PAUSE
    state.line_ts = ts


def _take_usage(
    file: CodexFile,
    usage: TokenCount | UsageRecord,
    timestamp: object,
    file_id: int,
    offset: int,
    latest: datetime,
) -> Reason | None:
    state = file.state
    ts = _moment(timestamp, latest)
    if isinstance(usage, TokenCount):
        if isinstance(ts, datetime):
            _take_readings(file, usage, ts)
        if usage.info is None:
            return None
        last = usage.info.last_token_usage.vector()
        total: Vector | None = usage.info.total_token_usage.vector()
    else:
        last = usage.usage.vector()
        total = usage.thread_token_usage.vector() if usage.thread_token_usage else None
    if last[1] + last[2] > last[0]:
        return "bad_counter"  # cache tokens are a part of the input: the rest cannot be negative
    if not isinstance(ts, datetime):
        return ts
    file.request_lines += 1
    if isinstance(usage, TokenCount):
        # After a review an old client goes on with the total that it had before.
        if total in (state.total, state.total_before_review):
            file.duplicates += 1
            return None
        state.total = total
        if not state.in_review:
            state.total_before_review = None
        _add(file, _event(state, "count", file_id, offset, ts, last, total))
        return None
    if (turn_id := text(usage.turn_id)) is not None and turn_id != state.turn_id:
        _turn(state, turn_id)
    event = _event(state, "record", file_id, offset, ts, last, total)
    event.response_id = text(usage.response_id)
    thread_id = text(usage.thread_id)
    event.replayed |= thread_id is not None and thread_id != state.thread_id
    _add(file, event)
    return None


def _add(file: CodexFile, event: CodexEvent) -> None:
    """Take in a statement: the calls since the one before were its answer's."""
    event.tools = " ".join(sorted(set(file.state.calls))) or None
    file.events.append(event)
    file.state.order += 1
    file.state.calls = []


def _event(
    state: CodexState,
    kind: Literal["record", "count"],
    file_id: int,
    offset: int,
    ts: datetime,
    last: Vector,
    total: Vector | None,
) -> CodexEvent:
    birth = thread_birth(state.thread_id) if state.forked_from is not None else None
    return CodexEvent(
        kind, file_id, state.order, offset,
        state.thread_id, state.forked_from, state.parent_thread_id, state.session_id,
        state.is_subagent, state.agent_type, state.subagent_depth,
        None, state.turn_id, state.turn_is_own,
        # Some clients stamp copied history anew, others leave the times that it had.
        state.replaying or (birth is not None and ts < birth),
        state.in_review, ts,
        state.model, state.effort, state.cwd, state.client_version, state.entrypoint,
        *last, *(total or (None,) * 6),
    )  # fmt: skip


def _take_readings(file: CodexFile, count: TokenCount, ts: datetime) -> None:
    if file.state.replaying:
        return  # how full a window was when the history was made, not when it was copied
    for reading in quota_readings(count.rate_limits, ts):
        window = f"{reading.limit_id} {reading.window_minutes}"
        if not reading.repeats(file.state.readings.get(window)):
            file.state.readings[window] = reading
            file.quota.append(reading)


def _moment(timestamp: object, latest: datetime) -> datetime | Reason:
    """Return the moment that a line names, in UTC, or why it cannot be believed."""
    if not isinstance(timestamp, str):
        return "timestamp_missing"
    try:
        ts = datetime.fromisoformat(timestamp)
    except ValueError:
        return "timestamp_missing"
    if ts.tzinfo is None:
        return "timestamp_without_zone"
    try:
        ts = ts.astimezone(UTC)
    except OverflowError:
        return "timestamp_too_old" if ts.year < OLDEST.year else "timestamp_in_future"
    if ts < OLDEST:
        return "timestamp_too_old"
    return "timestamp_in_future" if ts > latest else ts


def _utc(timestamp: object) -> datetime | None:
    moment = _moment(timestamp, datetime.max.replace(tzinfo=UTC))
    return moment if isinstance(moment, datetime) else None
