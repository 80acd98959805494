"""A machine whose agents leave transcripts, and a fleet's home that takes them in."""

import errno
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import polars as pl
import pytest
import zstandard

from fleet_pipeline.home import Home
from fleet_pipeline.ledger import (
    Report,
    held,
    ingest,
    note_that_all_is_read,
    nothing_is_new,
    recount,
    sources,
    usage,
)
from fleet_pipeline.transcripts.discover import Places, find

from . import one_run, reference_codex, reference_counter
from .reference_lines import Billed

WRITTEN = datetime(2026, 6, 10, tzinfo=UTC)

ONE_RUN = (sys.executable, str(Path(one_run.__file__)))
"""The command that takes in, in a process of its own, what a machine with one host holds."""

CLASSES = (
    "input_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_read_tokens",
    "output_tokens",
)


class Machine:
    """One home and the transcripts of one or more hosts."""

    def __init__(self, root: Path, *hosts: str) -> None:
        self.root = root
        self.hosts = hosts or ("laptop",)
        self.home = Home(root / "home")

    def places(self) -> list[Places]:
        return [
            Places((self.root / host / ".claude",), (self.root / host / ".codex",), host)
            for host in self.hosts
        ]

    def claude(self, name: str, host: str | None = None) -> Path:
        """Return where Claude Code keeps the transcript ``name``."""
        return self.root / (host or self.hosts[0]) / ".claude" / "projects" / name

    def codex(self, name: str, host: str | None = None) -> Path:
        """Return where Codex keeps the rollout ``name``."""
        return self.root / (host or self.hosts[0]) / ".codex" / "sessions" / name

    def write(self, path: Path, data: bytes, *, at: datetime = WRITTEN) -> Path:
        """Write a transcript in place, last changed ``at``."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        changed(path, at)
        return path

    def ingest(self, *, full: bool = False) -> Report:
        """Take in what there is and count again."""
        report = ingest(self.home, self.places(), full=full)
        recount(self.home)
        return report

    def ingest_if_anything_is_new(self) -> None:
        """Do what `fleet ingest` does: look at the folders, and leave it at that if it can."""
        places = self.places()
        found = [find(each) for each in places]
        if not nothing_is_new(self.home, places, found):
            self.ingest()
            note_that_all_is_read(self.home, places, found)

    def ingest_apart(self, surroundings: Mapping[str, str] = MappingProxyType({})) -> int:
        """Take in what there is in a process of its own; return its peak memory in MiB."""
        done = subprocess.run(
            [*ONE_RUN, str(self.root)],
            env=os.environ | surroundings,
            stdout=subprocess.PIPE,
            check=True,
            timeout=300,
        )
        return int(done.stdout.split()[-1])

    def rows(self) -> pl.DataFrame:
        return usage(self.home)

    def row(self) -> dict[str, object]:
        """Return the only row of the ledger."""
        [row] = self.rows().rows(named=True)
        return row

    def billed(self) -> dict[str, tuple[int, ...]]:
        """Return (fresh, write 5m, write 1h, cache read, output) of each request by its key."""
        rows = self.rows().select("message_id", *CLASSES).rows()
        found = {key: tuple(tokens) for key, *tokens in rows}
        assert len(found) == len(rows), "a request has two rows"
        return found

    def held(self) -> dict[str, object]:
        return held(self.home)

    def sources(self) -> dict[str, object]:
        """Return what is held and how far clients agree; comparing them is nearly all its time."""
        return sources(self.home)

    def ledger_bytes(self) -> dict[str, bytes]:
        """Return the ledger as it lies on disk."""
        folder = self.home.lake / "usage"
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*.parquet"))
        }


REFERENCE = {"claude": reference_counter, "codex": reference_codex}
"""The counters that every ledger is held against, by client."""


class Witness:
    """Has seen what lay in the folders of a machine, and knows what it means in all."""

    def __init__(self) -> None:
        self.seen: dict[str, set[tuple]] = {client: set() for client in REFERENCE}
        self._rejected: Counter[str] = Counter()

    def look(self, folder: Path) -> None:
        """See every transcript below the folders ``.claude`` and ``.codex`` in ``folder``."""
        for path in sorted(folder.glob("**/.c*/**/*.jsonl*")):
            data, client = path.read_bytes(), "codex" if ".codex" in path.parts else "claude"
            if path.suffix == ".zst":
                data = zstandard.decompress(data)
            written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            statements = list(REFERENCE[client].said(data, written))
            self._rejected.update(one.id for one in statements if one.kind == "rejected")
            self.seen[client].update(statements)

    def rejected(self) -> dict[str, int]:
        """Return how many lines were not believed, each time that they were seen, by reason."""
        return dict(self._rejected)

    def count(self) -> dict[str, Billed]:
        """Return each billed request by its key, whichever client made it."""
        claude, codex = (REFERENCE[client].count(self.seen[client]) for client in REFERENCE)
        assert not claude.keys() & codex.keys()
        return claude | codex


def as_counted(rows: pl.DataFrame) -> dict[str, Billed]:
    """Return the rows of a ledger as the reference counters name them."""

    def key(row: dict[str, object]) -> str:
        name = str(row["message_id"])
        if row["client"] == "codex" and ":" in name:  # derived, where the client gave none
            return f"{name.partition(':')[0]} {row['ts']:%F %T.%f}"
        return name

    counted = {
        key(row): Billed(tuple(row[name] for name in CLASSES), row["ts"], row["output_is_final"])
        for row in rows.iter_rows(named=True)
    }
    assert len(counted) == rows.height, "a request has two rows"
    return counted


def changed(path: Path, at: datetime) -> None:
    """Set when a file was last changed."""
    os.utime(path, ns=(0, round(at.timestamp() * 1000) * 10**6))


def fail_at(patch: pytest.MonkeyPatch, kind: str, number: int) -> list[int]:
    """Let the ``number``-th call of one kind fail; return a list that is filled once it has."""

    def refuse() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return one_run.strike_at(kind, number, refuse, patch.setattr)
