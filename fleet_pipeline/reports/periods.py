"""Days, weeks and months: which of them a moment belongs to.

Days are those of a place: an IANA time zone says where one ends, clock changes included.
"""

import difflib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import polars as pl

from fleet_pipeline.errors import ConfigurationError

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Days:
    """The days of ``zone`` from ``since`` to ``until``, both included; None leaves an end open."""

    zone: str = "UTC"
    since: date | None = None
    until: date | None = None

    def __post_init__(self) -> None:
        """Raise ConfigurationError where there cannot be any such day."""
        if self.since and self.until and self.since > self.until:
            raise ConfigurationError(
                f"--since {self.since} is after --until {self.until}; swap the two"
            )

    def of(self, moments: pl.Expr) -> pl.Expr:
        """Return the day of each moment."""
        return moments.dt.convert_time_zone(self.zone).dt.date()

    def hold(self, moments: pl.Expr) -> pl.Expr:
        """Return whether each moment lies on one of these days."""
        day = self.of(moments)
        return pl.lit(True) & (
            (day >= self.since if self.since else pl.lit(True))
            & (day <= self.until if self.until else pl.lit(True))
        )

    def utc_days(self) -> tuple[date, date]:
        """Return UTC days, the second one excluded, that surely hold all of these."""
        # No zone is more than a day ahead of UTC or behind it.
        return (
            max(self.since, date.min + _DAY) - _DAY if self.since else date.min,
            min(self.until, date.max - 2 * _DAY) + 2 * _DAY if self.until else date.max,
        )


def known_zone(name: str) -> str:
    """Return ``name`` if it is an IANA time zone; raises ConfigurationError with near names."""
    try:
        ZoneInfo(name)
        pl.Series([datetime(2026, 1, 1, tzinfo=UTC)]).dt.convert_time_zone(name)
    except (ZoneInfoNotFoundError, ValueError, OSError, pl.exceptions.PolarsError):
        by_fold = {known.casefold(): known for known in available_timezones()}
        near = difflib.get_close_matches(name.casefold(), by_fold, n=3)
        hint = f"; did you mean {' or '.join(by_fold[fold] for fold in near)}?" if near else ""
        raise ConfigurationError(
            f"--timezone {name}: there is no such time zone{hint or '; name one as Europe/Berlin'}"
        ) from None
    return name


def first_of_week(day: pl.Expr, weekday: str) -> pl.Expr:
    """Return the first day of the week that each day belongs to; weeks begin on ``weekday``."""
    since_first = (day.dt.weekday().cast(pl.Int64) - 1 - WEEKDAYS.index(weekday)) % 7
    return day - pl.duration(days=since_first)
