"""Which files of a host are transcripts or logs of limits, and of which client.

Finds and stats; opens nothing. Places are the clients' own defaults, the folders that the operator
names, or an address in S3 (what lies there is told by ``objects``).
"""

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from errno import ENOENT
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from fleet_pipeline.errors import ConfigurationError, SourceError
from fleet_pipeline.statusline import log as statusline
from fleet_pipeline.transcripts.files import (
    NOTE_SUFFIX,
    Client,
    LocalFile,
    TranscriptFile,
    is_note,
    is_transcript,
)

if TYPE_CHECKING:
    from fleet_pipeline.s3 import Address
    from fleet_pipeline.transcripts.objects import StoredEvidence

CLIENTS: Final[tuple[Client, ...]] = ("claude", "codex")


class Places(Struct, frozen=True):
    """The folders to read, by client, or the address; and what to call the host they belong to.

    ``expected`` places are listed by the operator: one that is not there is a failure to be told.
    """

    claude: tuple[Path, ...] = ()
    codex: tuple[Path, ...] = ()
    host: str = "local"
    s3: "Address | None" = None
    expected: bool = False

    def of(self, client: Client) -> tuple[Path, ...]:
        """Return the folders of one client."""
        return self.claude if client == "claude" else self.codex


_FARTHEST_NS: Final = 2**62
"""Nanoseconds since 1970 that fit everywhere: the year 2116. A time beyond is a broken clock's."""


class Found(Struct):
    """Transcripts in a fixed order, and what was passed over: reason to number of entries.

    ``statusline_logs`` lie beside them: what ``fleet statusline`` noted, which is no transcript.
    ``evidence`` comes from a host that keeps its transcripts to itself. ``failures`` say which
    expected place could not be looked at, and why; it ``failed`` if nothing at all could be.
    """

    host: str = "local"
    files: list[TranscriptFile] = []
    statusline_logs: list[TranscriptFile] = []
    evidence: "list[StoredEvidence]" = []
    passed_over: dict[str, int] = {}
    failures: list[str] = []
    failed: bool = False

    @property
    def bytes(self) -> int:
        """How much there is to read, as it is stored."""
        files = (*self.files, *self.statusline_logs, *self.evidence)
        return sum(file.size for file in files)

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
    """Return every file to read under ``places``, sorted by path; a missing folder holds none.

    Never raises: what was expected and cannot be looked at is among the failures.
    """
    found = Found(places.host)
    if places.s3:
        _find_in_s3(places.s3, found)
    if places.expected:
        places = replace(
            places,
            claude=tuple(place for place in places.claude if _is_there(place, found)),
            codex=tuple(place for place in places.codex if _is_there(place, found)),
        )
    files: dict[str, LocalFile] = {}
    for client in CLIENTS:
        roots = {root.resolve() for place in places.of(client) for root in roots_of(client, place)}
        for root in sorted(roots):
            if not roots.intersection(root.parents):
                files.update((file.path, file) for file in _files(client, str(root), found))
    found.files += files.values()
    for place in sorted({place.resolve() for place in places.claude}):
        found.statusline_logs += _statusline_logs(place)
    found.failed = bool(found.failures) and not (found.files or found.evidence)
    found.files.sort(key=attrgetter("client", "path"))
    return found


def _find_in_s3(address: "Address", found: Found) -> None:
    from fleet_pipeline.transcripts.objects import find_objects

    try:
        objects = find_objects(address)
    except SourceError as error:
        found.failures.append(f"{address}: {error}")
        return
    found.files += objects.transcripts
    found.statusline_logs += objects.statusline_logs
    found.evidence += objects.evidence


def _is_there(place: Path, found: Found) -> bool:
    """Say whether a folder that is expected can be looked at; a mount may be gone or hang."""
    try:
        there = place.is_dir()
        reason = "there is no such folder"
    except OSError as error:
        there, reason = False, error.strerror or "cannot be looked at"
    if not there:
        found.failures.append(f"{place}: {reason}")
    return there


def roots_of(client: Client, place: Path) -> list[Path]:
    """Return the folders under a client's own that hold transcripts; itself if it is one."""
    names = ("projects",) if client == "claude" else ("sessions", "archived_sessions")
    try:
        inside = [place / name for name in names if (place / name).is_dir()]
        return inside or ([place] if place.is_dir() else [])
    except PermissionError:
        return [place]  # walking it counts that it cannot be read


def _files(client: Client, root: str, found: Found) -> Iterator[LocalFile]:
    folders = [root]
    while folders:
        here = folders.pop()
        try:
            with os.scandir(here) as entries:
                inside = list(entries)
        except OSError as error:
            found.pass_over("vanished" if error.errno == ENOENT else "folder not readable")
            continue
        notes = {entry.name: entry for entry in inside if is_note(entry.name)}
        for entry in inside:
            if _is_folder(entry):
                if entry.is_symlink():
                    found.pass_over("linked folder")
                else:
                    folders.append(entry.path)
            elif is_transcript(client, entry.name):
                try:
                    status = entry.stat(follow_symlinks=False)
                except OSError:
                    found.pass_over("vanished")
                    continue
                if stat.S_ISREG(status.st_mode):
                    note = notes.get(entry.name.removesuffix(".jsonl") + NOTE_SUFFIX)
                    yield _found(client, entry.path, status, _noted_ns(note))
                else:
                    found.pass_over("not a regular file")


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    """Say whether it is a folder; some file systems tell only after a look, which may fail."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _statusline_logs(place: Path) -> Iterator[LocalFile]:
    for name in statusline.LOGS:
        path = place / statusline.FOLDER / name
        with suppress(OSError):
            status = path.lstat()
            if stat.S_ISREG(status.st_mode):
                yield _found("claude", str(path), status)


def _noted_ns(note: "os.DirEntry[str] | None") -> int:
    with suppress(OSError):
        return note.stat().st_mtime_ns if note else 0
    return 0


def _found(client: Client, path: str, status: os.stat_result, noted_ns: int = 0) -> LocalFile:
    return LocalFile(
        path,
        status.st_size,
        _within_reach(status.st_mtime_ns),
        _within_reach(status.st_ctime_ns),
        _within_reach(noted_ns),
        status.st_ino,
        0,
        client,
    )


def _within_reach(time_ns: int) -> int:
    return max(-_FARTHEST_NS, min(time_ns, _FARTHEST_NS))
