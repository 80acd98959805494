"""The slow, obvious counter of Claude Code's requests: the oracle, written from the rules alone."""

import re
from collections import defaultdict, namedtuple

from .reference_lines import DISBELIEF, Billed, counter, moment, reason, records, text

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)

# A reply, a parent's note of how its subagent ended, or a line that is rejected (`id` says why).
Said = namedtuple("Said", "kind id request line of ts final tokens", defaults=[None] * 7)


def said(data, written):
    """Yield what the lines of one transcript say; only replies claim that something was billed."""
    for record in records(data):
        try:
            assert record is not None, "unreadable"
            yield from statements(record, written)
        except DISBELIEF as disbelief:
            if record is None or record.get("type") == "assistant":
                yield Said("rejected", reason(disbelief))


def statements(record, written):
    message, result = record.get("message"), record.get("toolUseResult")
    line, session = text(record, "uuid"), text(record, "sessionId")
    if record.get("type") == "assistant" and isinstance(message, dict):
        if message.get("usage") is not None and message.get("model") != "<synthetic>":
            used, final = tokens(message["usage"]), bool(text(message, "stop_reason"))
            ids, of = (text(message, "id"), text(record, "requestId")), text(record, "agentId")
            yield Said("reply", *ids, line, (session, of), moment(record, written), final, used)
    elif record.get("type") == "user" and isinstance(result, dict):
        used, of = tokens(result.get("usage")), (session, text(result, "agentId"))
        if result.get("status") == "completed" and all(of):
            yield Said("note", None, None, line, of, moment(record, written), True, used)


def tokens(usage):
    fresh, read = counter(usage, "input_tokens"), counter(usage, "cache_read_input_tokens")
    split, parts = usage.get("cache_creation") or {}, usage.get("iterations") or ()
    write_5m, write_1h = (counter(split, f"ephemeral_{ttl}_input_tokens") for ttl in ("5m", "1h"))
    write_5m = max(write_5m, counter(usage, "cache_creation_input_tokens") - write_1h)
    own = fresh, write_5m, write_1h, read, counter(usage, "output_tokens")
    more = [(part.get("type"), tokens(part)) for part in parts]
    compactions = (used for kind, used in more if kind != "message")
    return tuple(map(sum, zip(own, *compactions, strict=True)))


def size(one):
    return one.tokens[4], sum(one.tokens[:4])


def count(statements):
    """Return each billed request of a set of statements once, by its key."""
    replies, notes = ([one for one in statements if one.kind == kind] for kind in ("reply", "note"))
    original, lines, of_agent, billed = {}, defaultdict(list), defaultdict(list), {}
    for one in replies:
        if one.id and one.request and not UUID.fullmatch(one.id):
            original[one.request] = min(one.id, original.get(one.request, one.id))
    for one in replies:
        known = one.id if one.id and not UUID.fullmatch(one.id) else original.get(one.request)
        lines[known or one.request or one.id or one.line].append(one)
    for key, copies in lines.items():
        best = max(copies, key=lambda one: (one.final, *size(one)))
        billed[key] = Billed(best.tokens, min(one.ts for one in copies), best.final)
        of_agent[best.of].append(key)
    for note in sorted(notes, key=lambda note: (*size(note), note.ts)):
        earlier = [key for key in of_agent[note.of] if billed[key].ts <= note.ts]
        last = max(earlier, key=lambda key: billed[key].ts, default=None)
        if last and not any(one.final for one in lines[last]):
            logged = max(map(size, lines[last]))
            if all(new >= old for new, old in zip(size(note), logged, strict=True)):
                billed[last] = Billed(note.tokens, billed[last].ts, True)
    return billed
