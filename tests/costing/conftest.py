from collections.abc import Callable
from datetime import date

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
        "date": date(2026, 6, 1),
        "model": "claude-sonnet-4-6",
        **dict.fromkeys(TOKENS, 0),
        **given,
    }
    return {**row, "full_input_tokens": sum(int(str(row[name])) for name in TOKENS[:4])}


@pytest.fixture
def requests() -> Callable[..., pl.DataFrame]:
    """Rows of the weekly table `requests`: the columns that costs read."""

    def make(*rows: Row) -> pl.DataFrame:
        schema: dict[str, pl.DataType | type[pl.DataType]] = {
            "client": pl.String,
            "date": pl.Date,
            "model": pl.String,
            **dict.fromkeys([*TOKENS, "full_input_tokens"], pl.Int64),
        }
        return pl.DataFrame([_request(row) for row in rows], schema=schema)

    return make
