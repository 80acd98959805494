"""From what Claude Code tells to the headroom of the week."""

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from fleet_pipeline import ledger
from fleet_pipeline.headroom import headroom
from fleet_pipeline.home import Home
from fleet_pipeline.statusline import log
from fleet_pipeline.transcripts.discover import Places, find

from .claude_code import LATER, NOW, SOON, status, tell


@pytest.fixture(autouse=True)
def umask_of_the_test() -> Iterator[None]:
    """Ingestion makes everything private from then on; the tests after this one shall not be."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def claude(tmp_path: Path) -> Path:
    folder = tmp_path / ".claude"
    folder.mkdir()
    return folder


def ingest(claude: Path, *, full: bool = False) -> Home:
    home = Home(claude.parent / "home")
    for path in (claude / log.FOLDER).glob("*.jsonl"):
        os.utime(path, ns=(0, NOW * 10**9 + path.stat().st_size))
    ledger.ingest(home, [Places((claude,))], full=full)
    return home


def readings(home: Home) -> list[tuple[object, ...]]:
    columns = "client", "host", "limit_id", "window_minutes", "used_percent"
    return ledger.quota(home).sort("ts", "window_minutes").select(columns).rows()


def lake(home: Home) -> dict[str, bytes]:
    return {
        str(path): path.read_bytes() for path in sorted((home.lake / "quota").rglob("*.parquet"))
    }


def test_what_claude_code_tells_is_the_headroom_of_the_week(claude: Path) -> None:
    tell(claude, status(five_hour=42, seven_day=17), NOW)
    opus = {"seven_day_opus": {"used_percentage": 5, "resets_at": LATER}}
    tell(claude, status(rate_limits=opus), NOW + 1)
    home = ingest(claude)
    as_of = date(2026, 11, 23)
    rows = headroom(
        ledger.quota(home), requests=pl.DataFrame({"host": ["local"]}), as_of=as_of
    ).filter(client="claude")
    assert rows.select("limit", "limit_id", "window_minutes", "remaining_share").rows() == [
        ("Claude Max", "claude_max", 300, 0.58),
        ("Claude Max", "claude_max", 10_080, 0.83),
        ("Claude Max Opus", "claude_max_opus", 10_080, 0.95),
    ]
    assert set(rows["status"]) == {"fresh"}
    assert rows["resets_at"][0] == datetime.fromtimestamp(SOON, UTC)


def test_a_log_that_has_grown_gives_what_reading_it_whole_gives(claude: Path) -> None:
    for used in range(3):
        tell(claude, status(five_hour=used), NOW + used)
        home = ingest(claude)
    assert [row[-1] for row in readings(home)] == [0, 1, 2]
    in_parts = lake(home)
    ingest(claude, full=True)
    assert lake(home) == in_parts


def test_a_log_that_was_set_aside_counts_once(claude: Path) -> None:
    tell(claude, status(five_hour=1), NOW)
    ingest(claude)
    path = claude / log.FOLDER / log.LOG
    path.rename(path.with_name(log.FULL_LOG))
    tell(claude, status(five_hour=2), NOW + 1)
    home = ingest(claude)
    assert readings(home) == [
        ("claude", "local", "claude_max", 300, 1.0),
        ("claude", "local", "claude_max", 300, 2.0),
    ]


def test_a_deleted_log_takes_no_reading_with_it(claude: Path) -> None:
    tell(claude, status(five_hour=1))
    home = ingest(claude)
    (claude / log.FOLDER / log.LOG).unlink()
    ingest(claude, full=True)
    assert len(readings(home)) == 1


def test_a_line_without_its_end_is_read_once_it_has_one(claude: Path) -> None:
    tell(claude, status(five_hour=1))
    path = claude / log.FOLDER / log.LOG
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert readings(ingest(claude)) == []
    path.write_bytes(whole)
    assert len(readings(ingest(claude))) == 1


def test_bad_lines_are_counted_by_reason_and_once(claude: Path) -> None:
    tell(claude, status(five_hour=1))
    path = claude / log.FOLDER / log.LOG
    path.write_bytes(path.read_bytes() + b'not json\n{"ts": "2026-01-01"}\n')
    ingest(claude)
    path.rename(path.with_name(log.FULL_LOG))
    home = ingest(claude, full=True)
    assert ledger.sources(home)["quarantined"] == {"timestamp_without_zone": 1, "unreadable": 1}
    assert len(readings(home)) == 1


def test_the_log_is_no_transcript(claude: Path) -> None:
    tell(claude, status(five_hour=1))
    found = find(Places((claude,)))
    assert found.files == []
    assert [file.name for file in found.statusline_logs] == [log.LOG]
    home = ingest(claude)
    assert ledger.sources(home)["files"] == 0
    assert ledger.usage(home).is_empty()


def test_only_a_regular_file_is_a_log(claude: Path) -> None:
    (claude / log.FOLDER).mkdir()
    os.mkfifo(claude / log.FOLDER / log.LOG)
    (claude / log.FOLDER / log.FULL_LOG).symlink_to("/dev/zero")
    assert find(Places((claude,))).statusline_logs == []


def test_a_folder_that_is_named_twice_is_read_once(claude: Path) -> None:
    tell(claude, status(five_hour=1))
    (claude.parent / "link").symlink_to(claude)
    assert len(find(Places((claude, claude.parent / "link", claude))).statusline_logs) == 1
