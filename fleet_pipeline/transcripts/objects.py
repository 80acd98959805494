"""Transcripts in S3: which objects are some, and what one is to its reader.

A host's folders lie under its address as they do on its disk: ``claude/projects/…``,
``codex/sessions/…``, the log of limits under ``claude/fleet/``; beside them under ``evidence/``
what a host sends that keeps its transcripts to itself. The first name may go on in any way and may
begin with a dot, so that a plain copy of ``.claude`` and ``.codex`` is read as well.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal, Self, cast

from msgspec import Struct

from fleet_pipeline.s3 import Address
from fleet_pipeline.statusline import log as statusline
from fleet_pipeline.transcripts.files import (
    NOTE_LIMIT,
    NOTE_SUFFIX,
    Client,
    SourceFile,
    TranscriptFile,
    is_note,
    is_transcript,
)
from fleet_pipeline.transcripts.lines import Bytes, CompressedBytes, digest, is_compressed

if TYPE_CHECKING:
    from fleet_pipeline.s3.bucket import Bucket, Listed, Stream

EVIDENCE: Final = "evidence"
MODIFIED: Final = "mtime"
"""The metadata in which ``fleet ship``, as rclone does, keeps when a file was last written."""

Kind = Literal["transcript", "statusline log", "note"]

_PLACE: Final = re.compile(
    r"\.?(?P<client>claude|codex)[^/]*/(?P<folder>[^/]+)/(?P<rest>.+)", re.DOTALL
)
_FOLDERS: Final = {
    "claude": {"projects", statusline.FOLDER},
    "codex": {"sessions", "archived_sessions"},
}
_COMPRESSED: Final = ".zst"
_KEPT: Final = 2**16
_FARTHEST: Final = 2**32
"""Seconds since 1970: the year 2106. A time beyond is a broken clock's."""


def kind_of(key: str) -> tuple[Kind, Client] | None:
    """Say what an object in a client's folder is, and of which client; None if none of ours."""
    place = _PLACE.fullmatch(key)
    if place is None or place["folder"] not in _FOLDERS[place["client"]]:
        return None
    client = cast(Client, place["client"])
    name = key.rpartition("/")[2]
    if place["folder"] == statusline.FOLDER:
        return ("statusline log", client) if place["rest"] in statusline.LOGS else None
    if client == "claude" and is_note(name):
        return "note", client
    return ("transcript", client) if is_transcript(client, _called(client, name)) else None


class FoundObjects(Struct):
    """What lies under a host's address, by key."""

    transcripts: list["StoredTranscript"]
    statusline_logs: list["StoredTranscript"]
    evidence: list["StoredEvidence"]


def find_objects(address: Address) -> FoundObjects:
    """List what is ours under ``address``; nothing is fetched.

    Raises SourceError where the store refuses or cannot be reached.
    """
    from fleet_pipeline.s3.bucket import Bucket

    bucket = Bucket(address)
    notes: dict[str, Listed] = {}
    tables: dict[str, Listed] = {}
    files: list[tuple[Kind, Client, Listed]] = []
    for listed in bucket.listed():
        kind = kind_of(listed.key)
        if kind and kind[0] == "note":
            notes[listed.key] = listed
        elif kind:
            files.append((*kind, listed))
        elif listed.key.startswith(f"{EVIDENCE}/") and listed.key.endswith(".parquet"):
            tables[listed.key] = listed
    found = FoundObjects([], [], [])
    for what, client, listed in files:
        called = _called(client, listed.key)
        note = notes.get(called.removesuffix(".jsonl") + NOTE_SUFFIX)
        file = StoredTranscript(*_facts(called, listed, note), client, bucket, listed, note)
        kept = found.transcripts if what == "transcript" else found.statusline_logs
        kept.append(file)
    for key, listed in tables.items():
        found.evidence.append(StoredEvidence(*_facts(key, listed), bucket, listed, tables))
    return found


def _called(client: Client, key: str) -> str:
    """Return what a transcript is called by its client: only Codex compresses its own."""
    return key.removesuffix(_COMPRESSED) if client == "claude" else key


def _facts(
    called: str, listed: "Listed", note: "Listed | None" = None
) -> tuple[str, int, int, int, int, int, int]:
    """Return what the register wants to know; a note that is put again is another one."""
    noted = digest(note.etag.encode()) if note else 0
    modified_ns = int(listed.modified.timestamp() * 1e9)
    content = digest(listed.etag.encode())
    return called, listed.size, modified_ns, 0, noted, 0, content


class StoredEvidence(SourceFile, frozen=True):
    """Evidence of another home: one table, or one day of it."""

    bucket: "Bucket"
    listed: "Listed"
    others: Mapping[str, "Listed"]

    def beside(self, name: str) -> bytes | None:
        """Return the table of another name beside this one, if there is one."""
        other = self.others.get(f"{EVIDENCE}/{name}")
        return self.bucket.piece(other, 0, other.size) if other and other.size else None

    def read(self) -> bytes:
        """Return the Parquet file. Raises SourceError where it cannot be read."""
        return self.bucket.piece(self.listed, 0, self.size) if self.size else b""


class StoredTranscript(TranscriptFile, frozen=True):
    """A transcript in S3."""

    bucket: "Bucket"
    listed: "Listed"
    note_listed: "Listed | None"

    def open(self, resume_at: int = 0) -> "_OpenObject":
        """Return the transcript opened; nothing is asked of the store yet."""
        return _OpenObject(self.bucket, self.listed, resume_at)

    def note(self) -> bytes | None:
        """Return the note beside the transcript; raises SourceError where there is one unread."""
        if self.note_listed is None or not 0 < self.note_listed.size <= NOTE_LIMIT:
            return None
        return self.bucket.piece(self.note_listed, 0, self.note_listed.size)


class _OpenObject:
    """An object whose bytes come in one stream wherever that is possible.

    A reader looks at the beginning, reads all and looks at the end; or it looks before the place
    where it left off, and goes on from there.
    """

    def __init__(self, bucket: "Bucket", listed: "Listed", resume_at: int) -> None:
        self._bucket, self._listed = bucket, listed
        self._first = b""
        self._window = self._from(max(0, resume_at - _KEPT) if resume_at <= listed.size else 0)

    @property
    def written(self) -> datetime:
        """When the transcript was last written on its host, if that was noted."""
        if not self._listed.size:
            return self._listed.modified
        self._window.ahead(1)
        try:
            noted = min(float(self._window.stream.metadata[MODIFIED]), _FARTHEST)
            return datetime.fromtimestamp(noted, UTC)
        except (KeyError, ValueError, OverflowError, OSError):
            return self._listed.modified

    @property
    def compressed(self) -> bool:
        return is_compressed(self.piece(0, 4))

    def bytes_from(self, start: int) -> Bytes:
        if not self._window.skip_to(start):
            self._window.stream.close()
            self._window = self._from(start)
        return CompressedBytes(self._window) if self.compressed else self._window

    def piece(self, start: int, length: int) -> bytes:
        end = min(start + length, self._listed.size)
        if start >= end:
            return b""
        kept = self._window.piece(start, end)
        if kept is None and end <= _KEPT:
            self._first = self._first or self._fetched(0, min(_KEPT, self._listed.size))
            kept = self._first[start:end]
        return self._fetched(start, end) if kept is None else kept

    def _fetched(self, start: int, end: int) -> bytes:
        return self._bucket.piece(self._listed, start, end)

    def _from(self, start: int) -> "_Window":
        return _Window(self._bucket.stream(self._listed, start), start)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._window.stream.close()


class _Window:
    """A stream that can be looked into a little before and a little behind its place."""

    def __init__(self, stream: "Stream", start: int) -> None:
        self.stream = stream
        self._start = self._position = start
        self._first = b""
        self._ahead = b""
        self._behind = b""

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill ``buffer`` from the next bytes."""
        if self._ahead:
            count = min(len(self._ahead), len(buffer))
            buffer[:count] = self._ahead[:count]
            self._ahead = self._ahead[count:]
        else:
            count = self.stream.readinto(buffer)
        self._passed(buffer[:count])
        return count

    def ahead(self, length: int) -> bytes:
        """Return the next bytes without taking them, fewer at the end."""
        while len(self._ahead) < length:
            buffer = bytearray(max(length, _KEPT))
            count = self.stream.readinto(memoryview(buffer))
            if not count:
                break
            self._ahead += buffer[:count]
        return self._ahead[:length]

    def skip_to(self, place: int) -> bool:
        """Go to a place a little further on; say whether it is one."""
        skipped = place - self._position
        if not 0 <= skipped <= _KEPT:
            return False
        self._passed(memoryview(self.ahead(skipped)))
        self._ahead = self._ahead[skipped:]
        return True

    def piece(self, start: int, end: int) -> bytes | None:
        """Return bytes that passed by lately, the first ones or the next ones; None if neither."""
        if self._position <= start and end <= self._position + _KEPT:
            return self.ahead(end - self._position)[start - self._position :]
        for kept, at in (
            (self._behind, self._position - len(self._behind)),
            (self._first, self._start),
        ):
            if at <= start and end <= at + len(kept):
                return kept[start - at : end - at]
        return None

    def _passed(self, data: memoryview) -> None:
        if len(self._first) < _KEPT:
            self._first += data[: _KEPT - len(self._first)]
        self._behind = (self._behind + data)[-_KEPT:] if len(data) < _KEPT else bytes(data[-_KEPT:])
        self._position += len(data)
