"""When each probe is due: a fixed timetable for each week, spread over its days.

Pure; the same week always has the same timetable, in whatever order it is carried out. Belongs
here: what is due. How much of it a free tier can bear is asked here too, sending is in ``running``.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import polars as pl

from fleet_pipeline.probes.items import ProbeItem
from fleet_pipeline.probes.results import UNAVAILABLE
from fleet_pipeline.weeks import latest_close

_DAYS: Final = 7
_RESTING: Final = 3
"""One in so many items that are no anchors rests each week, another third each time: what models
may have learnt by heart shows beside what they were not asked for a while."""
_PART_OF_A_QUOTA: Final = 2
"""Probes take at most one in so many requests of a free tier's day; work gets the rest."""


@dataclass(frozen=True, slots=True)
class Due:
    """One asking: which item, of which model, on which UTC day at the earliest."""

    day: date
    model: str
    item: ProbeItem
    repeat: int


def timetable(items: Sequence[ProbeItem], models: Sequence[str], on: date) -> list[Due]:
    """Return all askings of the week (Wednesday to Tuesday) that ``on`` is in, by day.

    Anchors are asked twice, four days apart; the others once, two thirds of them each week. Every
    model is asked the same items, each on a day of its own: which, a hash of the names says.
    """
    first = latest_close(on)
    week = first.toordinal() // _DAYS
    planned = [
        Due(first + timedelta(days=day), model, item, repeat)
        for model in models
        for item in items
        for repeat, day in _days(item, model, week)
    ]
    return sorted(planned, key=lambda due: (due.day, _number(due.item.id, due.model, str(week))))


def _days(item: ProbeItem, model: str, week: int) -> list[tuple[int, int]]:
    number = _number(item.id, model, str(week))
    if item.is_anchor:
        return [(1, number % 3), (2, number % 3 + 4)]
    rests = (_number(item.id) + week) % _RESTING == 0
    return [] if rests else [(1, number % _DAYS)]


def _number(*names: str) -> int:
    return int.from_bytes(hashlib.sha256("\n".join(names).encode()).digest()[:8])


def still_due(planned: Sequence[Due], results: pl.DataFrame, today: date) -> list[Due]:
    """Return what was planned by ``today`` and has no graded answer yet.

    What a provider could not answer stays due until the week is over.
    """
    graded = results.filter(pl.col("outcome") != UNAVAILABLE)
    done = set(graded.select("due_on", "model", "item_id", "item_version", "repeat").iter_rows())
    return [
        due
        for due in planned
        if due.day <= today
        and (due.day, due.model, due.item.id, due.item.version, due.repeat) not in done
    ]


def within_quotas(
    due: Sequence[Due],
    allowance_of: Mapping[str, str],
    requests_per_day: Mapping[str, int | None],
    used_today: Mapping[str, int],
) -> list[Due]:
    """Return as many askings as half of each allowance's day still bears, in order.

    ``allowance_of`` gives a model's allowance; one whose day has no limit bears everything. An
    asking is reckoned as one request: the packets' own ledger holds the hard limit.
    """
    sent = dict(used_today)
    borne: list[Due] = []
    for each in due:
        allowance = allowance_of[each.model]
        limit = requests_per_day.get(allowance)
        if limit is None or sent.get(allowance, 0) < limit // _PART_OF_A_QUOTA:
            borne.append(each)
            sent[allowance] = sent.get(allowance, 0) + 1
    return borne
