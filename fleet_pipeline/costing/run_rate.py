"""From covered days to a month: the run rate, and the hot week.

Belongs here: when a monthly figure may be spoken of at all, and how it is scaled.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

MONTH_DAYS = 30
FEWEST_DAYS_FOR_A_MONTH = 14
_WEEK_DAYS = 7


@dataclass(frozen=True, slots=True)
class HotWeek:
    """Seven covered days in a row, ``start`` to ``end`` (exclusive), and their full input."""

    start: date
    end: date
    full_input_tokens: int

    @property
    def monthly_factor(self) -> Fraction:
        """What turns the week into a month of such weeks."""
        return Fraction(MONTH_DAYS, _WEEK_DAYS)


def monthly_factor(days_covered: int) -> Fraction | None:
    """Return what turns the covered days' totals into a month, or None below 14 covered days."""
    if days_covered < FEWEST_DAYS_FOR_A_MONTH:
        return None
    return Fraction(MONTH_DAYS, days_covered)


def hot_week(full_input_by_day: Mapping[date, int]) -> HotWeek | None:
    """Return the seven consecutive UTC days with the largest full input; the earliest of equals.

    A key is a covered day. None where no seven covered days follow one another. The maximum of
    rolling weeks lies above a month's mean even in a steady fleet: it is a bound, not a forecast.
    """
    weeks = []
    for start in sorted(full_input_by_day):
        days = [start + timedelta(days=offset) for offset in range(_WEEK_DAYS)]
        if all(day in full_input_by_day for day in days):
            tokens = sum(full_input_by_day[day] for day in days)
            weeks.append(HotWeek(start, start + timedelta(days=_WEEK_DAYS), tokens))
    return max(weeks, key=lambda week: week.full_input_tokens, default=None)
