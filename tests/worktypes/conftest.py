"""Requests of invented turns, written as short as a person would note them down."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from fleet_pipeline.org import Org, load

ROOT = Path(__file__).parents[2]
START = datetime(2026, 6, 1, 9, tzinfo=UTC)
ASKED_BY = {"peer", "coordinator", "task-notification", "human"}

SCHEMA = pl.Schema(
    {
        "client": pl.String(),
        "host": pl.String(),
        "agent": pl.String(),
        "session_id": pl.String(),
        "agent_id": pl.String(),
        "turn_id": pl.String(),
        "ts": pl.Datetime("us", "UTC"),
        "model": pl.String(),
        "effort": pl.String(),
        "is_subagent": pl.Boolean(),
        "agent_type": pl.String(),
        "asked_by": pl.String(),
        "prompt_source": pl.String(),
        "entrypoint": pl.String(),
        "stop_reason": pl.String(),
        "tools": pl.String(),
        "command_heads": pl.String(),
        "input_tokens": pl.Int64(),
        "cache_write_5m_tokens": pl.Int64(),
        "cache_write_1h_tokens": pl.Int64(),
        "cache_read_tokens": pl.Int64(),
        "full_input_tokens": pl.Int64(),
        "output_tokens": pl.Int64(),
    }
)

Row = dict[str, object]
MakeRequests = Callable[..., pl.DataFrame]


def request(**given: object) -> Row:
    """One request of Forge's main thread that read 1,000 tokens and answered."""
    row: Row = {
        **dict.fromkeys(SCHEMA),
        "client": "claude",
        "host": "laptop",
        "agent": "forge",
        "session_id": "session",
        "turn_id": "turn",
        "ts": START,
        "model": "claude-sonnet-4-6",
        "is_subagent": False,
        "stop_reason": "end_turn",
        "tools": "{}",
        "input_tokens": 0,
        "cache_write_5m_tokens": 0,
        "cache_write_1h_tokens": 0,
        "cache_read_tokens": 1_000,
        "output_tokens": 10,
        **given,
    }
    classes = (
        "input_tokens",
        "cache_write_5m_tokens",
        "cache_write_1h_tokens",
        "cache_read_tokens",
    )
    return {**row, "full_input_tokens": sum(int(str(row[name])) for name in classes)}


def frame(rows: Iterable[Row]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SCHEMA)


@dataclass(frozen=True)
class LabelledTurn:
    """One line of labelled_turns.txt, and the requests that it stands for."""

    label: str
    note: str
    requests: tuple[Row, ...]


def labelled_turns() -> list[LabelledTurn]:
    lines = (Path(__file__).parent / "labelled_turns.txt").read_text("utf-8").splitlines()
    notes = [line for line in lines if line and not line.startswith("#")]
    return [_labelled(number, note) for number, note in enumerate(notes)]


def _labelled(number: int, note: str) -> LabelledTurn:
    label, who, context, requests = (part.strip() for part in note.split("|"))
    tokens = int(float(context.removesuffix("k")) * 1000)
    return LabelledTurn(
        label,
        note,
        tuple(
            request(
                session_id=f"session {number}",
                ts=START + timedelta(seconds=20 * place),
                cache_read_tokens=tokens,
                **(_called(part.strip()) | _asked(who, number)),
            )
            for place, part in enumerate(requests.split("/"))
        ),
    )


def _asked(who: str, number: int) -> Row:
    kind, _, detail = who.partition(":")
    if kind == "sub":
        return {"is_subagent": True, "agent_id": f"a{number}", "agent_type": detail or None}
    if kind == "codex":
        return {"client": "codex", "model": "gpt-5.5", "stop_reason": None}
    if kind == "sdk":
        return {"entrypoint": "sdk-cli", "prompt_source": "sdk", "asked_by": "human"}
    if detail in ASKED_BY:
        return {"asked_by": detail, "prompt_source": "system"}
    return {"asked_by": "human", "prompt_source": detail} if detail else {}


def _called(part: str) -> Row:
    if part == "?":
        return {"tools": None, "stop_reason": "tool_use"}
    if part == "-":
        return {"tools": None}
    names = [name.strip() for name in part.split(",")]
    heads = Counter(name.removeprefix("$") for name in names if name.startswith("$"))
    tools = Counter("Bash" if name.startswith("$") else name for name in names)
    return {
        "tools": json.dumps(dict(sorted(tools.items()))),
        "command_heads": json.dumps(dict(sorted(heads.items()))) if heads else None,
        "stop_reason": "tool_use",
    }


@pytest.fixture(scope="session")
def org() -> Org:
    return load(ROOT / "orgs" / "riles-fleet")
