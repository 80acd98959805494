"""What one line of a Codex rollout says: decoding only, and only of the fields named here.

What the lines of a file mean together is read in ``codex``. Prompts, answers and outputs are never
decoded, except for a moment where a line's bad encoding has to be mended first; of a command only
the program is kept that it runs.

Line shapes: measured on rollouts of Codex 0.29 to 0.169; the names of records and events are those
of ``codex-rs/protocol`` in openai/codex.
"""

import json
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Raw, Struct

from fleet_pipeline.transcripts.reasons import MOST_TOKENS, Reason
from fleet_pipeline.transcripts.tools import tool_call

Vector = tuple[int, int, int, int, int, int]
"""Input with all cache tokens, cache read, cache write, output with reasoning, reasoning, total."""

_NULL: Final = Raw(b"null")
_DEEPEST: Final = 100
_Counter = Annotated[int, Meta(ge=0, le=MOST_TOKENS)]


class TokenUsage(Struct, gc=False):
    """The counters of one request, or of a thread so far. What the client left out is 0."""

    input_tokens: _Counter | None = 0
    cached_input_tokens: _Counter | None = 0
    cache_write_input_tokens: _Counter | None = 0
    output_tokens: _Counter | None = 0
    reasoning_output_tokens: _Counter | None = 0
    total_tokens: _Counter | None = 0

    def vector(self) -> Vector:
        """Return the six counters, in tokens."""
        return (
            self.input_tokens or 0,
            self.cached_input_tokens or 0,
            self.cache_write_input_tokens or 0,
            self.output_tokens or 0,
            self.reasoning_output_tokens or 0,
            self.total_tokens or 0,
        )


class SessionMeta(Struct):
    """``session_meta``: whose file this is or, further down, whose history was copied into it."""

    id: object = None
    forked_from_id: object = None
    parent_thread_id: object = None
    session_id: object = None
    cwd: object = None
    originator: object = None
    cli_version: object = None
    source: object = None
    thread_source: object = None
    agent_role: object = None
    subagent_history_start_ordinal: object = None

    def spawned_by(self) -> str | None:
        """Return the thread that started this one as its subagent."""
        return text(self.parent_thread_id) or text(self._spawn().get("parent_thread_id"))

    def is_subagent(self) -> bool:
        """Say whether a client, not a person, started the thread."""
        by_source = isinstance(self.source, dict) and "subagent" in self.source
        return by_source or self.thread_source in ("subagent", "guardian_review")

    def agent_type(self) -> str | None:
        """Return the role of a subagent, or what it was started for (``review``)."""
        if not self.is_subagent():
            return None
        subagent = self.source.get("subagent") if isinstance(self.source, dict) else None
        role = text(self.agent_role) or text(self._spawn().get("agent_role")) or text(subagent)
        if role is None and self.thread_source != "subagent":
            return text(self.thread_source)
        return role

    def depth(self) -> int:
        """Return how many threads stand above this one, as far as the client says."""
        if not self.is_subagent():
            return 0
        return min(max(1, whole_number(self._spawn().get("depth")) or 1), _DEEPEST)

    def _spawn(self) -> dict[object, object]:
        subagent = self.source.get("subagent") if isinstance(self.source, dict) else None
        spawn = subagent.get("thread_spawn") if isinstance(subagent, dict) else None
        return spawn if isinstance(spawn, dict) else {}


class TurnContext(Struct):
    """``turn_context``: the settings of the requests that follow."""

    turn_id: object = None
    model: object = None
    effort: object = None
    cwd: object = None


class TurnStarted(Struct):
    """``task_started``: a new turn, named from 0.128 on."""

    turn_id: object = None


class ReviewEntered(Struct):
    """``entered_review_mode``: another thread works, and old clients echo its counts here."""


class ReviewLeft(Struct):
    """``exited_review_mode``, or the turn was aborted."""


class ToolCalled(Struct):
    """``function_call`` and its like: what the answer asked to be run, before it was paid for."""

    name: object = None
    call_id: object = None
    arguments: object = None
    action: object = None

    def kept(self) -> str:
        """Return how the call is kept; see ``tools``."""
        return tool_call(self.name or "local_shell", self.call_id, self._command())

    def _command(self) -> object:
        """Return the shell command in the arguments; ``bash -lc`` only stands before it."""
        asked: object = self.action
        if isinstance(self.arguments, str):
            try:
                asked = msgspec.json.decode(self.arguments)
            except (msgspec.DecodeError, UnicodeError, RecursionError):
                return None
        if not isinstance(asked, dict):
            return None
        command = asked.get("cmd", asked.get("command"))
        if isinstance(command, list) and command:
            return command[-1] if command[1:2] in (["-lc"], ["-c"]) else command[0]
        return command


class TokenInfo(Struct):
    """The two vectors of a token count."""

    total_token_usage: TokenUsage
    last_token_usage: TokenUsage


class TokenCount(Struct):
    """``token_count``: usage so far and of the last request (or null), and the quota windows."""

    info: TokenInfo | None = None
    rate_limits: Raw = _NULL


class UsageRecord(Struct):
    """``token_usage_record``: one request, under the id of its response (0.169)."""

    usage: TokenUsage
    thread_token_usage: TokenUsage | None = None
    response_id: object = None
    thread_id: object = None
    turn_id: object = None
    session_id: object = None


Said = (
    SessionMeta
    | TurnContext
    | TurnStarted
    | ToolCalled
    | ReviewEntered
    | ReviewLeft
    | TokenCount
    | UsageRecord
)


class Line(Struct):
    """When a line was written, its place in the thread, and what it says, if that matters.

    ``kind`` is its record type or, where it tells of an event, the type of the event.
    """

    timestamp: object
    ordinal: int | None
    kind: str | None
    said: Said | None


class _Envelope(Struct):
    type: object = None
    timestamp: object = None
    ordinal: object = None
    payload: Raw = _NULL


class _Event(Struct):
    type: object = None


_RECORDS: Final[dict[object, msgspec.json.Decoder[Said]]] = {
    "session_meta": msgspec.json.Decoder(SessionMeta),
    "turn_context": msgspec.json.Decoder(TurnContext),
    "token_usage_record": msgspec.json.Decoder(UsageRecord),
}
_EVENTS: Final[dict[object, msgspec.json.Decoder[Said]]] = {
    "token_count": msgspec.json.Decoder(TokenCount),
    "task_started": msgspec.json.Decoder(TurnStarted),
    "turn_started": msgspec.json.Decoder(TurnStarted),
    "entered_review_mode": msgspec.json.Decoder(ReviewEntered),
    "exited_review_mode": msgspec.json.Decoder(ReviewLeft),
    "turn_aborted": msgspec.json.Decoder(ReviewLeft),
}
_ITEMS: Final[dict[object, msgspec.json.Decoder[Said]]] = {
    "function_call": msgspec.json.Decoder(ToolCalled),
    "custom_tool_call": msgspec.json.Decoder(ToolCalled),
    "local_shell_call": msgspec.json.Decoder(ToolCalled),
}
_OF_KIND: Final = {"event_msg": _EVENTS, "response_item": _ITEMS}
_USAGE: Final = frozenset({_RECORDS["token_usage_record"], _EVENTS["token_count"]})
_envelope: Final = msgspec.json.Decoder(_Envelope)
_event: Final = msgspec.json.Decoder(_Event)


def decode_line(data: bytes | memoryview) -> Line | Reason:
    """Return what a whole line says, or why it is not believed; never raises for any bytes.

    Text that JSON or UTF-8 forbids (control characters, lone surrogates, stray bytes) does not
    disqualify a line whose structure is whole. Every line is decoded, not only those that hold a
    marker: skipping over values is faster than five searches, and finds each broken line.
    """
    try:
        return _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return _decode(_mended(data))
    except (ValueError, RecursionError):
        return "unreadable"


def text(value: object) -> str | None:
    """Return ``value`` if it is a text that says something."""
    return value if isinstance(value, str) and value else None


def whole_number(value: object) -> int | None:
    """Return ``value`` if it is an integer; JSON's true and false are none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _decode(data: bytes | memoryview) -> Line | Reason:
    """Decode strictly; raises msgspec.DecodeError, UnicodeDecodeError or RecursionError."""
    envelope = _envelope.decode(data)
    said = None
    kind, decoder = _kind(envelope)
    if decoder is not None:
        try:
            said = decoder.decode(envelope.payload)
        except msgspec.ValidationError:
            # Only counters and what holds them are typed, so nothing else can be at fault.
            if decoder in _USAGE:
                return "bad_counter"
    return Line(envelope.timestamp, whole_number(envelope.ordinal), kind, said)


def _kind(envelope: _Envelope) -> tuple[str | None, msgspec.json.Decoder[Said] | None]:
    """Return the type of a line, and what decodes its payload, if that matters."""
    kind, decoders = envelope.type, _RECORDS
    if kind == "event_msg" or kind == "response_item":
        decoders = _OF_KIND[kind]
        try:
            kind = _event.decode(envelope.payload).type
        except msgspec.ValidationError:
            return None, None
    return (kind, decoders.get(kind)) if isinstance(kind, str) else (None, None)


def _mended(data: bytes | memoryview) -> bytes:
    """Return the line with its bad text replaced; raises ValueError where more is broken.

    What only Python's decoder lets through (NaN) is written as it came and refused after.
    """
    value = json.loads(str(data, "utf-8", "replace"), strict=False)
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
