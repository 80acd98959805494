"""Keeping a lake small, on command only: what it holds, rewriting it smaller, letting go of days.

Rewriting changes no row. Letting go of evidence lowers totals for good; a caller asks for it in so
many words, and even then only days go without which the rest still counts as before.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import polars as pl

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.home import Home, write_whole
from fleet_pipeline.ledger.counting import recount, usage
from fleet_pipeline.ledger.days import day_of
from fleet_pipeline.ledger.store import UNREADABLE, damaged
from fleet_pipeline.ledger.versions import RULES_VERSION
from fleet_pipeline.ledger.waiting import CLIENTS, Waiting

KEPT: Final = ("events", "quota", "totals", "transcripts", "unfamiliar", "prices", "catalog")
"""What cannot be made again."""

DERIVED: Final = ("usage", "weekly")
"""What can be made again from it."""

_SMALL: Final = 19
"""The level of Zstandard beyond which files hardly shrink: slow to write, as fast to read."""


@dataclass(frozen=True)
class Holding:
    """What one table of the lake takes: its files, their rows and bytes, and its days, if any."""

    table: str
    files: int
    rows: int
    bytes: int
    first: date | None
    last: date | None


@dataclass(frozen=True)
class Rewritten:
    """What rewriting did, or would do: files that shrink, and bytes before and after."""

    files: int
    bytes_before: int
    bytes_after: int
    leftovers: int
    """Files that a killed process left half-written."""


@dataclass(frozen=True)
class LetGo:
    """What goes, or would go, before a day: files, their bytes, and requests of the ledger."""

    before: date
    weekly_files: int
    evidence_files: int
    bytes: int
    requests: int
    """No longer counted afterwards; 0 where only what can be made again goes."""


def holdings(home: Home) -> list[Holding]:
    """Return what each table of the lake takes; raises SourceError for a damaged file."""
    found = []
    for table in (*KEPT, *DERIVED):
        paths = [path for path in (home.lake / table).rglob("*") if path.is_file()]
        days = [day_of(path) for path in paths if path.match("date=*.parquet")]
        found.append(
            Holding(
                table,
                len(paths),
                sum(map(_rows, paths)),
                _bytes(paths),
                min(days, default=None),
                max(days, default=None),
            )
        )
    return found


def compact(home: Home, *, for_real: bool) -> Rewritten:
    """Write what is kept for good as small as it gets, row by row the same.

    The caller is the only writer. Without ``for_real`` nothing changes. Raises SourceError for a
    damaged file, which stays as it is; OSError where the disk refuses.
    """
    files = before = after = 0
    for path in _tables(home, KEPT):
        old = path.read_bytes()
        new = _smaller(path, old)
        before += len(old)
        after += min(len(new), len(old))
        if len(new) < len(old):
            files += 1
            if for_real:
                write_whole(path, new)
    leftovers = [path for path in home.lake.rglob(".*.part") if path.is_file()]
    if for_real:
        for path in leftovers:
            path.unlink()
    return Rewritten(files, before, after, len(leftovers))


def let_go(home: Home, before: date, *, of_evidence: bool, for_real: bool) -> LetGo:
    """Delete weekly tables of weeks that opened before a day, and with ``of_evidence`` all days.

    The caller is the only writer. Without ``for_real`` nothing changes. Raises ConfigurationError
    where the days that stay would not count as they do now: a fork still needs its parent's days;
    or where not all evidence is counted, so that nobody can say what goes.
    """
    weekly = [path for path in _tables(home, ("weekly",)) if _week(path) < before]
    gone: list[Path] = []
    requests = 0
    if of_evidence:
        gone = [path for path in _tables(home, _BY_DAY) if _is_before(path, before)]
        if gone:
            _require_all_counted(home)
        ledger = usage(home)
        stays = ledger.filter(pl.col("ts").dt.date() >= before)
        requests = ledger.height - stays.height
        if requests:
            _require_the_same(home, before, stays)
    size = _bytes([*weekly, *gone])
    if for_real:
        for path in [*weekly, *gone]:
            path.unlink()
        if gone:
            Waiting(home).clear(RULES_VERSION)
    return LetGo(before, len(weekly), len(gone), size, requests)


_BY_DAY: Final = ("events", "quota", "totals", "usage")
"""Tables with a file for each day; evidence comes before what is derived from it."""


def _require_all_counted(home: Home) -> None:
    waiting = Waiting(home)
    if waiting.rules != RULES_VERSION or waiting.is_any_day_left():
        raise ConfigurationError(
            f"{home.root}: not all that was read is counted; run `fleet recount` first"
        )


def _require_the_same(home: Home, before: date, stays: pl.DataFrame) -> None:
    with TemporaryDirectory(dir=home.root) as folder:
        trial = Home(Path(folder))
        trial.prepare()
        for path in _tables(home, ("events",)):
            if not _is_before(path, before):
                copy = trial.lake / path.relative_to(home.lake)
                copy.parent.mkdir(parents=True, exist_ok=True)
                os.link(path, copy)
        waiting = Waiting(trial)
        for client in CLIENTS:
            waiting.add(client, waiting.all_days(client))
        recount(trial, everything=True)
        order = ["ts", "client", "message_id"]
        if not usage(trial).sort(order).equals(stays.sort(order)):
            raise ConfigurationError(
                f"{home.root}: work from before {before} is part of what is counted after it (a"
                " request, session or fork lies across that day); choose another day"
            )


def _tables(home: Home, folders: tuple[str, ...]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((home.lake / folder).rglob("*.parquet"))


def _is_before(path: Path, day: date) -> bool:
    return path.name.startswith("date=") and day_of(path) < day


def _week(path: Path) -> date:
    try:
        return date.fromisoformat(path.stem)
    except ValueError:
        return date.max


def _rows(path: Path) -> int:
    if path.suffix != ".parquet":
        return 0
    try:
        return int(pl.scan_parquet(path, glob=False).select(pl.len()).collect().item())
    except UNREADABLE:
        raise damaged(path) from None


def _bytes(paths: list[Path]) -> int:
    return sum(path.stat().st_size for path in paths)


def _smaller(path: Path, data: bytes) -> bytes:
    try:
        frame = pl.read_parquet(BytesIO(data))
        buffer = BytesIO()
        frame.write_parquet(
            buffer,
            compression="zstd",
            compression_level=_SMALL,
            statistics=True,
            row_group_size=max(frame.height, 1),
        )
        new = buffer.getvalue()
        same = pl.read_parquet(BytesIO(new)).equals(frame)
    except UNREADABLE:
        raise damaged(path) from None
    return new if same else data
