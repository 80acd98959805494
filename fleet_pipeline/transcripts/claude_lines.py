"""What one line of a Claude Code transcript says: which lines to decode, and only named fields.

What the lines of a file mean together is read in ``claude``. Text is never decoded, but for the
head of a command and for a moment where a line's bad encoding has to be mended first.
"""

import json
from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from fleet_pipeline.transcripts.drift import PASSED_OVER
from fleet_pipeline.transcripts.lines import Scan
from fleet_pipeline.transcripts.reasons import MOST_TOKENS, Reason

SYNTHETIC: Final = "<synthetic>"
"""The model name of lines that the client wrote itself, for instance about an error of the API."""

_Counter = Annotated[int, Meta(ge=0, le=MOST_TOKENS)]


class CacheCreation(Struct, gc=False):
    """How cache writes are split by how long they last."""

    ephemeral_5m_input_tokens: _Counter | None = 0
    ephemeral_1h_input_tokens: _Counter | None = 0


class Iteration(Struct, gc=False):
    """One pass of a request that took several on the server."""

    type: str | None = None
    input_tokens: _Counter | None = 0
    output_tokens: _Counter | None = 0
    cache_creation_input_tokens: _Counter | None = 0
    cache_read_input_tokens: _Counter | None = 0
    cache_creation: CacheCreation | None = None


class OutputDetails(Struct, gc=False):
    """What a part of the output was for."""

    thinking_tokens: _Counter | None = 0


class ServerTools(Struct, gc=False):
    """What the server did beside answering."""

    web_search_requests: _Counter | None = 0


class Usage(Struct, gc=False):
    """The counters of one request; what the client left out is 0."""

    input_tokens: _Counter | None = 0
    output_tokens: _Counter | None = 0
    cache_creation_input_tokens: _Counter | None = 0
    cache_read_input_tokens: _Counter | None = 0
    cache_creation: CacheCreation | None = None
    output_tokens_details: OutputDetails | None = None
    server_tool_use: ServerTools | None = None
    iterations: list[Iteration] | None = None
    service_tier: str | None = None
    speed: str | None = None
    inference_geo: str | None = None


class Input(Struct, gc=False):
    """The one argument of a tool that is looked at, for its first word."""

    command: object = None


class Block(Struct, gc=False):
    """A part of a message: of a call of a tool its name and id, of any other only its type."""

    type: object = None
    id: object = None
    name: object = None
    input: Input | str | list[msgspec.Raw] | None = None


class Message(Struct, gc=False):
    """What the model, or somebody who asked it, said: without what was said."""

    id: str | None = None
    model: str | None = None
    content: list[Block | str] | str | None = None
    stop_reason: str | None = None
    usage: Usage | None = None


class ToolResult(Struct, gc=False):
    """What a parent keeps of a finished subagent; the fields of other tools are passed over."""

    status: str | None = None
    agentId: str | None = None
    agentType: str | None = None
    usage: Usage | None = None


class Origin(Struct, gc=False):
    """Who asked: a person, another agent, or the client itself."""

    kind: str | None = None


class Line(Struct, gc=False):
    """One line; the names are those of the client."""

    type: str | None = None
    message: Message | None = None
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
    promptSource: str | None = None
    origin: Origin | str | None = None
    isMeta: bool | None = None
    isCompactSummary: bool | None = None
    error: object = None
    toolUseResult: ToolResult | str | list[msgspec.Raw] | None = None


_strictly: Final = msgspec.json.Decoder(Line).decode


def decode_line(data: memoryview) -> Line | Reason:
    """Return what a whole line says, or why it is not believed; never raises for any bytes."""
    try:
        return _strictly(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _leniently(data)


_TYPE: Final = b'"type":"'
_RESULT: Final = b'"toolUseResult":{'
_COMPLETED: Final = b'"status":"completed"'
_USAGE: Final = b'"usage"'
_SHORT, _HEAD, _TOOL, _TAIL = 512, 640, 160, 1536


def lines_to_decode(notes: bool) -> Scan:
    """Return a scan that passes over lines which surely say nothing of requests: most bytes.

    Clients write the type of any other line before its payload, among flat fields only. What is
    left is replies, what somebody asked (but not what tools answered), with ``notes`` also what a
    parent noted of its subagents, the client's own totals, types that are not known, and all that
    cannot be told so cheaply: short lines, lines in any other order or with spaces, and those that
    end in usage (a subagent's, or that of a reply behind a line that was never finished).
    """

    def scan(buffer: bytearray, begin: int, end: int) -> tuple[list[tuple[int, int]], int]:
        extents: list[tuple[int, int]] = []
        count = 0
        find, starts, keep = buffer.find, buffer.startswith, extents.append
        while begin < end:
            newline = find(b"\n", begin, end)
            count += 1
            if newline - begin <= _SHORT:
                if buffer[begin] > 32 or buffer[begin:newline].strip():
                    keep((begin, newline))
                begin = newline + 1
                continue
            name = find(_TYPE, begin + 1, begin + _HEAD)
            kind = name + 8
            if (
                name < 0
                # Of a reply the first type is that of its message, or in other orders its own.
                or ((first := buffer[kind]) == _M and starts(b'message"', kind))
                or (first == _A and starts(b'assistant"', kind))
                or (
                    (tool := find(b'"tool_', kind, kind + _TOOL)) < 0
                    or buffer[tool - 1] == _ESCAPE  # somebody asked about a tool
                    or (
                        notes
                        and (result := find(_RESULT, kind, newline)) >= 0
                        and find(_COMPLETED, result, newline) >= 0
                    )
                    if first == _U and starts(b'user"', kind)
                    else not starts(_NO_USE, kind)
                )
                or find(b"{", begin + 1, name) >= 0
                or buffer.rfind(_USAGE, newline - _TAIL if newline > _TAIL else 0, newline) >= 0
                or buffer[begin] != _OPEN
                or buffer[newline - 1] != _CLOSE
            ):
                keep((begin, newline))
            begin = newline + 1
        return extents, count

    return scan


_A, _M, _U, _OPEN, _CLOSE, _ESCAPE = b"amu{}\\"
_NO_USE: Final = tuple(f'{name}"'.encode() for name in PASSED_OVER)


def _leniently(data: memoryview) -> Line | Reason:
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
    line = Line(
        type=_text(record.get("type")),
        timestamp=_timestamp(record.get("timestamp")),
        isSidechain=record.get("isSidechain") is True,
        isMeta=record.get("isMeta") is True,
        isCompactSummary=record.get("isCompactSummary") is True,
        error=record.get("error"),
    )
    if isinstance(origin := record.get("origin"), dict):
        line.origin = Origin(_text(origin.get("kind")))
    for name in _TEXT_FIELDS:
        setattr(line, name, _text(record.get(name)))
    message, result = record.get("message"), record.get("toolUseResult")
    if line.type == "assistant" and isinstance(message, dict):
        usage = _usage(message.get("usage"))
        if usage == "bad_counter" and message.get("model") != SYNTHETIC:
            return usage
        line.message = Message(
            id=_text(message.get("id")),
            model=_text(message.get("model")),
            content=_content(message.get("content")),
            stop_reason=_text(message.get("stop_reason")),
            usage=usage if isinstance(usage, Usage) else None,
        )
        return line
    if line.type == "user" and isinstance(message, dict):
        line.message = Message(content=_content(message.get("content")))
    if isinstance(result, str):
        line.toolUseResult = ""
    elif isinstance(result, list):
        line.toolUseResult = []
    elif isinstance(result, dict):
        usage = _usage(result.get("usage"))
        line.toolUseResult = ToolResult(
            status=_text(result.get("status")),
            agentId=_text(result.get("agentId")),
            agentType=_text(result.get("agentType")),
            usage=usage if isinstance(usage, Usage) else None,
        )
    return line


_TEXT_FIELDS = (
    "requestId", "uuid", "sessionId", "cwd", "version", "entrypoint", "agentId",
    "attributionAgent", "effort", "promptId", "promptSource",
)  # fmt: skip


def _content(value: object) -> list[Block | str] | str | None:
    """Return the parts of a message, of any text only that it is there."""
    if not isinstance(value, list):
        return "" if isinstance(value, str) else None
    return [
        Block(
            part.get("type"),
            part.get("id"),
            part.get("name"),
            Input(said.get("command")) if isinstance(said := part.get("input"), dict) else None,
        )
        for part in value
        if isinstance(part, dict)
    ]


def _whole_number(digits: str) -> int:
    """Return what ``digits`` say; one with too many of them to be read is just too large."""
    return int(digits) if len(digits) < 20 else MOST_TOKENS + 1


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _text(value: object) -> str | None:
    """Return ``value`` if it is text that can be written as UTF-8, mended where it cannot."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else None


def _usage(value: object) -> Usage | Literal["bad_counter"] | None:
    """Return what ``value`` says of tokens; descriptions of a wrong type do not disqualify it."""
    if value is None:
        return None
    if not isinstance(value, dict):
        return "bad_counter"
    texts = ("service_tier", "speed", "inference_geo")
    known = {name: value[name] for name in Usage.__struct_fields__ if name in value}
    known |= {name: _text(known[name]) for name in texts if name in known}
    try:
        return msgspec.convert(known, Usage)
    except (msgspec.ValidationError, UnicodeError, RecursionError):
        return "bad_counter"


def _timestamp(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
