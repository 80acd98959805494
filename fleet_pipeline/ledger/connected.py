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

from fleet_pipeline.ledger import evidence, store
from fleet_pipeline.ledger.days import day_of

_TIES: Final = ("message_id", "request_id", "agent_id")
"""Ids that make two rows one matter: the same request, or requests of one subagent."""

_COMPACT: Final = evidence.compact(evidence.CLAUDE)

_BYTES_AT_A_TIME: Final = 2**20


class ClaudeEvidence:
    """All Claude evidence of a lake, a few days of it in memory at a time."""

    def __init__(self, events: Path) -> None:
        """Look at which days there are, and which ids occur on more than one of them."""
        self._paths: defaultdict[date, list[Path]] = defaultdict(list)
        for path in sorted(events.glob("host=*/client=claude/date=*.parquet")):
            self._paths[day_of(path)].append(path)
        self._days_of_id = self._ids_of_several_days()

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
        known = self._ids_elsewhere(inside)
        outside: dict[date, pl.DataFrame] = {}
        waiting = self._days_of(known) - days
        while waiting:
            day = waiting.pop()
            there = self._rows({day})
            outside[day] = there.filter(_has_any(known))
            # Of a day that is not asked for, copies on that same day have to be found as well.
            while news := _ids_of(outside[day]) - known:
                known |= news
                waiting |= self._days_of(news) - days - {day}
                outside[day] = there.filter(_has_any(known))
        return pl.concat([inside, *(outside[day] for day in sorted(outside))])

    def _ids_elsewhere(self, rows: pl.DataFrame) -> set[int]:
        """Return those ids of ``rows`` that occur on more than one day."""
        if not self._days_of_id:
            return set()
        hashes = _hashes_of(rows)
        return set(hashes.filter(hashes.is_in(_list(self._days_of_id))))

    def _days_of(self, ids: Iterable[int]) -> set[date]:
        return {day for known in ids for day in self._days_of_id.get(known, ())}

    def _rows(self, days: Iterable[date]) -> pl.DataFrame:
        paths = [path for day in sorted(days) for path in self._paths[day]]
        return store.read_files(paths, _COMPACT)

    def _ids_of_several_days(self) -> dict[int, list[date]]:
        # Of a million ids a handful are on two days: next to each other they are cheap to find, and
        # looking a second time for their days takes less memory than to keep the day of each.
        in_order = pl.concat([_NONE, *(part["id"] for part in self._ids())]).sort()
        several = in_order.filter(in_order == in_order.shift(1)).implode()
        parts = [part.filter(pl.col("id").is_in(several)) for part in self._ids()]
        return dict(pl.concat(parts).group_by("id").agg("day").iter_rows()) if parts else {}

    def _ids(self) -> Iterator[pl.DataFrame]:
        """Give each hashed id once for each day on which it occurs, some days at a time."""
        for chunk in self.chunks(self.days, _BYTES_AT_A_TIME):
            yield _ids_and_days([path for day in sorted(chunk) for path in self._paths[day]])


_NONE: Final = pl.Series("id", [], pl.UInt64)


def _ids_and_days(paths: list[Path]) -> pl.DataFrame:
    """Return each hashed id once for each day on which it occurs."""
    narrow = pl.Schema({name: pl.String() for name in _TIES} | {"ts": evidence.CLAUDE["ts"]})
    rows = store.read_files(paths, narrow).lazy()
    day = pl.col("ts").dt.date().alias("day")
    of_each = [rows.filter(pl.col(name).is_not_null()) for name in _TIES]
    ids = [
        part.select(day, id=pl.col(name).hash()) for name, part in zip(_TIES, of_each, strict=True)
    ]
    return pl.concat(ids).unique().collect()


def _hashes_of(rows: pl.DataFrame) -> pl.Series:
    return pl.concat([rows[name].drop_nulls().hash() for name in _TIES])


def _ids_of(rows: pl.DataFrame) -> set[int]:
    return set(_hashes_of(rows))


def _has_any(ids: set[int]) -> pl.Expr:
    return pl.any_horizontal(
        pl.col(name).is_not_null() & pl.col(name).hash().is_in(_list(ids)) for name in _TIES
    )


def _list(ids: Iterable[int]) -> pl.Series:
    return pl.Series(list(ids), dtype=pl.UInt64).implode()
