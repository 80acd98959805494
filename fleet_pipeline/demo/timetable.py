"""When the synthetic fleet works: days, weekdays, one hot week, and the pauses within a day."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate, pairwise
from math import pi, sin
from random import Random

from fleet_pipeline.demo.apportion import apportion

DAYS = 30
WEEK = 7
DAY_MS = 86_400_000

_WEEKDAY_WEIGHTS = (1.16, 1.22, 1.18, 1.12, 1.00, 0.72, 0.60)
_HOT_DAYS = range(14, 14 + WEEK)
_OPENS_MS = 19_800_000  # 05:30 UTC
_CLOSES_MS = 82_800_000  # 23:00 UTC: no request straddles midnight


def first_day(as_of: date) -> date:
    """Return the first of the 30 whole UTC days before `as_of`."""
    return as_of - timedelta(days=DAYS)


def midnight_ms(day: date) -> int:
    """Return 00:00 UTC of a day, in milliseconds since 1970."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def utc_text(at_ms: int) -> str:
    """Write milliseconds since 1970 the way both clients do: 2026-06-16T23:19:00.000Z."""
    moment = datetime.fromtimestamp(at_ms // 1000, UTC).replace(tzinfo=None)
    return f"{moment.isoformat()}.{at_ms % 1000:03d}Z"


def day_weights(rng: Random, as_of: date, *, hot: float) -> list[float]:
    """Return the relative amount of work on each of the 30 days; `hot` multiplies one week."""
    start = first_day(as_of)
    return [
        _WEEKDAY_WEIGHTS[(start + timedelta(days=day)).weekday()]
        * rng.uniform(0.93, 1.07)
        * (hot if day in _HOT_DAYS else 1.0)
        for day in range(DAYS)
    ]


def hot_week_multiplier(daily_tokens: Sequence[int]) -> float:
    """Return the largest seven days in a row, as a multiple of the average seven days."""
    running = [0, *accumulate(daily_tokens)]
    largest = max(running[day + WEEK] - running[day] for day in range(DAYS - WEEK + 1))
    return largest * DAYS / (WEEK * running[-1])


def requests_by_day(
    rng: Random, as_of: date, contexts_by_agent: Sequence[Sequence[int]], hot_week: float
) -> list[list[int]]:
    """Split each agent's requests, in their order, over the days: one list of 30 counts each.

    All agents share the days' weights, with a slow swing of their own. The hot week's weight is
    searched for until the tokens of that week stand to the month's as `hot_week` says.
    """
    merged = sorted(
        (_position(index, len(contexts), agent), agent, tokens)
        for agent, contexts in enumerate(contexts_by_agent)
        for index, tokens in enumerate(contexts)
    )
    running_tokens = [0, *accumulate(tokens for _, _, tokens in merged)]
    base = day_weights(rng, as_of, hot=1.0)

    def edges(hot: float) -> list[int]:
        weights = [weight * (hot if day in _HOT_DAYS else 1.0) for day, weight in enumerate(base)]
        counts = apportion(len(merged), weights, minimum=1 if len(merged) >= DAYS else 0)
        return [0, *accumulate(counts)]

    low, high = 1.0, 4.0
    for _ in range(40):
        hot = (low + high) / 2
        daily = [running_tokens[end] - running_tokens[start] for start, end in pairwise(edges(hot))]
        low, high = (hot, high) if hot_week_multiplier(daily) < hot_week else (low, hot)

    counts = [[0] * DAYS for _ in contexts_by_agent]
    for day, (start, end) in enumerate(pairwise(edges(high))):
        for _, agent, _ in merged[start:end]:
            counts[agent][day] += 1
    return counts


def times_ms(
    rng: Random, pauses_ms: Sequence[float], counts_by_day: Sequence[int], as_of: date
) -> list[int]:
    """Place requests on the clock: their count on each day is given, and the pause before each.

    A day that is too full for its pauses is pressed into the working hours; a day with room to
    spare starts at a random hour. The pause before a day's first request is the night.
    """
    times: list[int] = []
    for day, count in enumerate(counts_by_day):
        if not count:
            continue
        offsets = [0.0, *accumulate(pauses_ms[len(times) + 1 : len(times) + count])]
        hours = _CLOSES_MS - _OPENS_MS
        pressed = min(1.0, hours / offsets[-1]) if offsets[-1] else 1.0
        opens = midnight_ms(first_day(as_of)) + day * DAY_MS + _OPENS_MS
        opens += int(rng.uniform(0, hours - offsets[-1] * pressed))
        times += [opens + int(offset * pressed) for offset in offsets]
    return times


def _position(index: int, count: int, agent: int) -> float:
    """Return where in the month a request falls, with a swing so that agents' days differ."""
    even = (index + 0.5) / count
    return even + 0.015 * sin(2 * pi * (3 * even + agent / 7))
