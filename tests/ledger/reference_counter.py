"""The slow, obvious counter of billed requests: the oracle of the tests beside it.

Written from the rules and not from the product, standard library only. Codex is counted as 0.128
writes it: no forks, no reviews, no usage records.
"""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
Tokens = tuple[int, int, int, int, int]  # fresh, cache write 5m, cache write 1h, cache read, output


class Said(NamedTuple):
    """What one line says: a reply, a parent's note or a Codex count; or that it is rejected."""

    kind: str
    message_id: str | None = None
    request_id: str | None = None
    line_id: str | None = None
    ts: datetime | None = None
    agent: tuple[str | None, str | None] = (None, None)
    final: bool = False
    tokens: Tokens = (0, 0, 0, 0, 0)


class Billed(NamedTuple):
    tokens: Tokens
    ts: datetime
    final: bool


def said(data: bytes, written: datetime, client: str = "claude") -> Iterator[Said]:
    """Return what the whole lines of one transcript say."""
    latest, codex = written + timedelta(days=1), {}
    for line in filter(bytes.strip, data.removeprefix(b"\xef\xbb\xbf").split(b"\n")[:-1]):
        try:
            text = line.decode("utf-8", "surrogateescape")
            record = json.loads(text, strict=False, parse_constant=int)
            if not isinstance(record, dict):
                raise ValueError(record)
            yield from _claude(record, latest) if client == "claude" else _codex(record, codex)
        except (ValueError, RecursionError):
            yield Said("rejected")


def _claude(record: dict, latest: datetime) -> Iterator[Said]:
    message, result = record.get("message"), record.get("toolUseResult")
    line_id, session = record.get("uuid"), record.get("sessionId")
    if record.get("type") == "assistant" and isinstance(message, dict) and "usage" in message:
        if message.get("model") != "<synthetic>":
            ids = (message.get("id"), record.get("requestId"), line_id)
            ts, agent = _moment(record.get("timestamp"), latest), (session, record.get("agentId"))
            tokens, final = _tokens(message["usage"]), message.get("stop_reason") is not None
            yield Said("reply", *ids, ts, agent, final, tokens)
    elif isinstance(result, dict) and result.get("status") == "completed" and "usage" in result:
        ts, tokens = _moment(record["timestamp"], latest), _tokens(result["usage"])
        yield Said("note", None, None, line_id, ts, (session, result["agentId"]), True, tokens)


def _codex(record: dict, state: dict) -> Iterator[Said]:
    thread = state.setdefault("thread", record["payload"].get("id"))
    info = record["payload"].get("info")
    if info and info["total_token_usage"] != state.get("total"):
        state["total"], last = info["total_token_usage"], info["last_token_usage"]
        ts, read = datetime.fromisoformat(record["timestamp"]), last["cached_input_tokens"]
        tokens = (last["input_tokens"] - read, 0, 0, read, last["output_tokens"])
        yield Said("count", f"{thread} {ts:%F %T.%f}", ts=ts, final=True, tokens=tokens)


def _tokens(usage: dict) -> Tokens:
    def counter(name: str, of: dict = usage) -> int:
        value = 0 if of.get(name) is None else of[name]
        if type(value) is not int or not 0 <= value <= 10**12:
            raise ValueError(name)
        return value

    split = usage.get("cache_creation") or {}
    write_5m, write_1h = (counter(f"ephemeral_{ttl}_input_tokens", split) for ttl in ("5m", "1h"))
    write_5m = max(write_5m, counter("cache_creation_input_tokens") - write_1h)
    read, output = counter("cache_read_input_tokens"), counter("output_tokens")
    own = (counter("input_tokens"), write_5m, write_1h, read, output)
    more = [_tokens(part) for part in usage.get("iterations") or () if part["type"] != "message"]
    return tuple(map(sum, zip(own, *more, strict=True)))


def _moment(timestamp: object, latest: datetime) -> datetime:
    ts = datetime.fromisoformat(str(timestamp))
    if ts.tzinfo is None or not datetime(2023, 1, 1, tzinfo=UTC) <= ts <= latest:
        raise ValueError(timestamp)
    return ts


def _size(tokens: Tokens) -> tuple[int, int]:
    return tokens[4], sum(tokens[:4])


def count(statements: Iterable[Said]) -> dict[str, Billed]:
    """Return each billed request once, by its key."""
    every, original, lines = set(statements), {}, {}
    for one in every:
        if one.message_id and one.request_id and not UUID.fullmatch(one.message_id):
            known = original.get(one.request_id, one.message_id)
            original[one.request_id] = min(known, one.message_id)
    for one in every:
        key = one.message_id
        if key is None or UUID.fullmatch(key):
            key = original.get(one.request_id) or one.request_id or key or one.line_id
        if one.kind in ("reply", "count"):
            lines.setdefault(key, []).append(one)
    billed = {}
    for key, copies in lines.items():
        best = max(copies, key=lambda one: (one.final, *_size(one.tokens)))
        billed[key] = Billed(best.tokens, min(one.ts for one in copies), best.final)
    notes = [one for one in every if one.kind == "note"]
    for note in sorted(notes, key=lambda note: (*_size(note.tokens), note.ts)):
        own = [key for key, copies in lines.items() if copies[0].agent == note.agent]
        earlier = [key for key in own if billed[key].ts <= note.ts]
        last = max(earlier, key=lambda key: billed[key].ts, default=None)
        if last and not any(one.final for one in lines[last]):
            logged = max(_size(one.tokens) for one in lines[last])
            if all(new >= old for new, old in zip(_size(note.tokens), logged, strict=True)):
                billed[last] = Billed(note.tokens, billed[last].ts, True)
    return billed
