"""Which files on a machine are transcripts or logs of limits, and of which client.

Finds and stats; opens nothing. Places are the clients' own defaults or the folders that the
operator names.
"""

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.statusline import log as statusline
from fleet_pipeline.transcripts.files import NOTE_SUFFIX, Client, LocalFile, TranscriptFile

CLIENTS: Final[tuple[Client, ...]] = ("claude", "codex")


@dataclass(frozen=True)
class Places:
    """The folders to read, by client, and what to call the machine they belong to."""

    claude: tuple[Path, ...] = ()
    codex: tuple[Path, ...] = ()
    host: str = "local"

    def of(self, client: Client) -> tuple[Path, ...]:
        """Return the folders of one client."""
        return self.claude if client == "claude" else self.codex


_FARTHEST_NS: Final = 2**62
"""Nanoseconds since 1970 that fit everywhere: the year 2116. A time beyond is a broken clock's."""


@dataclass
class Found:
    """Transcripts in a fixed order, and what was passed over: reason to number of entries.

    ``statusline_logs`` lie beside them: what ``fleet statusline`` noted, which is no transcript.
    """

    files: list[TranscriptFile] = field(default_factory=list)
    statusline_logs: list[TranscriptFile] = field(default_factory=list)
    passed_over: dict[str, int] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """How much there is to read, on disk."""
        return sum(file.size for file in (*self.files, *self.statusline_logs))

    def pass_over(self, reason: str) -> None:
        """Count one entry that is no readable transcript."""
        self.passed_over[reason] = self.passed_over.get(reason, 0) + 1


def default_places(environment: Mapping[str, str], home: Path) -> Places:
    """Return where the clients of this machine write, whether or not anything is there.

    Claude Code: each folder of ``CLAUDE_CONFIG_DIR`` (a comma list), else ``~/.claude`` and
    ``$XDG_CONFIG_HOME/claude``. Codex: ``CODEX_HOME``, else ``~/.codex``.
    """
    named = [part.strip() for part in environment.get("CLAUDE_CONFIG_DIR", "").split(",")]
    claude = [Path(part).expanduser() for part in named if part]
    if not claude:
        configured = environment.get("XDG_CONFIG_HOME") or home / ".config"
        claude = [home / ".claude", Path(configured) / "claude"]
    codex = Path(environment.get("CODEX_HOME") or home / ".codex").expanduser()
    return Places(claude=tuple(claude), codex=(codex,))


def named_places(claude: Sequence[Path], codex: Sequence[Path], host: str = "local") -> Places:
    """Return the folders that the operator named.

    Raises ConfigurationError for one that does not exist.
    """
    for path in (*claude, *codex):
        if not path.is_dir():
            raise ConfigurationError(f"{path}: there is no such folder; name one that exists")
    return Places(claude=tuple(claude), codex=tuple(codex), host=host)


def find(places: Places) -> Found:
    """Return every file to read under ``places``, sorted by path; a missing folder holds none."""
    found = Found()
    files: dict[Path, LocalFile] = {}
    for client in CLIENTS:
        roots = {root.resolve() for place in places.of(client) for root in _roots(client, place)}
        for root in sorted(roots):
            if not roots.intersection(root.parents):
                files.update((file.path, file) for file in _files(client, root, found))
    found.files += files.values()
    for place in sorted({place.resolve() for place in places.claude}):
        found.statusline_logs += _statusline_logs(place)
    found.files.sort(key=lambda file: (file.client, os.fsencode(file.path)))
    return found


def _roots(client: Client, place: Path) -> list[Path]:
    names = ("projects",) if client == "claude" else ("sessions", "archived_sessions")
    try:
        inside = [place / name for name in names if (place / name).is_dir()]
        return inside or ([place] if place.is_dir() else [])
    except PermissionError:
        return [place]  # walking it counts that it cannot be read


def _files(client: Client, root: Path, found: Found) -> Iterator[LocalFile]:
    def refused(error: OSError) -> None:
        found.pass_over("folder not readable" if error.errno != 2 else "vanished")

    for folder, folders, names in os.walk(root, onerror=refused):
        for name in folders:
            if Path(folder, name).is_symlink():
                found.pass_over("linked folder")
        for name in names:
            if not _is_transcript(client, name):
                continue
            path = Path(folder, name)
            try:
                status = path.lstat()
            except OSError:
                found.pass_over("vanished")
                continue
            if not stat.S_ISREG(status.st_mode):
                found.pass_over("not a regular file")
                continue
            yield _found(client, path, status)


def _statusline_logs(place: Path) -> Iterator[LocalFile]:
    for name in statusline.LOGS:
        path = place / statusline.FOLDER / name
        with suppress(OSError):
            status = path.lstat()
            if stat.S_ISREG(status.st_mode):
                yield _found("claude", path, status)


def _found(client: Client, path: Path, status: os.stat_result) -> LocalFile:
    noted_ns = 0
    if path.name.startswith("agent-"):
        with suppress(OSError):
            noted_ns = path.with_suffix(NOTE_SUFFIX).stat().st_mtime_ns
    modified_ns, changed_ns, noted_ns = (
        max(-_FARTHEST_NS, min(time, _FARTHEST_NS))
        for time in (status.st_mtime_ns, status.st_ctime_ns, noted_ns)
    )
    return LocalFile(client, path, status.st_size, modified_ns, changed_ns, noted_ns, status.st_ino)


def _is_transcript(client: Client, name: str) -> bool:
    if client == "claude":
        return name.endswith(".jsonl") and name not in ("journal.jsonl", *statusline.LOGS)
    return name.endswith((".jsonl", ".jsonl.zst")) and name.startswith("rollout-")
