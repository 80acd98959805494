"""A machine whose agents leave transcripts, and a fleet's home that takes them in."""

import errno
import os
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import polars as pl
import pytest

from fleet_pipeline.home import Home
from fleet_pipeline.ledger import Report, ingest, recount, sources, usage
from fleet_pipeline.transcripts.discover import Places

WRITTEN = datetime(2026, 6, 10, tzinfo=UTC)

CLASSES = (
    "input_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens",
    "output_tokens",
)  # fmt: skip


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

    def sources(self) -> dict[str, object]:
        return sources(self.home)

    def ledger_bytes(self) -> dict[str, bytes]:
        """Return the ledger as it lies on disk."""
        folder = self.home.lake / "usage"
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*.parquet"))
        }


def changed(path: Path, at: datetime) -> None:
    """Set when a file was last changed."""
    os.utime(path, ns=(0, round(at.timestamp() * 1000) * 10**6))


def fail_at(patch: pytest.MonkeyPatch, name: str, number: int) -> list[int]:
    """Let the ``number``-th call of one kind fail; return a list that is filled once it has."""
    calls, failed, call = count(1), [], getattr(os, name)

    def attempt(*args, **options):
        if next(calls) == number:
            failed.append(number)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return call(*args, **options)

    patch.setattr(os, name, attempt)
    return failed
