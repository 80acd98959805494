"""Which evidence has to be counted together: rows of some days, and what is tied to them elsewhere.

Copies of a request nearly always lie on one day; a subagent that works past midnight, or a fork
written anew, ties rows of several days. Counting a day with everything that is tied to it gives the
same as counting all of history, in the memory of a few days.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from fleet_pipeline.ledger import evidence, ids, store
from fleet_pipeline.ledger.days import day_of

_TIES: Final = ("message_id", "request_id", "agent_id")
"""Ids that make two rows one matter: the same request, or requests of one subagent."""

_COMPACT: Final = evidence.compact(evidence.CLAUDE)

_BYTES_AT_A_TIME: Final = 2**20


class ClaudeEvidence:
    """All Claude evidence of a lake, a few days of it in memory at a time."""

    def __init__(self, lake: Path, changed: set[date]) -> None:
        """Look at which days there are, and which ids occur on more than one of them.

        Only ``changed`` days are read, and those that were never looked at.
        """
        self._paths: defaultdict[date, list[Path]] = defaultdict(list)
        for path in sorted(lake.glob("events/host=*/client=claude/date=*.parquet")):
            self._paths[day_of(path)].append(path)
        self._remembered = lake / "ids.parquet"
        self._days_of_id = self._ids_of_several_days(changed)

    @property
    def days(self) -> set[date]:
        """The days that hold any evidence."""
        return set(self._paths)

    def chunks(self, days: Iterable[date], most_bytes: int) -> Iterator[set[date]]:
        """Give those of ``days`` that hold evidence, in chunks of about ``most_bytes`` on disk."""
        chunk: set[date] = set()
        size = 0
        for day in sorted(self.days.intersection(days)):
            chunk.add(day)
            size += sum(path.stat().st_size for path in self._paths[day])
            if size >= most_bytes:
                yield chunk
                chunk, size = set(), 0
        if chunk:
            yield chunk

    def tied_to(self, days: set[date]) -> pl.DataFrame:
        """Return every row of ``days``, and the rows of other days that are tied to one of them."""
        inside = self._rows(days)
        known, looked_for, outside = self._ids_elsewhere(inside), 0, inside.clear()
        while len(known) > looked_for:
            looked_for = len(known)
            outside = self._rows(self._days_of(known) - days, _has_any(known))
            # Of a day that is not asked for, copies on that same day have to be found as well.
            known |= _ids_of(outside)
        return pl.concat([inside, outside])

    def _ids_elsewhere(self, rows: pl.DataFrame) -> set[int]:
        """Return those ids of ``rows`` that occur on more than one day."""
        if not self._days_of_id:
            return set()
        hashes = _hashes_of(rows)
        return set(hashes.filter(hashes.is_in(_list(self._days_of_id))))

    def _days_of(self, numbers: Iterable[int]) -> set[date]:
        return {day for number in numbers for day in self._days_of_id.get(number, ())}

    def _rows(self, days: Iterable[date], where: pl.Expr | None = None) -> pl.DataFrame:
        paths = [path for day in sorted(days) for path in self._paths[day]]
        return store.read_files(paths, _COMPACT, where)

    def _ids_of_several_days(self, changed: set[date]) -> dict[int, set[date]]:
        # Of a million ids a handful are on two days: next to each other they are cheap to find, and
        # a day that shares its number with the id takes no memory of its own.
        in_order = self._ids_with_their_days(changed)
        found: defaultdict[int, set[date]] = defaultdict(set)
        for start in range(0, in_order.len(), _IDS_AT_A_TIME):
            some = in_order.slice(start, _IDS_AT_A_TIME + 1)  # one more, so that no two are parted
            known = ids.without_day(some)
            for number in some.filter((known == known.shift(1)) | (known == known.shift(-1))):
                found[ids.without_day(number)].add(ids.day_in(number))
        return dict(found)

    def _ids_with_their_days(self, changed: set[date]) -> pl.Series:
        """Give each id once for each day on which it occurs, in order; keep them for next time."""
        in_order = self._ids_in_any_order(changed).sort(in_place=True)
        # What changed is read again until it is counted, so that this may be known before.
        ids.save(self._remembered, in_order)
        return in_order

    def _ids_in_any_order(self, changed: set[date]) -> pl.Series:
        remembered = ids.load(self._remembered)
        known_days = ids.days_in(remembered)
        remembered = ids.except_on(remembered, changed | (known_days - self.days))
        missing = self.days - (known_days - changed)
        news = [self._ids_on(chunk) for chunk in self.chunks(missing, _BYTES_AT_A_TIME)]
        return pl.concat([remembered, *news])

    def _ids_on(self, days: Iterable[date]) -> pl.Series:
        narrow = pl.Schema({name: pl.String() for name in _TIES} | {"ts": evidence.CLAUDE["ts"]})
        rows = store.read_files([path for day in sorted(days) for path in self._paths[day]], narrow)
        return pl.concat([ids.with_their_days(rows[name], rows["ts"]) for name in _TIES]).unique()


_IDS_AT_A_TIME: Final = 2**18


def _hashes_of(rows: pl.DataFrame) -> pl.Series:
    return pl.concat([ids.numbers_of(rows[name].drop_nulls()) for name in _TIES])


def _ids_of(rows: pl.DataFrame) -> set[int]:
    return set(_hashes_of(rows))


def _has_any(known: set[int]) -> pl.Expr:
    return pl.any_horizontal(
        pl.col(name).is_not_null() & ids.numbers_of(pl.col(name)).is_in(_list(known))
        for name in _TIES
    )


def _list(numbers: Iterable[int]) -> pl.Series:
    return pl.Series(list(numbers), dtype=pl.UInt64).implode()
