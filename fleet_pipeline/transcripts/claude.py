"""What the lines of a Claude Code transcript say about billed requests.

One event for each request that a file speaks of, with the usage of the file's best line; which file
is right where several speak of the same request is decided in ``ledger``. What one line says is
read in ``claude_lines``.

The rules and what they were measured on (seven client versions from 0.2 to 2.1.330 against dictated
usage, and 2,636 public transcripts) are kept in ``docs/counting.md``.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final, Literal, NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from fleet_pipeline.transcripts.claude_lines import (
    SYNTHETIC,
    Block,
    Input,
    Line,
    Message,
    Origin,
    ToolResult,
    Usage,
    decode_line,
)
from fleet_pipeline.transcripts.client_totals import COST_STATE, ClientTotal, client_totals
from fleet_pipeline.transcripts.drift import KNOWN_RECORDS, Drift, claude_usage
from fleet_pipeline.transcripts.lines import digest
from fleet_pipeline.transcripts.reasons import CLOCK_SLACK, OLDEST, Reason
from fleet_pipeline.transcripts.tools import tool_call

_KNOWN: Final = KNOWN_RECORDS["claude"]


class ClaudeEvent(NamedTuple):
    """What one file says of one request (``request``), or of a subagent's last one (``repair``).

    ``ts`` and everything down to ``prompt_source`` come from the request's first line in the file,
    ``tools`` from all of them (see ``tools``; separated by spaces, sorted), the rest from its best
    line. Tokens are disjoint classes; times are UTC. ``offset`` is the place of the best line. An
    ``error`` is what the client noted when there was no answer: its kind is the ``stop_reason``.
    """

    kind: Literal["request", "repair", "error"]
    file_id: int
    message_id: str | None
    request_id: str | None
    line_id: str | None
    first_offset: int
    ts: datetime
    session_id: str | None
    cwd: str | None
    client_version: str | None
    entrypoint: str | None
    is_subagent: bool
    agent_id: str | None
    agent_type: str | None
    effort: str | None
    subagent_depth: int
    turn_id: str | None
    asked_by: str | None
    prompt_source: str | None
    offset: int
    model: str | None
    stop_reason: str | None
    input_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    cache_read_tokens: int
    output_tokens: int
    reasoning_tokens: int
    web_search_requests: int
    service_tier: str | None
    speed: str | None
    inference_geo: str | None
    tools: str | None


class Rejected(Struct, gc=False):
    """A line that claims a billed request and cannot be believed: place and reason, no content."""

    offset: int
    length: int
    reason: Reason
    line_digest: int


class Turn(Struct, frozen=True):
    """What somebody asked for last: the turn's id, who asked, and how it was put in."""

    id: str | None = None
    asked_by: str | None = None
    source: str | None = None


class ClaudeState(Struct):
    """What reading one transcript carries from line to line.

    The turns of both kinds of thread, and what it holds that is not known.
    """

    main: Turn = Turn()
    sidechain: Turn = Turn()
    drift: Drift = msgspec.field(default_factory=Drift)


class ClaudeFile(Struct):
    """What one transcript, or the new part of it, holds.

    Events, the client's own totals, rejected lines, how many lines spoke of requests, and what
    reading on has to know.
    """

    events: list[ClaudeEvent]
    totals: list[ClientTotal] = []
    rejected: list[Rejected] = []
    request_lines: int = 0
    state: ClaudeState = msgspec.field(default_factory=ClaudeState)


class OfAgent(Struct, frozen=True):
    """What is known of a subagent's own file from beside it: its type and its depth (1: first)."""

    agent_type: str | None = None
    depth: int = 1


def read_transcript(
    lines: Iterable[tuple[int, memoryview]],
    *,
    file_id: int,
    written: datetime,
    agent: OfAgent | None = None,
    state: ClaudeState | None = None,
) -> ClaudeFile:
    """Return what the ``lines`` of one transcript say about billed requests.

    ``lines`` are (offset, bytes) of whole lines, ``written`` the file's modification time in UTC,
    ``agent`` is given for a subagent's own file. With the ``state`` that reading the lines before
    has left, reading goes on from there; ``state`` is not changed. Never raises for any bytes.
    """
    state = replace(state, drift=state.drift.copy()) if state else ClaudeState()
    spoken_of: dict[str, _Request] = {}
    others: list[ClaudeEvent] = []
    file = ClaudeFile([], state=state)
    sampled: str | None = ""
    request_lines = 0
    latest = written + CLOCK_SLACK
    for offset, data in lines:
        line = decode_line(data)
        if not isinstance(line, Line):
            file.rejected.append(Rejected(offset, len(data), line, digest(data)))
            continue
        message = line.message
        if line.type != "assistant" or message is None:
            _see_what_was_asked(state, line)
            if (repair := _repair(line, file_id, offset, latest)) is not None:
                others.append(repair)
            elif line.type not in _KNOWN:
                if line.type is not None:
                    state.drift.see_record(line.type)
            elif line.type == COST_STATE:
                totals = client_totals(data, file_id=file_id, offset=offset, latest=latest)
                if isinstance(totals, list):
                    file.totals += totals
                else:
                    file.rejected.append(Rejected(offset, len(data), totals, digest(data)))
            continue
        usage = message.usage
        if usage is None or message.model == SYNTHETIC:
            if message.model and message.model != SYNTHETIC:
                state.drift.see_silence(line.version)
            if (error := _error(line, message, file_id, offset, latest, state)) is not None:
                others.append(error)
            continue
        ts = line.timestamp
        if ts is None or ts.tzinfo is None or not OLDEST <= ts <= latest:
            reason = _disbelief(ts)
            file.rejected.append(Rejected(offset, len(data), reason, digest(data)))
            continue
        request_lines += 1
        if line.version != sampled:
            sampled = line.version
            if state.drift.wants_sample(sampled):
                state.drift.see_usage(claude_usage(data))
        key = message.id or line.requestId or line.uuid or f"line:{digest(data):x}"
        request = spoken_of.get(key)
        if request is None:
            turn = state.sidechain if line.isSidechain else state.main
            spoken_of[key] = request = _Request(key, line, offset, ts, turn, message, usage, offset)
        else:
            if line.requestId and not request.line.requestId:
                request.line.requestId = line.requestId
            if ts < request.ts:
                request.ts = ts
            if _is_better(message, usage, request):
                request.message, request.usage, request.offset = message, usage, offset
        for block in message.content if isinstance(message.content, list) else ():
            if isinstance(block, Block) and block.type == "tool_use":
                asked = block.input.command if isinstance(block.input, Input) else None
                request.calls.append(tool_call(block.name, block.id, asked))
        message.content = None
    file.events = [*(_event(r, file_id, agent) for r in spoken_of.values()), *others]
    file.request_lines = request_lines
    return file


class _Request(Struct, gc=False):
    """A request's first line and its best one, while a file is read."""

    key: str
    line: Line
    first_offset: int
    ts: datetime
    turn: Turn
    message: Message
    usage: Usage
    offset: int
    calls: list[str] = []


def _see_what_was_asked(state: ClaudeState, line: Line) -> None:
    """Begin a new turn where a line says that somebody asked for something.

    What a tool answered, what the client adds on its own, and a summary of what was said begin
    none. From 2.1.81 on a turn has an id; before, the line that began it lends its own.
    """
    message = line.message
    if line.type != "user" or message is None or line.isMeta or line.isCompactSummary:
        return
    if line.toolUseResult is not None or not _is_prompt(message.content):
        return
    origin = line.origin.kind if isinstance(line.origin, Origin) else None
    turn = Turn(line.promptId or line.uuid, _word(origin), _word(line.promptSource))
    if line.isSidechain:
        state.sidechain = turn
    else:
        state.main = turn


def _is_prompt(content: object) -> bool:
    if isinstance(content, list):
        return any(isinstance(part, Block) and part.type != "tool_result" for part in content)
    return isinstance(content, str)


_WORD: Final = re.compile(r"[a-z][a-z_-]{0,31}")


def _word(value: object) -> str | None:
    """Return ``value`` if it is one of a client's own words, and nothing that anybody wrote."""
    return value if isinstance(value, str) and _WORD.fullmatch(value) else None


def _is_better(message: Message, usage: Usage, known: _Request) -> bool:
    """Say whether a later line replaces the best one: final before placeholder, then the larger.

    Whole lines win, never single fields: a mix of two lines is what nobody billed.
    """
    # Some gateways write an empty reason as long as there is none.
    if bool(message.stop_reason) != bool(known.message.stop_reason):
        return bool(message.stop_reason)
    if usage == known.usage:
        return False
    *rest, output = _classes(usage)
    *known_rest, known_output = _classes(known.usage)
    return (output, sum(rest)) > (known_output, sum(known_rest))


def _classes(usage: Usage) -> tuple[int, int, int, int, int]:
    """Return fresh input, cache write 5m and 1h, cache read and output: all that was billed."""
    fresh, output = usage.input_tokens or 0, usage.output_tokens or 0
    read, write = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    write_5m = write_1h = 0
    if (split := usage.cache_creation) is not None:
        write_5m = split.ephemeral_5m_input_tokens or 0
        write_1h = split.ephemeral_1h_input_tokens or 0
    # The end of a stream may raise the total without splitting it: the rest counts as 5m.
    write_5m += max(0, write - write_5m - write_1h)
    for part in usage.iterations or ():
        if part.type != "message":
            # A compaction on the server is billed on top; its own usage stands only here.
            more = part.cache_creation_input_tokens or 0
            more_1h = (part.cache_creation and part.cache_creation.ephemeral_1h_input_tokens) or 0
            fresh += part.input_tokens or 0
            output += part.output_tokens or 0
            read += part.cache_read_input_tokens or 0
            write_1h += more_1h
            write_5m += max(0, more - more_1h)
    return fresh, write_5m, write_1h, read, output


def _event(request: _Request, file_id: int, agent: OfAgent | None) -> ClaudeEvent:
    line, message, usage, turn = request.line, request.message, request.usage, request.turn
    details, tools = usage.output_tokens_details, usage.server_tool_use
    message_id, request_id = message.id or None, line.requestId or None
    line_id = None if message_id or request_id else request.key
    is_subagent = bool(line.isSidechain) or agent is not None
    calls = request.calls
    fields = (
        "request", file_id, message_id, request_id, line_id, request.first_offset, request.ts,
        line.sessionId, line.cwd, line.version, line.entrypoint, is_subagent, line.agentId,
        line.attributionAgent or (agent.agent_type if agent else None), line.effort,
        agent.depth if agent else int(is_subagent), line.promptId or turn.id,
        turn.asked_by, turn.source, request.offset, message.model, message.stop_reason or None,
        *_classes(usage),
        (details and details.thinking_tokens) or 0, (tools and tools.web_search_requests) or 0,
        usage.service_tier, usage.speed, usage.inference_geo,
        (" ".join(sorted(set(calls))) if len(calls) > 1 else calls[0]) if calls else None,
    )  # fmt: skip
    return tuple.__new__(ClaudeEvent, fields)  # as _make does, without its check of the length


def _error(
    line: Line, message: Message, file_id: int, offset: int, latest: datetime, state: ClaudeState
) -> ClaudeEvent | None:
    """Return what the client noted in the place of an answer, where it names what went wrong."""
    kind, ts = _word(line.error), line.timestamp
    if message.model != SYNTHETIC or kind is None:
        return None
    if ts is None or ts.tzinfo is None or not OLDEST <= ts <= latest:
        return None
    turn = state.sidechain if line.isSidechain else state.main
    key = line.uuid or f"{file_id}:{offset}"
    said = _Request(key, line, offset, ts, turn, Message(stop_reason=kind), Usage(), offset)
    return _event(said, file_id, None)._replace(kind="error", request_id=None, line_id=key)


def _disbelief(ts: datetime | None) -> Reason:
    if ts is None:
        return "timestamp_missing"
    if ts.tzinfo is None:
        return "timestamp_without_zone"
    return "timestamp_too_old" if ts < OLDEST else "timestamp_in_future"


def _repair(line: Line, file_id: int, offset: int, latest: datetime) -> ClaudeEvent | None:
    """Return the final usage of a subagent's last request, where this line of its parent has it."""
    result, ts = line.toolUseResult, line.timestamp
    if not isinstance(result, ToolResult) or line.type != "user":
        return None
    if result.agentId is None or result.usage is None or result.status != "completed":
        return None
    if ts is None or ts.tzinfo is None or not OLDEST <= ts <= latest:
        return None
    key = line.uuid or f"{file_id}:{offset}"
    said = _Request(key, line, offset, ts, Turn(), Message(), result.usage, offset)
    return _event(said, file_id, OfAgent())._replace(
        kind="repair",
        request_id=None,
        line_id=key,
        cwd=None,
        agent_id=result.agentId,
        agent_type=result.agentType,
    )
