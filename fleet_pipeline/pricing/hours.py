"""Prices that hold at some hours of some days only, in UTC: which of them apply to a minute.

Belongs here: the shape of such a price, what is believed of it, and the parts into which it divides
a day. How a feed words it is known to its adapter in ``feeds``.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

MINUTES_PER_DAY: Final = 24 * 60

_CLOCK: Final = re.compile(r"([01]\d|2[0-4])([0-5]\d)", re.ASCII)
_SLIP: Final = 100
"""By so many times no hour is dearer or cheaper than another: somebody mistook a unit."""


@dataclass(frozen=True, slots=True)
class HourlyPrice:
    """Prices by column that replace others from ``from_minute`` until before ``up_to_minute``.

    Minutes of the UTC day; an end that is not after its start lies beyond midnight. ``weekdays``
    are 1 (Monday) to 7 and those on which a minute itself lies, None for all. Only for requests
    whose full input exceeds ``above_tokens``, where that is not 0. Of several that hold at once the
    last one wins, column by column (OpenRouter's rule).
    """

    from_minute: int
    up_to_minute: int
    prices: tuple[tuple[str, Decimal], ...]
    weekdays: frozenset[int] | None = None
    above_tokens: int = 0

    def holds(self, weekday: int, minute: int) -> bool:
        """Say whether it holds in a minute of a weekday."""
        if self.weekdays is not None and weekday not in self.weekdays:
            return False
        if self.from_minute < self.up_to_minute:
            return self.from_minute <= minute < self.up_to_minute
        return minute >= self.from_minute or minute < self.up_to_minute

    def is_believed(self, usual: Mapping[str, Decimal | None]) -> bool:
        """Say whether each of its prices may stand beside the ``usual`` one of its column.

        What costs something at one hour is neither free at another nor a hundred times as dear.
        """
        for column, price in self.prices:
            base = usual[column]
            strange = base is not None and not base / _SLIP < price < base * _SLIP
            if price < 0 or (strange and price != base):
                return False
        return True


def minute_of_day(clock: object) -> int | None:
    """Return the minute that '16:30', '1630' or 1630 names; None for what is no time of a day."""
    if isinstance(clock, bool) or not isinstance(clock, str | int | Decimal):
        return None
    found = _CLOCK.fullmatch(str(clock).removesuffix(".0").replace(":", "").zfill(4))
    if found is None:
        return None
    minute = int(found[1]) * 60 + int(found[2])
    return minute if minute <= MINUTES_PER_DAY else None


def spans(hours: Iterable[HourlyPrice], day: date) -> list[tuple[int, int]]:
    """Return the parts of a day, first and last minute, within which no hourly price changes."""
    weekday = day.isoweekday()
    starts = {0}
    for one in hours:
        if one.weekdays is None or weekday in one.weekdays:
            starts |= {one.from_minute % MINUTES_PER_DAY, one.up_to_minute % MINUTES_PER_DAY}
    begins = sorted(starts)
    return [
        (begin, end - 1) for begin, end in zip(begins, [*begins[1:], MINUTES_PER_DAY], strict=True)
    ]
