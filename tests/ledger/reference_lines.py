"""What the slow, obvious counters of both clients take from a line; standard library only."""

import json
from collections import namedtuple
from datetime import UTC, datetime, timedelta

Billed = namedtuple("Billed", "tokens ts final")
"""Fresh input, cache write 5m and 1h, cache read and output of a request; when; whether final."""

DISBELIEF = (AssertionError, AttributeError, TypeError)
"""Raised by a line that says why it cannot be believed, or whose counters have another shape."""


def records(data):
    """Yield what is in each whole line of a transcript, None where it is no JSON object."""
    for line in filter(bytes.strip, data.removeprefix(b"\xef\xbb\xbf").split(b"\n")[:-1]):
        try:
            text, digits = line.decode("utf-8", "replace"), lambda digits: int(digits[:20])
            record = json.loads(text, strict=False, parse_constant=int, parse_int=digits)
            yield record if isinstance(record, dict) else None
        except (ValueError, RecursionError):
            yield None


def text(record, name):
    return record[name] if isinstance(record.get(name), str) else None


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


def reason(disbelief):
    return str(disbelief) if isinstance(disbelief, AssertionError) else "bad_counter"
