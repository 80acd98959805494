"""What Claude Code tells a status line command, and what is in the log afterwards."""

import json
from pathlib import Path

from fleet_pipeline.statusline.log import FOLDER, LOG, record
from fleet_pipeline.statusline.payload import read_status

NOW = 1_795_390_000
SOON, LATER, NEXT_WEEK = NOW + 3_600, NOW + 5 * 3_600, NOW + 400_000

Document = dict[str, object]


def status(
    *,
    five_hour: float | None = None,
    seven_day: float | None = None,
    reset: int = SOON,
    session: str = "361f72ca-b80a-4cad-8c3e-c6b67cfdd97b",
    **other: object,
) -> Document:
    """Return a status in the shape of Claude Code 2.1.330; no limits are those of an API key."""
    told: Document = {
        "session_id": session,
        "transcript_path": "/home/sage/.claude/projects/-srv-secret/361f72ca.jsonl",
        "cwd": "/srv/secret",
        "model": {"id": "claude-opus-5-5", "display_name": "Opus 5.5"},
        "workspace": {"current_dir": "/srv/secret", "project_dir": "/srv/secret"},
        "version": "2.1.330",
        "cost": {"total_cost_usd": 0.0283},
        "context_window": {"context_window_size": 1_000_000, "used_percentage": 14},
        "exceeds_200k_tokens": False,
    }
    limits: Document = {}
    if five_hour is not None:
        limits["five_hour"] = {"used_percentage": five_hour, "resets_at": reset}
    if seven_day is not None:
        limits["seven_day"] = {"used_percentage": seven_day, "resets_at": NEXT_WEEK}
    return told | ({"rate_limits": limits} if limits else {}) | other


def tell(claude: Path, told: Document, now: float = NOW) -> None:
    """Log what is new in a status, as the command does."""
    record(read_status(json.dumps(told).encode()), str(claude), now)


def logged(claude: Path, name: str = LOG) -> list[Document]:
    """Return the lines of a log, each of which must be whole.

    A session that saw another's line half written closes it first: an empty line is none.
    """
    path = claude / FOLDER / name
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines if line]


def levels(claude: Path, window: str = "five_hour") -> list[object]:
    """Return the levels of one window, line by line."""
    return [line[window]["used_percentage"] for line in logged(claude)]
