"""What the log of ``fleet statusline`` says: quota readings of Claude Code's plans.

How the log is written is said in ``statusline``; which reading is in force, in ``headroom``.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import msgspec
from msgspec import Struct

from fleet_pipeline.transcripts.claude import Rejected
from fleet_pipeline.transcripts.codex_quota import QuotaReading, quantity
from fleet_pipeline.transcripts.lines import digest
from fleet_pipeline.transcripts.reasons import CLOCK_SLACK, OLDEST, Reason

GENERAL_LIMIT: Final = "claude_max"
"""The limit that all models share; a model's own one follows it: ``claude_max_opus``."""

_GENERAL_NAME: Final = "Claude Max"
_WINDOW: Final = re.compile(r"(?P<count>[a-z]+)_(?P<unit>hour|day)(?:_(?P<part>[a-z0-9_]+))?")
_COUNTS: Final = {
    word: count
    for count, word in enumerate(
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"), start=1
    )
} | {"twelve": 12, "fourteen": 14, "thirty": 30}
_MINUTES: Final = {"hour": 60, "day": 1440}


class StatuslineLog(Struct):
    """Readings in the order of the log, and the lines that were not believed."""

    quota: list[QuotaReading] = []
    rejected: list[Rejected] = []


def read_statusline_log(
    lines: Iterable[tuple[int, bytes | memoryview]], *, written: datetime
) -> StatuslineLog:
    """Return what whole lines (offset, bytes) say, in a log last changed at ``written`` (UTC).

    A window whose name does not tell its length is left out: it stays in the log for a later
    version. Never raises for any bytes.
    """
    log = StatuslineLog()
    latest = written + CLOCK_SLACK
    for offset, data in lines:
        read = _readings(data, latest)
        if isinstance(read, list):
            log.quota += read
        else:
            log.rejected.append(Rejected(offset, len(data), read, digest(data)))
    return log


def _readings(data: bytes | memoryview, latest: datetime) -> list[QuotaReading] | Reason:
    try:
        told = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "unreadable"
    if not isinstance(told, dict):
        return "unreadable"
    ts = _moment(told.get("ts"), latest)
    if not isinstance(ts, datetime):
        return ts
    readings = []
    for name, window in told.items():
        if not isinstance(window, dict):
            continue
        used = quantity(window.get("used_percentage"))
        if used is None:
            return "bad_counter"
        if known := _WINDOW.fullmatch(name):
            count, unit, part = known.group("count", "unit", "part")
            if count in _COUNTS:
                readings.append(
                    QuotaReading(
                        ts=ts,
                        limit_id=f"{GENERAL_LIMIT}_{part}" if part else GENERAL_LIMIT,
                        limit_name=f"{_GENERAL_NAME} {_title(part)}" if part else _GENERAL_NAME,
                        window_minutes=_COUNTS[count] * _MINUTES[unit],
                        used_percent=used,
                        resets_at=_reset(window.get("resets_at")),
                        plan_type=None,
                    )
                )
    return readings


def _title(part: str) -> str:
    return part.replace("_", " ").strip().title()


def _moment(value: object, latest: datetime) -> datetime | Reason:
    try:
        ts = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        ts = None
    if ts is None:
        return "timestamp_missing"
    if ts.tzinfo is None:
        return "timestamp_without_zone"
    if ts < OLDEST:
        return "timestamp_too_old"
    return "timestamp_in_future" if ts > latest else ts.astimezone(UTC)


def _reset(value: object) -> datetime | None:
    seconds = quantity(value)
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
