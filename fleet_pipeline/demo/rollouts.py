"""How Codex 0.128 writes a session down: the lines of a rollout, with placeholder content.

A request's token_count may come twice with the same totals, and a Spark request's once for each
limit: only a reader that watches the running total counts right.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from random import Random

from fleet_pipeline.demo.codex import SPARK, CodexRequest, Rollout, Snapshot
from fleet_pipeline.demo.lines import Identifiers
from fleet_pipeline.demo.timetable import utc_text
from fleet_pipeline.demo.work import codex_calls

_VERSION = "0.128.0"
_REPEATED_SHARE = 0.44
_STARTS_BEFORE_MS = 2_500


class _Lines:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, at_ms: int, kind: str, payload: Mapping[str, object]) -> None:
        line = {"timestamp": utc_text(at_ms), "type": kind, "payload": payload}
        self.lines.append(json.dumps(line, separators=(",", ":")))


def rollout_path(rollout: Rollout, thread_id: str) -> str:
    """Return where Codex keeps a rollout, relative to its `sessions` folder."""
    started = datetime.fromtimestamp(_started_ms(rollout) // 1000, UTC)
    return f"{started:%Y/%m/%d}/rollout-{started:%Y-%m-%dT%H-%M-%S}-{thread_id}.jsonl"


def thread_id(rollout: Rollout, identifiers: Identifiers) -> str:
    """Return a rollout's own id, which carries its start."""
    return identifiers.uuid7(_started_ms(rollout))


def rollout_lines(rollout: Rollout, own_id: str, identifiers: Identifiers) -> list[str]:
    """Write a rollout's lines; the last one is the last request's token_count."""
    written = _Lines()
    started = _started_ms(rollout)
    written.add(
        started,
        "session_meta",
        {
            "id": own_id,
            "timestamp": utc_text(started),
            "cwd": rollout.cwd,
            "originator": "codex_cli_rs",
            "cli_version": _VERSION,
            "source": "cli",
            "model_provider": "openai",
            "base_instructions": {"text": "(instructions)"},
        },
    )
    work = codex_calls(identifiers.rng, rollout.agent)
    total = dict.fromkeys(_usage(rollout.requests[0]), 0)
    window = 121_600 if rollout.model == SPARK else 258_400
    for index, request in enumerate(rollout.requests):
        following = rollout.requests[index + 1 : index + 2]
        if request.opens_turn:
            _open_turn(written, rollout, request, identifiers)
            work = codex_calls(identifiers.rng, rollout.agent)
        if following and not following[0].opens_turn:
            name, command = next(work)
            written.add(request.at_ms - 100, "response_item", _call(name, command, identifiers))
        if index == 0:
            for snapshot in request.snapshots:
                written.add(request.at_ms - 300, "event_msg", _token_count(None, snapshot))
        last = _usage(request)
        total = {name: total[name] + tokens for name, tokens in last.items()}
        info = {
            "total_token_usage": total,
            "last_token_usage": last,
            "model_context_window": window,
        }
        for snapshot in request.snapshots:
            written.add(snapshot.at_ms, "event_msg", _token_count(info, snapshot))
        if index < len(rollout.requests) - 1 and _repeats(identifiers.rng):
            for snapshot in request.snapshots:
                at_ms = snapshot.at_ms + 180
                written.add(at_ms, "event_msg", _token_count(info, snapshot))
    return written.lines


def _open_turn(
    written: _Lines, rollout: Rollout, request: CodexRequest, identifiers: Identifiers
) -> None:
    at_ms = request.at_ms - 900
    turn_id = identifiers.uuid7(at_ms)
    written.add(at_ms, "event_msg", {"type": "task_started", "turn_id": turn_id})
    written.add(
        at_ms,
        "turn_context",
        {
            "turn_id": turn_id,
            "cwd": rollout.cwd,
            "approval_policy": "never",
            "sandbox_policy": {"type": "workspace-write"},
            "model": rollout.model,
            "effort": rollout.effort,
            "summary": "auto",
        },
    )
    written.add(at_ms + 1, "event_msg", {"type": "user_message", "message": "(prompt)"})


def _call(name: str, command: str, identifiers: Identifiers) -> dict[str, object]:
    call_id = identifiers.prefixed("call_")
    if not command:
        return {
            "type": "custom_tool_call",
            "status": "completed",
            "call_id": call_id,
            "name": name,
            "input": "(patch)",
        }
    arguments = json.dumps({"cmd": command})
    return {"type": "function_call", "name": name, "arguments": arguments, "call_id": call_id}


def _token_count(info: Mapping[str, object] | None, snapshot: Snapshot) -> dict[str, object]:
    primary, secondary = (
        {
            "used_percent": window.used_percent,
            "window_minutes": window.minutes,
            "resets_at": window.resets_at,
        }
        for window in snapshot.windows
    )
    return {
        "type": "token_count",
        "info": info,
        "rate_limits": {
            "limit_id": snapshot.limit.limit_id,
            "limit_name": snapshot.limit.limit_name,
            "primary": primary,
            "secondary": secondary,
            "credits": {"has_credits": False, "unlimited": False, "balance": None},
            "plan_type": "pro",
            "rate_limit_reached_type": None,
        },
    }


def _usage(request: CodexRequest) -> dict[str, int]:
    return {
        "input_tokens": request.input_tokens,
        "cached_input_tokens": request.cached_input_tokens,
        "output_tokens": request.output_tokens,
        "reasoning_output_tokens": request.reasoning_tokens,
        "total_tokens": request.input_tokens + request.output_tokens,
    }


def _repeats(rng: Random) -> bool:
    return rng.random() < _REPEATED_SHARE


def _started_ms(rollout: Rollout) -> int:
    return rollout.requests[0].at_ms - _STARTS_BEFORE_MS
