from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

TOKENS = (
    "input_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_read_tokens",
    "output_tokens",
)

Row = dict[str, object]


def _request(given: Row) -> Row:
    row: Row = {
        "client": "claude",
        "host": "laptop",
        "session_id": "session",
        "agent_id": None,
        "kind": "editing",
        "movable": True,
        "agent": "forge",
        "date": date(2026, 6, 1),
        "ts": None,
        "model": "claude-sonnet-4-6",
        **dict.fromkeys(TOKENS, 0),
        **given,
    }
    midnight = datetime.combine(date.fromisoformat(str(row["date"])), datetime.min.time(), UTC)
    row["ts"] = row["ts"] or midnight + timedelta(seconds=int(str(row.pop("at", 0))))
    return {**row, "full_input_tokens": sum(int(str(row[name])) for name in TOKENS[:4])}


def requests_frame(*rows: Row) -> pl.DataFrame:
    """Marked rows of the weekly table `requests`, as far as costs read them.

    Each is a turn of its own; `at` is seconds of a day.
    """
    made = [_request(row) for row in rows]
    for place, row in enumerate(made):
        row.setdefault("turn", place)
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        **dict.fromkeys(
            ("client", "host", "session_id", "agent_id", "agent", "model", "kind"), pl.String
        ),
        "date": pl.Date,
        "ts": pl.Datetime("us", "UTC"),
        "turn": pl.Int64,
        "movable": pl.Boolean,
        **dict.fromkeys([*TOKENS, "full_input_tokens"], pl.Int64),
    }
    return pl.DataFrame(made, schema=schema)


@pytest.fixture(scope="session")
def requests() -> Callable[..., pl.DataFrame]:
    return requests_frame
