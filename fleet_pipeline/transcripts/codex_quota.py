"""The quota windows that Codex writes beside its token counts. Which is in force: ``headroom``.

Windows are named by limit and length, never by slot: newer servers leave ``primary`` out or put
another length there. Old clients name no limit (it is ``codex``) and give the seconds that are left
instead of the moment of the reset.
"""

import math
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct

from fleet_pipeline.transcripts.codex_lines import text, whole_number

GENERAL_LIMIT = "codex"


class QuotaReading(Struct, frozen=True):
    """How full one quota window was at ``ts`` (UTC); ``used_percent`` of 100, length in minutes."""

    ts: datetime
    limit_id: str
    limit_name: str | None
    window_minutes: int
    used_percent: float
    resets_at: datetime | None
    plan_type: str | None

    def repeats(self, earlier: "QuotaReading | None") -> bool:
        """Say whether this tells nothing that ``earlier`` did not tell in the same minute."""
        return (
            earlier is not None
            and msgspec.structs.replace(earlier, ts=self.ts) == self
            and earlier.ts.replace(second=0, microsecond=0)
            == self.ts.replace(second=0, microsecond=0)
        )


class _Window(Struct):
    used_percent: object = None
    window_minutes: object = None
    resets_at: object = None
    resets_in_seconds: object = None


class _Limits(Struct):
    limit_id: object = None
    limit_name: object = None
    plan_type: object = None
    primary: _Window | None = None
    secondary: _Window | None = None


_limits = msgspec.json.Decoder(_Limits | None)


def quota_readings(rate_limits: msgspec.Raw, ts: datetime) -> list[QuotaReading]:
    """Return the readings of one snapshot; none where it is empty or makes no sense."""
    try:
        limits = _limits.decode(rate_limits)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    if limits is None:
        return []
    readings = []
    for window in (limits.primary, limits.secondary):
        minutes = whole_number(window.window_minutes) if window else None
        used = quantity(window.used_percent) if window else None
        if window is None or used is None or minutes is None or not 0 < minutes <= 2**31:
            continue
        readings.append(
            QuotaReading(
                ts=ts,
                limit_id=text(limits.limit_id) or GENERAL_LIMIT,
                limit_name=text(limits.limit_name),
                window_minutes=minutes,
                used_percent=used,
                resets_at=_reset(window, ts),
                plan_type=text(limits.plan_type),
            )
        )
    return readings


def _reset(window: _Window, ts: datetime) -> datetime | None:
    try:
        if (at := quantity(window.resets_at)) is not None:
            return datetime.fromtimestamp(at, UTC)
        if (left := quantity(window.resets_in_seconds)) is not None:
            return ts + timedelta(seconds=left)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def quantity(value: object) -> float | None:
    """Return what a client wrote as an amount; None where it is no finite number from 0 on."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
