"""Ids as numbers, each with a day on which it occurs, kept in one file beside the evidence.

Made of the evidence alone: without the file, or where its numbers are another machine's, all of
history is read for them once.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Final, TypeVar

import polars as pl

from fleet_pipeline.errors import SourceError
from fleet_pipeline.ledger import store

_Texts = TypeVar("_Texts", pl.Series, pl.Expr)
_Numbers = TypeVar("_Numbers", int, pl.Series, pl.Expr)

_DAYS: Final = 2**16
"""Numbers that the low end of an id leaves to its day: enough until the year 2149."""
_FIRST_DAY: Final = date(1970, 1, 1)


def numbers_of(texts: _Texts) -> _Texts:
    """Return a number that stands for each text, with room for a day at its low end."""
    return without_day(texts.hash())


def with_their_days(ids: pl.Series, moments: pl.Series) -> pl.Series:
    """Return each text's number with its day (UTC), without those that are null."""
    days = moments.dt.date().cast(pl.Int32).cast(pl.UInt64)
    is_known = ids.is_not_null()
    return numbers_of(ids.filter(is_known)) + days.filter(is_known)


def without_day(numbers: _Numbers) -> _Numbers:
    """Return the ids alone: the room for the day is empty."""
    return numbers // _DAYS * _DAYS


def day_in(number: int) -> date:
    """Return the day of a number."""
    return _FIRST_DAY + timedelta(number % _DAYS)


def days_in(numbers: pl.Series) -> set[date]:
    """Return all days of ``numbers``."""
    return {day_in(number) for number in (numbers % _DAYS).unique()}


def except_on(numbers: pl.Series, days: Iterable[date]) -> pl.Series:
    """Return ``numbers`` without those of some days."""
    gone = pl.Series([(day - _FIRST_DAY).days for day in days], dtype=pl.UInt64)
    return numbers.filter(~(numbers % _DAYS).is_in(gone.implode()))


def load(path: Path) -> pl.Series:
    """Return the numbers that ``path`` holds; none if they cannot be relied on."""
    try:
        table = store.read_table(path)
    except (OSError, SourceError):
        return _NONE
    return table.to_series() if table.schema == _schema() else _NONE


def save(path: Path, numbers: pl.Series) -> None:
    """Keep ``numbers`` for next time, if they changed; raises OSError where the disk refuses."""
    # Hashes would not get smaller.
    store.write_frame(path, pl.DataFrame([numbers], schema=_schema()), compression="uncompressed")


def _schema() -> pl.Schema:
    """Return the file's one column, whose name shows how texts become numbers.

    That differs between versions of Polars, and may between machines.
    """
    [probe] = pl.Series(["msg_01XFDUDYJgAACzvnptvVoYEL"]).hash()
    return pl.Schema({f"id_and_day_{probe:x}": pl.UInt64()})


_NONE: Final = pl.Series("id_and_day", [], pl.UInt64)
