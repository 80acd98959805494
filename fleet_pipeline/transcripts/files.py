"""A transcript to its reader: a name, what its store says of it, and bytes from any offset.

The seam between where transcripts lie and what becomes of them: files of this machine are here,
objects in S3 in ``objects``. Which of them are transcripts is said in ``discover``.
"""

import os
from abc import ABCMeta, abstractmethod
from datetime import UTC, datetime
from functools import cached_property
from types import TracebackType
from typing import Final, Literal, Protocol, Self

from msgspec import Struct, StructMeta

from fleet_pipeline.errors import SourceError
from fleet_pipeline.statusline import log as statusline
from fleet_pipeline.transcripts.lines import (
    Bytes,
    CompressedBytes,
    PlainBytes,
    digest,
    is_compressed,
    open_regular,
)

Client = Literal["claude", "codex"]

NOTE_SUFFIX: Final = ".meta.json"
"""Ends the name of what a client notes beside a subagent's transcript, in place of ``.jsonl``."""

NOTE_LIMIT: Final = 2**20
"""Bytes; more is no note."""


class Pieces(Protocol):
    """Anything stored that can be looked at in any place."""

    def piece(self, start: int, length: int) -> bytes:
        """Return ``length`` bytes as they are stored, fewer at the end."""


class Opened(Pieces, Protocol):
    """A transcript that is open."""

    @property
    def written(self) -> datetime:
        """When the transcript was last written, in UTC."""

    @property
    def compressed(self) -> bool:
        """Whether it is Zstandard, by its first bytes rather than its name."""

    def bytes_from(self, start: int) -> Bytes:
        """Return the bytes from ``start`` on, up to the size that it was found with.

        Of a compressed one they are what is inside, and ``start`` is 0.
        """

    def __enter__(self) -> Self:
        """Return the transcript itself."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""


def is_transcript(client: Client, name: str) -> bool:
    """Say whether a file of this name in a client's folders is a transcript."""
    if client == "claude":
        return name.endswith(".jsonl") and name not in ("journal.jsonl", *statusline.LOGS)
    return name.endswith((".jsonl", ".jsonl.zst")) and name.startswith("rollout-")


def is_note(name: str) -> bool:
    """Say whether Claude Code notes a subagent's type in a file of this name."""
    return name.startswith("agent-") and name.endswith(NOTE_SUFFIX)


class _AbstractStruct(StructMeta, ABCMeta):
    """Makes a class without its abstract methods impossible to use, of structs as well."""


class SourceFile(Struct, frozen=True, gc=False, metaclass=_AbstractStruct):
    """A file as its store knows it; times in nanoseconds since 1970, UTC.

    There may be tens of thousands of them at a time, so that each is small: a path is plain text.

    ``noted_ns`` is when a subagent's type was noted beside its transcript (a digest of the note's
    ETag in S3), 0 if it was not. ``changed_ns`` and ``inode`` are a file system's; ``content`` is a
    digest of the name that the store has for the content (S3's ETag), else 0. ``path`` says how it
    is called, not where it is.
    """

    path: str
    size: int
    modified_ns: int
    changed_ns: int
    noted_ns: int
    inode: int
    content: int

    @property
    def id(self) -> int:
        """A number that stands for the path, which may name projects and is kept nowhere."""
        return digest(os.fsencode(self.path))

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


class TranscriptFile(SourceFile, frozen=True):
    """A transcript, or a log of limits, of one client."""

    client: Client

    @abstractmethod
    def open(self, resume_at: int = 0) -> Opened:
        """Return the transcript opened, most likely to be read from ``resume_at``.

        Raises SourceError or OSError where it cannot be read.
        """

    @abstractmethod
    def note(self) -> bytes | None:
        """Return what the client noted beside a subagent's transcript, if it did."""


class LocalFile(TranscriptFile, frozen=True):
    """A file of this machine."""

    def open(self, resume_at: int = 0) -> Opened:
        """Return the file opened; links, pipes and devices are refused."""
        return _OpenFile(open_regular(self.path), self.size, self.modified_ns)

    def note(self) -> bytes | None:
        """Return the beginning of the note beside the file, if there is one to be read."""
        try:
            descriptor = open_regular(self.path.removesuffix(".jsonl") + NOTE_SUFFIX)
        except (OSError, SourceError):
            return None
        try:
            return os.read(descriptor, NOTE_LIMIT)
        except OSError:
            return None
        finally:
            os.close(descriptor)


class _OpenFile:
    def __init__(self, descriptor: int, size: int, modified_ns: int) -> None:
        self._descriptor, self._size = descriptor, size
        self.written = datetime.fromtimestamp(modified_ns / 1e9, UTC)

    @cached_property
    def compressed(self) -> bool:
        return is_compressed(self.piece(0, 4))

    def bytes_from(self, start: int) -> Bytes:
        source = PlainBytes(self._descriptor, start, self._size)
        return CompressedBytes(source) if self.compressed else source

    def piece(self, start: int, length: int) -> bytes:
        return os.pread(self._descriptor, length, start)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)
