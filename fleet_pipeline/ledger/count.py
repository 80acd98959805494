"""From evidence to the ledger, and from the ledger to whoever asks."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Final, TypedDict

import polars as pl

from fleet_pipeline.home import Home
from fleet_pipeline.ledger import evidence, store
from fleet_pipeline.ledger.claude_rules import count_claude
from fleet_pipeline.ledger.codex_rules import count_codex
from fleet_pipeline.ledger.columns import USAGE

DEMO_HOST: Final = "demo"
"""The host of the demo fleet, which is left out of every answer once there is a real one."""


def recount(home: Home) -> int:
    """Derive the ledger from all evidence; only days that change are written.

    Returns how many day files changed. The result depends on the evidence alone.
    """
    with home.lock("fleet recount"):
        events = home.lake / "events"
        claude = store.read_days(events, evidence.CLAUDE, "host=*/client=claude/date=*.parquet")
        codex = store.read_days(events, evidence.CODEX, "host=*/client=codex/date=*.parquet")
        rows = pl.concat(
            [
                count_claude(claude).cast(USAGE),
                count_codex(codex).select(USAGE.names()).cast(USAGE),
            ]
        )
        return store.replace_days(home.lake / "usage", rows.sort("ts", "client", "message_id"))


def usage(home: Home, days: tuple[date, date] | None = None) -> pl.DataFrame:
    """Return the ledger, or its rows from the first up to, not including, the second day (UTC)."""
    rows = store.read_days(home.lake / "usage", USAGE, days=days)
    return _of_real_hosts(home, rows.select(USAGE.names()))


def quota(home: Home) -> pl.DataFrame:
    """Return every quota reading, with its host."""
    return _of_real_hosts(home, store.read_days(home.lake / "quota", evidence.QUOTA))


class Sources(TypedDict):
    """What all transcripts together held; see ``sources``."""

    files: int
    bytes: int
    lines: int
    requests_lines: int
    duplicates: int
    quarantined: dict[str, int]
    hosts: list[dict[str, object]]
    clients: dict[str, dict[str, int]]


def sources(home: Home) -> Sources:
    """Return what all transcripts together held, from the store: the same whenever it is asked.

    ``duplicates`` is how many lines spoke of a request that was counted already.
    """
    ledger = usage(home)
    held = _of_all_hosts(home, home.lake / "transcripts", evidence.TRANSCRIPTS)
    rejected = evidence.merge_rejected(_of_all_hosts(home, home.quarantine, evidence.REJECTED))
    hosts = ledger.group_by("host").agg(pl.len(), pl.col("ts").max()).sort("host")
    clients = held.group_by("client").agg(pl.len(), pl.col("lines").sum()).sort("client")
    request_lines = int(held["request_lines"].sum())
    return {
        "files": held.height,
        "bytes": int(held["bytes"].sum()),
        "lines": int(held["lines"].sum()),
        "requests_lines": request_lines,
        "duplicates": request_lines - ledger.height,
        "quarantined": dict(rejected.group_by("reason").len().sort("reason").iter_rows()),
        "hosts": [
            {"host": host, "requests": requests, "last_ts": last.isoformat()}
            for host, requests, last in hosts.iter_rows()
        ],
        "clients": {
            client: {"files": files, "lines": lines} for client, files, lines in clients.iter_rows()
        },
    }


def _real_hosts(home: Home) -> set[str]:
    hosts = {folder.name.removeprefix("host=") for folder in (home.lake / "usage").glob("host=*")}
    return hosts - {DEMO_HOST} or hosts


def _of_real_hosts(home: Home, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("host").is_in(list(_real_hosts(home))))


def _of_all_hosts(home: Home, folder: Path, schema: pl.Schema) -> pl.DataFrame:
    files: Iterable[Path] = sorted(folder.glob("host=*.parquet"))
    if _real_hosts(home) - {DEMO_HOST}:
        files = [path for path in files if path.stem != f"host={DEMO_HOST}"]
    frames = [store.read_frame(path, schema) for path in files]
    return pl.concat(frames) if frames else pl.DataFrame(schema=schema)
