"""The slow, obvious counter of Codex's requests: an oracle, written from the rules alone."""

from collections import defaultdict, namedtuple
from itertools import takewhile

from .reference_lines import DISBELIEF, Billed, counter, moment, reason, records

NAMES = (
    "input_tokens",
    "cached_input_tokens",
    "cache_write_input_tokens",
    "output_tokens",
    "reasoning_output_tokens",
    "total_tokens",
)

# A count (of which `total` is the thread's use so far), a record, or a line that is rejected.
Said = namedtuple("Said", "kind id thread parent ts tokens total", defaults=[None] * 6)


def said(data, written):
    """Yield what the whole lines of one rollout say; the first one says whose they are."""
    thread, told, in_review = None, None, False
    for record in records(data):
        try:
            assert record is not None, "unreadable"
            payload = record.get("payload") or {}
            kind = payload.get("type") if record.get("type") == "event_msg" else record.get("type")
            thread = thread or (payload.get("id"), payload.get("forked_from_id"))
            if kind in ("entered_review_mode", "exited_review_mode"):
                in_review = kind == "entered_review_mode"  # the review has a rollout of its own
            elif kind == "token_usage_record":
                used, ts = tokens(payload.get("usage")), moment(record, written)
                yield Said("record", payload.get("response_id"), *thread, ts, used, ())
            elif kind == "token_count" and (info := payload.get("info")) is not None:
                total = [counter(info.get("total_token_usage"), name) for name in NAMES]
                used, ts = tokens(info.get("last_token_usage")), moment(record, written)
                if total != told and not in_review:
                    told = total
                    key = f"{thread[0]} {ts:%F %T.%f}"
                    yield Said("count", key, *thread, ts, used, tuple(total))
        except DISBELIEF as disbelief:
            yield Said("rejected", reason(disbelief))


def tokens(usage):
    full_input, read, write, output, *_ = (counter(usage, name) for name in NAMES)
    assert read + write <= full_input, "bad_counter"
    return full_input - read - write, write, 0, read, output


def count(statements):
    """Return each billed request of a set of statements once, by its id or thread and moment."""
    every = {one for one in statements if one.kind != "rejected"}
    recorded = {one.thread for one in every if one.kind == "record"}
    billed = {one.id: one for one in every if one.kind == "record"}
    threads = defaultdict(list)
    for one in sorted(every, key=lambda one: (one.ts, one.total)):
        threads[one.thread].append(one)
    for thread, own in threads.items():
        pairs = zip(own, threads.get(own[0].parent, ()), strict=False)
        copied = sum(1 for _ in takewhile(lambda pair: pair[0][-2:] == pair[1][-2:], pairs))
        if thread not in recorded:
            billed |= {one.id: one for one in own[copied:] if any(one.tokens)}
    return {key: Billed(one.tokens, one.ts, True) for key, one in billed.items()}
