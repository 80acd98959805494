"""The slow, obvious counter of Claude Code's requests: the oracle, written from the rules alone."""

import json
import re
from collections import defaultdict, namedtuple
from datetime import UTC, datetime, timedelta

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
# A reply, a parent's note of how its subagent ended, or a line that is rejected (`id` says why).
Said = namedtuple("Said", "kind id request line of ts final tokens", defaults=[None] * 7)
Billed = namedtuple("Billed", "tokens ts final")  # fresh, write 5m, write 1h, cache read, output


def records(data):
    """Yield what is in each whole line of a transcript, None where it is no JSON object."""
    for line in filter(bytes.strip, data.removeprefix(b"\xef\xbb\xbf").split(b"\n")[:-1]):
        try:
            text, digits = line.decode("utf-8", "surrogateescape"), lambda text: int(text[:20])
            record = json.loads(text, strict=False, parse_constant=int, parse_int=digits)
            yield record if isinstance(record, dict) else None
        except (ValueError, RecursionError):
            yield None


def said(data, written):
    """Yield what the lines of one transcript say."""
    for record in records(data):
        try:
            assert record is not None, "unreadable"
            yield from statements(record, written)
        except AssertionError as reason:
            yield Said("rejected", str(reason))


def statements(record, written):
    message, result, session = map(record.get, ("message", "toolUseResult", "sessionId"))
    if record.get("type") == "assistant" and isinstance(message, dict):
        if message.get("usage") is not None and message.get("model") != "<synthetic>":
            used, final = tokens(message["usage"]), message.get("stop_reason") is not None
            ids = message.get("id"), record.get("requestId"), record.get("uuid")
            of, ts = (session, record.get("agentId")), moment(record, written)
            yield Said("reply", *ids, of, ts, final, used)
    elif isinstance(result, dict) and result.get("status") == "completed" and "usage" in result:
        of, ts = (session, result.get("agentId")), moment(record, written)
        yield Said("note", record.get("uuid"), None, None, of, ts, True, tokens(result["usage"]))


def tokens(usage):
    split, parts = usage.get("cache_creation") or {}, usage.get("iterations") or ()
    write_5m, write_1h = (counter(split, f"ephemeral_{ttl}_input_tokens") for ttl in ("5m", "1h"))
    write_5m = max(write_5m, counter(usage, "cache_creation_input_tokens") - write_1h)
    fresh, read = counter(usage, "input_tokens"), counter(usage, "cache_read_input_tokens")
    own = fresh, write_5m, write_1h, read, counter(usage, "output_tokens")
    compactions = (tokens(part) for part in parts if part["type"] != "message")
    return tuple(map(sum, zip(own, *compactions, strict=True)))


def counter(usage, name):
    value = 0 if usage.get(name) is None else usage[name]
    assert type(value) is int and 0 <= value <= 10**12, "bad_counter"
    return value


def moment(record, written):
    try:
        ts = datetime.fromisoformat(record.get("timestamp"))
    except (TypeError, ValueError):
        raise AssertionError("timestamp_missing") from None
    assert ts.tzinfo, "timestamp_without_zone"
    assert ts >= datetime(2023, 1, 1, tzinfo=UTC), "timestamp_too_old"
    assert ts <= written + timedelta(days=1), "timestamp_in_future"
    return ts


def count(statements):
    """Return each billed request of a set of statements once, by its key."""
    replies, notes = ([one for one in statements if one.kind == kind] for kind in ("reply", "note"))
    original, lines, billed = {}, defaultdict(list), {}
    for one in replies:
        if one.id and one.request and not UUID.fullmatch(one.id):
            original[one.request] = min(one.id, original.get(one.request, one.id))
    for one in replies:
        known = one.id if one.id and not UUID.fullmatch(one.id) else original.get(one.request)
        lines[known or one.request or one.id or one.line].append(one)
    for key, copies in lines.items():
        best = max(copies, key=lambda one: (one.final, *size(one)))
        billed[key] = Billed(best.tokens, min(one.ts for one in copies), best.final)
    for note in sorted(notes, key=lambda note: (*size(note), note.ts)):
        earlier = [k for k in lines if lines[k][0].of == note.of and billed[k].ts <= note.ts]
        last = max(earlier, key=lambda key: billed[key].ts, default=None)
        if last and not any(one.final for one in lines[last]):
            logged = max(map(size, lines[last]))
            if all(new >= old for new, old in zip(size(note), logged, strict=True)):
                billed[last] = Billed(note.tokens, billed[last].ts, True)
    return billed


def size(one):
    return one.tokens[4], sum(one.tokens[:4])
