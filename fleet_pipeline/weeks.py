"""The weeks of the product: Wednesday 00:00 UTC to Wednesday 00:00 UTC, named by their close."""

from datetime import date, timedelta
from typing import Final, TypedDict

from fleet_pipeline.errors import ConfigurationError

FIRST_CLOSE: Final = date(2025, 1, 8)
"""The first week that can be published closes here."""

WINDOW: Final = timedelta(days=30)
_WEEK: Final = timedelta(days=7)
_WEDNESDAY: Final = 2


class Outcome(TypedDict):
    """What became of a week: where its page is, or why there is none."""

    as_of: str
    published: bool
    page: str | None
    ranking: str | None
    run_id: str
    warnings: list[str]
    refusals: list[str]


def latest_close(today: date) -> date:
    """Return the latest Wednesday that has begun by ``today`` (UTC): the close of a whole week."""
    return today - timedelta(days=(today.weekday() - _WEDNESDAY) % 7)


def closing(text: str | None, today: date) -> date:
    """Return the close that an operator asked for, the latest one if none.

    Raises ConfigurationError for anything but a Wednesday of a week that is over.
    """
    latest = latest_close(today)
    if text is None:
        return latest
    try:
        asked = date.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"--as-of {text}: write a date such as {latest}") from None
    if asked > latest:
        raise ConfigurationError(f"--as-of {asked}: that week is not over; the latest is {latest}")
    if asked < FIRST_CLOSE:
        raise ConfigurationError(f"--as-of {asked}: weeks begin to close at {FIRST_CLOSE}")
    if asked.weekday() != _WEDNESDAY:
        before = latest_close(asked)
        raise ConfigurationError(
            f"--as-of {asked} is a {asked:%A}; weeks close on Wednesdays:"
            f" use {before}{f' or {before + _WEEK}' if before + _WEEK <= latest else ''}"
        )
    return asked


def opening(close: date) -> date:
    """Return the Wednesday on which the week that closes at ``close`` began."""
    return close - _WEEK


def window(close: date) -> tuple[date, date]:
    """Return the first day of the 30 whole UTC days before ``close``, and ``close`` itself."""
    return close - WINDOW, close
