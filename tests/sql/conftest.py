from collections.abc import Callable
from datetime import UTC, date, datetime

import polars as pl
import pytest

from fleet_pipeline import tables

WINDOW = {"window_start": date(2026, 5, 18), "window_end": date(2026, 6, 17)}
NO_AGENTS = pl.DataFrame(schema={"cwd": pl.String, "agent": pl.String})

TOKENS = (
    "input_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_read_tokens",
    "output_tokens",
    "reasoning_tokens",
)
METADATA = ("agent_id", "turn_id", "entrypoint", "asked_by", "prompt_source", "subagent_depth",
            "tools", "command_heads")  # fmt: skip
TEXTS = ("model", "cwd", "agent_type", "effort", "stop_reason", *METADATA)

Row = dict[str, object]
MakeUsage = Callable[..., pl.DataFrame]
MakeRequests = Callable[..., pl.DataFrame]


def _ledger_row(number: int, given: Row) -> Row:
    return {
        "client": "claude",
        "message_id": f"msg_{number}",
        "request_id": None,
        "session_id": "session",
        "host": "laptop",
        "ts": datetime(2026, 6, 1, 12, tzinfo=UTC),
        **dict.fromkeys(TEXTS),
        "is_subagent": False,
        **dict.fromkeys(TOKENS, 0),
        "output_is_final": True,
        "web_search_requests": 0,
        **given,
    }


@pytest.fixture
def usage() -> MakeUsage:
    """Ledger rows; each argument names only the columns that matter to the test."""

    def make(*rows: Row) -> pl.DataFrame:
        template = _ledger_row(0, {})
        schema: dict[str, pl.DataType | type[pl.DataType]] = {
            name: pl.Int64 if isinstance(value, int) else pl.String
            for name, value in template.items()
        }
        schema |= {"ts": pl.Datetime("us", "UTC")}
        schema |= {"is_subagent": pl.Boolean, "output_is_final": pl.Boolean}
        return pl.DataFrame(
            [_ledger_row(number, row) for number, row in enumerate(rows)], schema=schema
        )

    return make


@pytest.fixture
def requests(usage: MakeUsage) -> MakeRequests:
    """The weekly table `requests` of these ledger rows; a row may name its `agent`."""

    def make(*rows: Row) -> pl.DataFrame:
        ledger = usage(*({"cwd": row.get("agent"), **row, "agent": None} for row in rows))
        names = sorted({str(row["agent"]) for row in rows if "agent" in row})
        agents = pl.DataFrame({"cwd": names, "agent": names}, schema=NO_AGENTS.schema)
        return tables.run("requests", parameters=WINDOW, usage=ledger, agents_by_cwd=agents)

    return make
