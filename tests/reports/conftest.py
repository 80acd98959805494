from collections.abc import Callable
from datetime import UTC, datetime

import polars as pl
import pytest

from fleet_pipeline.ledger.columns import USAGE

Ledger = Callable[..., pl.DataFrame]


def at(text: str) -> datetime:
    """Return the UTC time that ``text`` names: `2026-06-10 10:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _request(place: int, given: dict[str, object]) -> dict[str, object]:
    ts = given.pop("ts", "2026-06-10 10:00")
    return {
        **dict.fromkeys(USAGE),
        "client": "claude",
        "message_id": f"msg_{place}",
        "session_id": "session",
        "host": "local",
        "model": "claude-sonnet-4-6",
        "is_subagent": False,
        **{name: 0 for name in USAGE if name.endswith("_tokens")},
        "input_tokens": 1,
        "output_is_final": True,
        "web_search_requests": 0,
        **given,
        "ts": at(ts) if isinstance(ts, str) else ts,
    }


@pytest.fixture
def ledger() -> Ledger:
    """Rows of the ledger: one for each dict, which says what matters in the test."""

    def make(*rows: dict[str, object]) -> pl.DataFrame:
        made = [_request(place, dict(row)) for place, row in enumerate(rows)]
        return pl.DataFrame(made, schema=USAGE, orient="row").sort("ts")

    return make
