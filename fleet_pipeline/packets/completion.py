"""Reading a chat completion: bytes of an answer in, one typed outcome out. Pure.

Nothing is repaired beyond taking off one code fence. The output cap that was sent as ``max_tokens``
is checked here again, by the provider's own count and by size.
"""

import json
import math
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

import httpx
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry

from fleet_pipeline.guarded_http import Reply
from fleet_pipeline.packets.outcome import Outcome, Usage
from fleet_pipeline.packets.rate_limits import told_limits

BYTES_PER_TOKEN: Final = 16
"""No tokenizer packs more of an ordinary answer into one token: a second bound on its length."""

_FENCE: Final = re.compile(r"\A\s*```[a-zA-Z0-9_-]*\s*\n(.*?)\n?\s*```\s*\Z", re.DOTALL)
_MOST_TOKENS: Final = 10**9
_NOWHERE: Final[Registry[Any]] = Registry()
"""Knows no document: a schema cannot make the validator fetch one."""


def read(reply: Reply, schema: dict[str, Any], max_output_tokens: int) -> Outcome:
    """Return what became of a call, from the reply to it."""
    if reply.status != 200:
        return _failed(reply.status, reply)
    try:
        body = _json(reply.body.decode())
    except (ValueError, RecursionError):
        return _outcome("malformed", "the reply is no whole JSON", reply)
    if not isinstance(body, dict):
        return _outcome("malformed", "the reply is no chat completion", reply)
    if isinstance(error := body.get("error"), dict):
        code = error.get("code")
        return _failed(code if isinstance(code, int) else 500, reply)
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        return _outcome("malformed", "the reply is no chat completion", reply)
    outcome = _outcome("answered", "answered", reply, body)
    return _judged(outcome, choice, message, schema, max_output_tokens)


def judge(text: str, schema: dict[str, Any]) -> tuple[object, str, str]:
    """Return the JSON value of an answer, what is wrong with it, and that without quoting it.

    The last two are empty for a value that fits its schema.
    """
    fenced = _FENCE.match(text)
    try:
        value = _json(fenced[1] if fenced else text)
    except RecursionError:
        return None, "it is nested far too deep", "the answer is nested far too deep"
    except ValueError as error:
        return None, f"it is no JSON ({error})", "the answer is no JSON"
    try:
        broken = best_match(Draft202012Validator(schema, registry=_NOWHERE).iter_errors(value))
    except RecursionError:
        return None, "it is nested far too deep", "the answer is nested far too deep"
    except OverflowError:  # of a division, where the schema has multipleOf
        return None, "it holds a number far too large", "the answer holds a number far too large"
    if broken is None:
        return value, "", ""
    return None, f"at {broken.json_path}: {broken.message[:500]}", f"breaks {broken.validator!r}"


def _judged(
    outcome: Outcome,
    choice: dict[str, Any],
    message: dict[str, Any],
    schema: dict[str, Any],
    max_output_tokens: int,
) -> Outcome:
    reason, text = choice.get("finish_reason"), _text(message.get("content"))
    if reason == "error":
        return _as(outcome, "unavailable", "the provider broke off in the middle of the answer")
    if reason == "content_filter" or message.get("refusal"):
        return _as(outcome, "refused", "the model refused")
    if text is None:
        return _as(outcome, "malformed", "the answer is no text")
    used = outcome.usage.output_tokens or 0
    size = len(text.encode("utf-8", "surrogatepass"))
    if reason == "length" or used > max_output_tokens or size > max_output_tokens * BYTES_PER_TOKEN:
        return _as(outcome, "too_long", f"the answer is longer than {max_output_tokens} tokens")
    if not text.strip():
        return _as(outcome, "empty", "the answer is empty", violation="it is empty")
    value, violation, says = judge(text, schema)
    if violation:
        return _as(outcome, "schema_violation", says, text=text, violation=violation)
    return _as(outcome, "answered", "answered", text=text, answer=value)


def _failed(status: int, reply: Reply) -> Outcome:
    if status == 429:
        return _outcome("rate_limited", "too many requests (429)", reply)
    says = f"failed ({status})" if status >= 500 else f"does not take the request ({status})"
    return _outcome("unavailable", f"the provider {says}", reply)


def _outcome(kind: Any, says: str, reply: Reply, body: dict[str, Any] | None = None) -> Outcome:
    told = body or {}
    return Outcome(
        kind=kind,
        says=says,
        status=reply.status,
        usage=_usage(told.get("usage")),
        request_id=_request_id(reply.headers, told),
        served_model=_served(told),
        retry_after_seconds=reply.retry_after_seconds,
        told_limits=told_limits(reply.headers),
    )


def _as(outcome: Outcome, kind: Any, says: str, **more: Any) -> Outcome:
    return replace(outcome, kind=kind, says=says, **more)


def _json(text: str) -> Any:
    def never(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON")

    def finite(number: str) -> float:
        if math.isinf(value := float(number)):
            raise ValueError("a number is far too large")
        return value

    return json.loads(text, parse_constant=never, parse_float=finite)


def _text(content: object) -> str | None:
    """Return the words of a message; some providers answer in parts, some with null for none."""
    if content is None:
        return ""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else None


def _usage(told: object) -> Usage:
    if not isinstance(told, dict):
        return Usage()
    details = told.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    return Usage(
        prompt_tokens=_tokens(told.get("prompt_tokens")),
        cached_tokens=_tokens(cached),
        output_tokens=_tokens(told.get("completion_tokens")),
        cost_usd_micros=_micros(told.get("cost")),
    )


def _tokens(told: object) -> int | None:
    whole = isinstance(told, int) and not isinstance(told, bool) and 0 <= told <= _MOST_TOKENS
    return int(str(told)) if whole else None


def _micros(told: object) -> int | None:
    if isinstance(told, bool) or not isinstance(told, int | float) or not 0 <= told <= 10**6:
        return None
    return round(Decimal(str(told)) * 10**6)


def _request_id(headers: httpx.Headers, body: dict[str, Any]) -> str | None:
    return _name(headers.get("x-request-id")) or _name(body.get("id"))


def _served(body: dict[str, Any]) -> str | None:
    names = (_name(body.get(key)) for key in ("model", "provider", "system_fingerprint"))
    return " ".join(name for name in names if name) or None


def _name(told: object) -> str | None:
    fits = isinstance(told, str) and 0 < len(told) <= 200 and told.isprintable()
    return str(told) if fits else None
