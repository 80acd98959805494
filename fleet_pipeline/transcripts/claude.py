"""What the lines of a Claude Code transcript say about billed requests.

One event for each request that a file speaks of, with the usage of the file's best line; which file
is right where several speak of the same request is decided in ``ledger``. Only the fields named
here are ever decoded: prompts, answers, tool results and branch names never leave the line's bytes.

The rules and what they were measured on (seven client versions from 0.2 to 2.1.330 against dictated
usage, and 2,636 public transcripts) are kept in ``docs/counting.md``.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

from fleet_pipeline.transcripts.lines import digest
from fleet_pipeline.transcripts.reasons import CLOCK_SLACK, MOST_TOKENS, OLDEST, Reason

SYNTHETIC = "<synthetic>"
"""The model name of lines that the client wrote itself, for instance about an error of the API."""

Counter = Annotated[int, Meta(ge=0, le=MOST_TOKENS)]


class _CacheCreation(Struct, gc=False):
    ephemeral_5m_input_tokens: Counter | None = 0
    ephemeral_1h_input_tokens: Counter | None = 0


class _Iteration(Struct, gc=False):
    type: str | None = None
    input_tokens: Counter | None = 0
    output_tokens: Counter | None = 0
    cache_creation_input_tokens: Counter | None = 0
    cache_read_input_tokens: Counter | None = 0
    cache_creation: _CacheCreation | None = None


class _OutputDetails(Struct, gc=False):
    thinking_tokens: Counter | None = 0


class _ServerTools(Struct, gc=False):
    web_search_requests: Counter | None = 0


class _Usage(Struct, gc=False):
    input_tokens: Counter | None = 0
    output_tokens: Counter | None = 0
    cache_creation_input_tokens: Counter | None = 0
    cache_read_input_tokens: Counter | None = 0
    cache_creation: _CacheCreation | None = None
    output_tokens_details: _OutputDetails | None = None
    server_tool_use: _ServerTools | None = None
    iterations: list[_Iteration] | None = None
    service_tier: str | None = None
    speed: str | None = None
    inference_geo: str | None = None


class _Message(Struct, gc=False):
    id: str | None = None
    model: str | None = None
    stop_reason: str | None = None
    usage: _Usage | None = None


class _ToolResult(Struct, gc=False):
    """What a parent keeps of a finished subagent; the fields of other tools are passed over."""

    status: str | None = None
    agentId: str | None = None
    agentType: str | None = None
    usage: _Usage | None = None


class _Line(Struct, gc=False):
    type: str | None = None
    message: _Message | None = None
    requestId: str | None = None
    uuid: str | None = None
    timestamp: datetime | None = None
    sessionId: str | None = None
    cwd: str | None = None
    version: str | None = None
    entrypoint: str | None = None
    isSidechain: bool | None = None
    agentId: str | None = None
    attributionAgent: str | None = None
    effort: str | None = None
    promptId: str | None = None
    toolUseResult: _ToolResult | str | list[msgspec.Raw] | None = None


class ClaudeEvent(NamedTuple):
    """What one file says of one request (``request``) or of a subagent's last one (``repair``).

    ``ts`` and everything down to ``turn_id`` come from the request's first line in the file, the
    rest from its best line. Tokens are disjoint classes; times are UTC. ``offset`` is the place of
    the best line.
    """

    kind: Literal["request", "repair"]
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
    turn_id: str | None
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


class Rejected(Struct, gc=False):
    """A line that claims a billed request and cannot be believed: place and reason, no content."""

    offset: int
    length: int
    reason: Reason
    line_digest: int


@dataclass
class ClaudeFile:
    """What one transcript holds: events, rejected lines, and how many lines spoke of requests."""

    events: list[ClaudeEvent]
    rejected: list[Rejected] = field(default_factory=list)
    request_lines: int = 0


_decode = msgspec.json.Decoder(_Line).decode

_TYPE = b'"type":"'
_COMPLETED = b'"status":"completed"'
_HEAD, _SHORT, _TAIL = 640, 512, 1024


def is_no_reply(buffer: bytearray, begin: int, end: int) -> bool:
    """Say whether a line is surely no reply of the model: most bytes need not be decoded.

    Clients write the type of any other line before its payload, among flat fields only. A short
    line, one in any other order or with spaces, and one that ends in usage (a subagent's, or a
    reply behind a line that was never finished) are decoded to be sure.
    """
    if end - begin <= _SHORT or buffer[begin] != 123 or buffer[end - 1] != 125:
        return False
    name = buffer.find(_TYPE, begin, begin + _HEAD)
    return (
        name >= 0
        and buffer.find(b"{", begin + 1, name) < 0
        and not buffer.startswith(b'assistant"', name + len(_TYPE))
        and buffer.find(b'"usage"', max(begin, end - _TAIL), end) < 0
    )


def is_no_reply_nor_note(buffer: bytearray, begin: int, end: int) -> bool:
    """Say whether a line is surely no reply, nor notes a subagent's usage anywhere in it."""
    return is_no_reply(buffer, begin, end) and buffer.find(_COMPLETED, begin, end) < 0


def read_transcript(
    lines: Iterable[tuple[int, memoryview]],
    *,
    file_id: int,
    written: datetime,
    in_agent_file: bool = False,
    agent_type: str | None = None,
) -> ClaudeFile:
    """Return what the ``lines`` of one transcript say about billed requests.

    ``lines`` are (offset, bytes) of whole lines, ``written`` the file's modification time in UTC,
    ``agent_type`` what the file's own ``.meta.json`` says. Never raises for any bytes.
    """
    spoken_of: dict[str, _Request] = {}
    repairs: list[ClaudeEvent] = []
    file = ClaudeFile([])
    request_lines = 0
    latest = written + CLOCK_SLACK
    for offset, data in lines:
        try:
            line = _decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            leniently = _decode_leniently(data)
            if not isinstance(leniently, _Line):
                file.rejected.append(Rejected(offset, len(data), leniently, digest(data)))
                continue
            line = leniently
        message = line.message
        if line.type != "assistant" or message is None:
            if (repair := _repair(line, file_id, offset, latest)) is not None:
                repairs.append(repair)
            continue
        usage = message.usage
        if usage is None or message.model == SYNTHETIC:
            continue
        ts = line.timestamp
        if ts is None or ts.tzinfo is None or not OLDEST <= ts <= latest:
            reason = _disbelief(ts)
            file.rejected.append(Rejected(offset, len(data), reason, digest(data)))
            continue
        request_lines += 1
        key = message.id or line.requestId or line.uuid or f"line:{digest(data):x}"
        request = spoken_of.get(key)
        if request is None:
            spoken_of[key] = _Request(key, line, offset, ts, message, usage, offset)
            continue
        if line.requestId and not request.line.requestId:
            request.line.requestId = line.requestId
        if ts < request.ts:
            request.ts = ts
        if _is_better(message, usage, request):
            request.message, request.usage, request.offset = message, usage, offset
    file.events = [
        *(_event(r, file_id, in_agent_file, agent_type) for r in spoken_of.values()),
        *repairs,
    ]
    file.request_lines = request_lines
    return file


class _Request(Struct, gc=False):
    """A request's first line and its best one, while a file is read."""

    key: str
    line: _Line
    first_offset: int
    ts: datetime
    message: _Message
    usage: _Usage
    offset: int


def _is_better(message: _Message, usage: _Usage, known: _Request) -> bool:
    """Say whether a later line replaces the best one: final before placeholder, then the larger.

    Whole lines win, never single fields: a mix of two lines is what nobody billed.
    """
    if (message.stop_reason is None) != (known.message.stop_reason is None):
        return message.stop_reason is not None
    if usage == known.usage:
        return False
    *rest, output = _classes(usage)
    *known_rest, known_output = _classes(known.usage)
    return (output, sum(rest)) > (known_output, sum(known_rest))


def _classes(usage: _Usage) -> tuple[int, int, int, int, int]:
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


def _event(
    request: _Request, file_id: int, in_agent_file: bool, agent_type: str | None
) -> ClaudeEvent:
    line, message, usage = request.line, request.message, request.usage
    details, tools = usage.output_tokens_details, usage.server_tool_use
    message_id, request_id = message.id or None, line.requestId or None
    line_id = None if message_id or request_id else request.key
    return ClaudeEvent(
        "request", file_id, message_id, request_id, line_id, request.first_offset, request.ts,
        line.sessionId, line.cwd, line.version, line.entrypoint,
        bool(line.isSidechain) or in_agent_file,
        line.agentId, line.attributionAgent or agent_type, line.effort, line.promptId,
        request.offset, message.model, message.stop_reason, *_classes(usage),
        (details and details.thinking_tokens) or 0, (tools and tools.web_search_requests) or 0,
        usage.service_tier, usage.speed, usage.inference_geo,
    )  # fmt: skip


def _disbelief(ts: datetime | None) -> Reason:
    if ts is None:
        return "timestamp_missing"
    if ts.tzinfo is None:
        return "timestamp_without_zone"
    return "timestamp_too_old" if ts < OLDEST else "timestamp_in_future"


def _repair(line: _Line, file_id: int, offset: int, latest: datetime) -> ClaudeEvent | None:
    """Return the final usage of a subagent's last request, where this line of its parent has it."""
    result, ts = line.toolUseResult, line.timestamp
    if not isinstance(result, _ToolResult) or line.type != "user":
        return None
    if result.agentId is None or result.usage is None or result.status != "completed":
        return None
    if ts is None or ts.tzinfo is None or not OLDEST <= ts <= latest:
        return None
    key = line.uuid or f"{file_id}:{offset}"
    said = _Request(key, line, offset, ts, _Message(), result.usage, offset)
    note = _event(said, file_id, True, None)
    return note._replace(
        kind="repair",
        request_id=None,
        line_id=key,
        cwd=None,
        agent_id=result.agentId,
        agent_type=result.agentType,
    )


def _decode_leniently(data: memoryview) -> _Line | Reason:
    """Return what a line says that the strict decoder refused, or why it is not believed.

    Bad text encoding, control characters and lone surrogates are harmless where nobody reads them;
    JSON of any other shape than expected is no request; a damaged counter is a damaged request.
    """
    try:
        text = bytes(data).decode("utf-8", "surrogateescape")
        record = json.loads(text, strict=False, parse_int=_whole_number, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return "unreadable"
    if not isinstance(record, dict):
        return "unreadable"
    line = _Line(
        type=_text(record.get("type")),
        timestamp=_timestamp(record.get("timestamp")),
        isSidechain=record.get("isSidechain") is True,
    )
    for name in _TEXT_FIELDS:
        setattr(line, name, _text(record.get(name)))
    message, result = record.get("message"), record.get("toolUseResult")
    if line.type == "assistant" and isinstance(message, dict):
        usage = _usage(message.get("usage"))
        if usage == "bad_counter" and message.get("model") != SYNTHETIC:
            return usage
        line.message = _Message(
            id=_text(message.get("id")),
            model=_text(message.get("model")),
            stop_reason=_text(message.get("stop_reason")),
            usage=usage if isinstance(usage, _Usage) else None,
        )
    elif isinstance(result, dict):
        usage = _usage(result.get("usage"))
        line.toolUseResult = _ToolResult(
            status=_text(result.get("status")),
            agentId=_text(result.get("agentId")),
            agentType=_text(result.get("agentType")),
            usage=usage if isinstance(usage, _Usage) else None,
        )
    return line


_TEXT_FIELDS = (
    "requestId", "uuid", "sessionId", "cwd", "version", "entrypoint", "agentId",
    "attributionAgent", "effort", "promptId",
)  # fmt: skip


def _whole_number(digits: str) -> int:
    """Return what ``digits`` say; one with too many of them to be read is just too large."""
    return int(digits) if len(digits) < 20 else MOST_TOKENS + 1


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _text(value: object) -> str | None:
    """Return ``value`` if it is text that can be written as UTF-8, mended where it cannot."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else None


def _usage(value: object) -> _Usage | Literal["bad_counter"] | None:
    """Return what ``value`` says of tokens; descriptions of a wrong type do not disqualify it."""
    if value is None:
        return None
    if not isinstance(value, dict):
        return "bad_counter"
    texts = ("service_tier", "speed", "inference_geo")
    known = {name: value[name] for name in _Usage.__struct_fields__ if name in value}
    known |= {name: _text(known[name]) for name in texts if name in known}
    try:
        return msgspec.convert(known, _Usage)
    except (msgspec.ValidationError, UnicodeError, RecursionError):
        return "bad_counter"


def _timestamp(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
