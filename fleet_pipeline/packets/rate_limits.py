"""What a provider's headers tell of an allowance: how much is left of it, and until when. Pure.

Read are ``x-ratelimit-*`` as OpenAI, Groq, Cerebras and OpenRouter send them, Mistral's
``ratelimitbysize-*`` and the IETF draft's ``ratelimit-*``. A header that says nothing a meter could
say is no reading: the home's own count then stands.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, cast

from fleet_pipeline.org.lanes import LaneLimits

Unit = Literal["requests", "tokens"]
Part = Literal["limit", "remaining", "reset"]

LONGEST: Final = timedelta(days=32)
"""No allowance begins anew later than that: such a reset is no time at all."""

_NAME: Final = re.compile(
    r"(?:x-)?ratelimit(?P<by_size>bysize)?-(?P<part>limit|remaining|reset)"
    r"(?:-(?P<unit>requests|tokens))?(?:-(?P<per>minute|hour|day|month))?"
)
_DURATION: Final = re.compile(
    r"(?:(?P<days>\d+)d)?(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m(?!s))?"
    r"(?:(?P<seconds>\d+(?:\.\d+)?)s)?(?:(?P<milliseconds>\d+(?:\.\d+)?)ms)?",
    re.ASCII,
)
_NUMBER: Final = re.compile(r"\d{1,16}(?:\.\d{1,9})?", re.ASCII)
_MOST: Final = 10**12
_LONGEST_DAY: Final = timedelta(hours=25)
_ANOTHER_SIZE: Final = 20
"""By what factor a limit may have been raised since somebody wrote it down."""
_EPOCH_SECONDS: Final = 10**9
_EPOCH_MILLISECONDS: Final = 10**12


@dataclass(frozen=True, slots=True)
class ToldLimit:
    """What is left of one allowance; ``resets`` is a time, or a while from when it was told.

    ``per`` is the length that the header itself names, None where it names none.
    """

    unit: Unit
    per: str | None
    remaining: int
    limit: int | None = None
    resets: datetime | timedelta | None = None

    def resets_at(self, told_at: datetime) -> datetime | None:
        """Return when the allowance begins anew; None where that is unknown or cannot be."""
        at = told_at + self.resets if isinstance(self.resets, timedelta) else self.resets
        return at if at is not None and told_at <= at <= told_at + LONGEST else None


def told_limits(headers: Mapping[str, str]) -> tuple[ToldLimit, ...]:
    """Return each allowance of which the headers tell what is left, in order of unit and length."""
    found: dict[tuple[Unit, str | None], dict[Part, str]] = {}
    for name, value in headers.items():
        if named := _NAME.fullmatch(name.lower()):
            unit = "tokens" if named["by_size"] else named["unit"] or "requests"
            parts = found.setdefault((cast(Unit, unit), named["per"]), {})
            parts.setdefault(cast(Part, named["part"]), value.strip())
    told = []
    for (unit, per), parts in sorted(
        found.items(), key=lambda item: (item[0][0], item[0][1] or "")
    ):
        limit, remaining = _count(parts.get("limit")), _count(parts.get("remaining"))
        # Mistral names the length beside the amounts and not beside the reset.
        reset = parts.get("reset") or found.get((unit, None), {}).get("reset")
        if remaining is not None and (limit is None or remaining <= limit):
            told.append(ToldLimit(unit, per, remaining, limit, _reset(reset)))
    return tuple(told)


def is_of_a_day(told: ToldLimit, told_at: datetime, limits: LaneLimits) -> bool:
    """Say whether a reading is about a day's requests.

    By the length that the header names; else by a reset that lies hours off; else by the nearest
    of the lane's own limits, where one is of that size at all.
    """
    if told.unit != "requests":
        return False
    if told.per is not None:
        return told.per == "day"
    resets = told.resets_at(told_at)
    if resets is not None and resets - told_at > timedelta(hours=1):
        return resets - told_at <= _LONGEST_DAY
    day, minute = limits.requests_per_day, limits.requests_per_minute
    if told.limit is None or day is None:
        return day is not None and minute is None
    misses = {name: _times(told.limit, size) for name, size in (("day", day), ("minute", minute))}
    return misses["day"] <= min(misses["minute"], _ANOTHER_SIZE)


def _times(one: int, other: int | None) -> float:
    """Return by what factor two sizes differ; without end where one is not known, or is 0."""
    return max(one, other) / min(one, other) if one and other else math.inf


def _count(told: str | None) -> int | None:
    """Return a whole number that a meter can show; a minus, sent for "no limit", is none."""
    if told is None or not _NUMBER.fullmatch(told):
        return None
    amount = float(told)
    return int(amount) if amount <= _MOST and amount == int(amount) else None


def _reset(told: str | None) -> datetime | timedelta | None:
    """Return when an allowance begins anew, in any of the ways in which providers say so.

    Seconds from now (``7.66``), a duration (``2m59.56s``, ``120ms``, ``1d2h``), a time as seconds
    or milliseconds since 1970, or in ISO 8601 with its zone.
    """
    if not told:
        return None
    if _NUMBER.fullmatch(told):
        number = float(told)
        if number < _EPOCH_SECONDS:
            return timedelta(seconds=number)
        seconds = number if number < _EPOCH_MILLISECONDS else number / 1000
        return datetime.fromtimestamp(seconds, UTC) if seconds < 10**11 else None
    if len(told) < 40 and (duration := _DURATION.fullmatch(told)):
        parts = {name: float(value) for name, value in duration.groupdict().items() if value}
        try:
            lasts = timedelta(**parts)
        except OverflowError:
            return None
        return lasts if lasts <= LONGEST else None
    try:
        moment = datetime.fromisoformat(told)
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # the second at either end of the calendar
        return None
