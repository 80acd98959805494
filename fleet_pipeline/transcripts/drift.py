"""What transcripts hold that this version does not know, or lack: replies that tell no usage.

Clients change their formats without notice. What is new is counted under its name, so that someone
looks at it; it is never guessed at, and never an error.

Names come from other people's files, so they are kept only where they have the form of one, and
only so many of each file. The known names are those of the recorded clients, of the public
transcripts behind ``docs/counting.md``, and what Codex says that it keeps in a rollout
(``codex-rs/rollout/src/policy.rs`` in openai/codex).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final, Literal

import msgspec
from msgspec import Struct

PASSED_OVER: Final = (
    "progress", "attachment", "system", "queue-operation", "file-history-snapshot",
    "file-history-delta", "summary", "api-request", "api-request-blob", "api-request-shape",
    "last-prompt", "atis-latch", "tools-used", "mode", "permission-mode", "ai-title",
    "custom-title", "agent-name", "agent-setting", "bridge-session", "pr-link", "frame-link",
    "teleported-from", "fork-context-ref", "continued-in", "relocated", "worktree-state", "tag",
)  # fmt: skip
"""Record types of Claude Code that hold nothing to count, the most frequent ones first."""

_CLAUDE: Final = frozenset({"assistant", "user", "cost-state", *PASSED_OVER})

_CODEX: Final = frozenset(
    {
        *("session_meta", "turn_context", "token_usage_record", "response_item", "event_msg"),
        *("compacted", "world_state", "inter_agent_communication_metadata"),
        *("message", "reasoning", "function_call", "function_call_output", "ghost_snapshot"),
        *("custom_tool_call", "custom_tool_call_output", "local_shell_call"),
        *("tool_search_call", "tool_search_output", "additional_tools"),
        *("web_search_call", "image_generation_call", "compaction", "context_compaction"),
        "inter_agent_communication",
    }
)
_CODEX_EVENTS: Final = frozenset(
    {
        *("token_count", "user_message", "agent_message", "agent_reasoning", "item_completed"),
        *("task_started", "turn_started", "task_complete", "turn_aborted", "context_compacted"),
        *("thread_settings_applied", "entered_review_mode", "exited_review_mode"),
        *("agent_reasoning_raw_content", "patch_apply_end", "mcp_tool_call_end"),
        *("web_search_end", "image_generation_end", "thread_rolled_back"),
        *("thread_goal_updated", "sub_agent_activity"),
    }
)
KNOWN_RECORDS: Final = {"claude": _CLAUDE, "codex": _CODEX | _CODEX_EVENTS}
"""Every known record type by client; with Codex also the types of its events."""

_CLAUDE_COUNTERS: Final = (
    "input_tokens",
    "output_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "cache_creation",
    "cache_creation.ephemeral_5m_input_tokens",
    "cache_creation.ephemeral_1h_input_tokens",
)
_KNOWN_FIELDS: Final = frozenset(
    {
        *_CLAUDE_COUNTERS,
        *("service_tier", "inference_geo", "speed", "fallback_credit", "server_tool_use"),
        *("server_tool_use.web_search_requests", "server_tool_use.web_fetch_requests"),
        *("output_tokens_details", "output_tokens_details.thinking_tokens"),
        *("iterations", "iterations.type", "iterations.model"),
        *(f"iterations.{name}" for name in _CLAUDE_COUNTERS),
        # Codex
        *("cached_input_tokens", "cache_write_input_tokens", "reasoning_output_tokens"),
        "total_tokens",
    }
)

NAMELESS: Final = "(other)"
"""Stands for every name that has not the form of one, and for those beyond the first hundred."""

_TYPE: Final = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)
_FIELD: Final = re.compile(
    r"(?=.{1,40}\Z)(?:[a-z0-9]+_)+"
    r"(?:tokens|requests|calls|searches|count|units|usage|details|cost|credits?|tier|type)",
    re.ASCII,
)
"""A record type is the client's own word; the keys of an object may be anybody's, so that only
what reads as a measure is kept."""
_VERSION: Final = re.compile(r"\d[\w.-]{0,39}", re.ASCII)
_MOST_NAMES: Final = 100


class Unfamiliar(Struct, gc=False):
    """One name that is not known, and on how many lines of a transcript it was seen.

    Of record types every line is counted, of usage fields only one line for each client version.
    A reply without usage goes under the version of the client that wrote it.
    """

    kind: Literal["record_type", "usage_field", "reply_without_usage"]
    name: str
    lines: int


class Drift(Struct):
    """What one transcript holds that is not known so far; made of plain values, to be stored."""

    record_types: dict[str, int] = {}
    usage_fields: dict[str, int] = {}
    versions: list[str | None] = []
    silent_replies: dict[str, int] = {}

    def copy(self) -> "Drift":
        """Return the same, so that reading on does not change what was handed in."""
        return Drift(
            dict(self.record_types),
            dict(self.usage_fields),
            list(self.versions),
            dict(self.silent_replies),
        )

    def see_record(self, kind: str) -> None:
        """Count a line of a type that is not known."""
        _count(self.record_types, kind if _TYPE.fullmatch(kind) else NAMELESS)

    def see_silence(self, version: str | None) -> None:
        """Count a reply of a model that says nothing of usage, under its client's version."""
        known = version is not None and _VERSION.fullmatch(version)
        _count(self.silent_replies, version if version and known else NAMELESS)

    def wants_sample(self, version: str | None) -> bool:
        """Say whether no usage of this client version was looked at yet; from now on it was."""
        if version in self.versions or len(self.versions) >= _MOST_NAMES:
            return False
        self.versions.append(version)
        return True

    def see_usage(self, usage: Mapping[str, object]) -> None:
        """Look for fields that are not known in one request's usage."""
        for path in sorted(set(_unknown(usage))):
            _count(self.usage_fields, path)

    def rows(self) -> list[Unfamiliar]:
        """Return all that was not known, as evidence."""
        return [
            *(Unfamiliar("record_type", *seen) for seen in sorted(self.record_types.items())),
            *(Unfamiliar("usage_field", *seen) for seen in sorted(self.usage_fields.items())),
            *(Unfamiliar("reply_without_usage", *n) for n in sorted(self.silent_replies.items())),
        ]


class _Message(Struct):
    usage: dict[str, object] = {}


class _ClaudeSample(Struct):
    message: _Message


class _Info(Struct):
    last_token_usage: dict[str, object] = {}


class _Payload(Struct):
    info: _Info | None = None
    usage: dict[str, object] = {}


class _CodexSample(Struct):
    payload: _Payload


_claude_sample: Final = msgspec.json.Decoder(_ClaudeSample).decode
_codex_sample: Final = msgspec.json.Decoder(_CodexSample).decode


def claude_usage(data: bytes | memoryview) -> Mapping[str, object]:
    """Return the whole usage of one assistant line, empty where it cannot be decoded."""
    try:
        return _claude_sample(data).message.usage
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


def codex_usage(data: bytes | memoryview) -> Mapping[str, object]:
    """Return the whole usage of one statement of a rollout, empty where it cannot be decoded."""
    try:
        said = _codex_sample(data).payload
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return said.info.last_token_usage if said.info else said.usage


def _unknown(usage: Mapping[str, object], above: str = "") -> Iterator[str]:
    """Yield the path of each unknown field, without its value; what is known is looked into."""
    for name, value in usage.items():
        path = f"{above}{name}"
        if path not in _KNOWN_FIELDS:
            yield path if _FIELD.fullmatch(name) else f"{above}{NAMELESS}"
            continue
        for inner in value if isinstance(value, list) else (value,):
            if isinstance(inner, Mapping):
                yield from _unknown(inner, f"{path}.")


def _count(seen: dict[str, int], name: str) -> None:
    name = name if name in seen or len(seen) < _MOST_NAMES else NAMELESS
    seen[name] = seen.get(name, 0) + 1
