"""Why a line is not believed: the closed set of names, and the limits behind them."""

from datetime import UTC, datetime, timedelta
from typing import Final, Literal

Reason = Literal[
    "unreadable",
    "too_long",
    "bad_counter",
    "timestamp_missing",
    "timestamp_without_zone",
    "timestamp_too_old",
    "timestamp_in_future",
]

MOST_TOKENS: Final = 10**12
"""No request moves more tokens than this; a larger counter is a fault of the log."""

OLDEST: Final = datetime(2023, 1, 1, tzinfo=UTC)
"""No coding agent wrote transcripts before this day."""

CLOCK_SLACK: Final = timedelta(days=1)
"""How far a timestamp may lie behind the file's own modification time: clocks drift, not more."""
