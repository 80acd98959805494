"""Whole lines out of a transcript, as fast as one reused buffer allows.

Bytes and offsets only: what a line means is for ``claude`` and ``codex`` to say.
"""

import io
import os
import stat
from collections.abc import Callable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from fleet_pipeline.errors import SourceError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

LINE_LIMIT: Final = 64 * 2**20
"""Bytes; a longer line is passed over and counted, so that memory stays bounded."""

_BUFFER: Final = 2**18
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_ZSTANDARD: Final = b"\x28\xb5\x2f\xfd"


class Bytes(Protocol):
    """Anything that fills a buffer."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Put the next bytes into ``buffer`` and say how many; 0 at the end."""


def digest(data: bytes | bytearray | memoryview) -> int:
    """Return 63 bits that stand for ``data``: fingerprints and ids, never its content."""
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big") >> 1


def open_regular(path: str | Path) -> int:
    """Return a descriptor of a regular file; links, pipes and devices are refused at once.

    Raises SourceError naming what the path is instead.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise SourceError("not a regular file")
    return descriptor


class PlainBytes:
    """The bytes of an open file from ``start`` up to ``end``, whatever is appended meanwhile."""

    def __init__(self, descriptor: int, start: int, end: int) -> None:
        """Read from byte ``start``, never past byte ``end``."""
        self._descriptor = descriptor
        self._position = start
        self._end = end

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill ``buffer`` from the next bytes."""
        room = min(len(buffer), self._end - self._position)
        count = os.preadv(self._descriptor, [buffer[:room]], self._position) if room > 0 else 0
        self._position += count
        return count


class CompressedBytes:
    """The bytes inside of Zstandard."""

    def __init__(self, source: Bytes) -> None:
        """Unpack ``source`` from its beginning."""
        import zstandard  # few transcripts are packed, and it takes as long to load as to list them

        self._damage = zstandard.ZstdError
        decompressor = zstandard.ZstdDecompressor()
        self._stream = decompressor.stream_reader(
            io.BufferedReader(_Stream(source)), read_across_frames=True
        )

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill ``buffer``; raises SourceError where the file is damaged."""
        try:
            return self._stream.readinto(buffer)
        except self._damage:
            raise SourceError("damaged Zstandard file") from None


class _Stream(io.RawIOBase):
    """Bytes as the standard library sees them."""

    def __init__(self, source: Bytes) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        return self._source.readinto(memoryview(buffer)) or 0


def is_compressed(first: bytes) -> bool:
    """Say whether a file is Zstandard, by its first bytes rather than its name."""
    return first.startswith(_ZSTANDARD)


Scan = Callable[[bytearray, int, int], tuple[list[tuple[int, int]], int]]
"""Finds the lines worth giving in a buffer's whole lines from one place to another.

Returns the extent of each, without its newline, and how many lines there were in all.
"""


def every_line(buffer: bytearray, begin: int, end: int) -> tuple[list[tuple[int, int]], int]:
    """Return the extents of all lines that are not blank, and how many lines there are."""
    extents = []
    count = 0
    while begin < end:
        newline = buffer.find(b"\n", begin, end)
        count += 1
        # Only a line that begins with white space can be blank: the rest is not copied.
        if buffer[begin] > 32 or buffer[begin:newline].strip():
            extents.append((begin, newline))
        begin = newline + 1
    return extents, count


class Lines:
    """The whole lines of a file as (offset, bytes), in order.

    The bytes are a view into a buffer that the next step of the iteration overwrites. Blank lines
    are left out; a last line without its newline is pending and not given. After the iteration
    ``end`` is the offset behind the last whole line, ``count`` the number of lines seen and
    ``too_long`` holds (offset, length) of each line beyond ``LINE_LIMIT``.
    """

    def __init__(self, source: Bytes, start: int = 0, *, scan: Scan = every_line) -> None:
        """Take the bytes of ``source``, the first of which lies at offset ``start``.

        Where most lines need not be given, a ``scan`` that passes over them is cheaper than a view
        of each.
        """
        self._source = source
        self._scan = scan
        self.end = start
        self.count = 0
        self.too_long: list[tuple[int, int]] = []

    def __iter__(self) -> Iterator[tuple[int, memoryview]]:
        """Read to the end, one line at a time."""
        buffer = bytearray(_BUFFER)
        view = memoryview(buffer)
        filled = searched = 0
        while True:
            whole = buffer.rfind(b"\n", searched, filled) + 1
            if whole:
                base = self.end
                first = len(_BYTE_ORDER_MARK) * (not base and buffer.startswith(_BYTE_ORDER_MARK))
                extents, count = self._scan(buffer, first, whole)
                self.count += count
                for begin, end in extents:
                    yield base + begin, view[begin:end]
                self.end = base + whole
                view[: filled - whole] = view[whole:filled]
                filled -= whole
            searched = filled
            if filled >= LINE_LIMIT:
                filled, searched = self._pass_over(view, filled), 0
                continue
            if filled == len(buffer):
                larger = bytearray(len(buffer) * 2)
                larger[:filled] = buffer
                buffer, view = larger, memoryview(larger)
            count = self._source.readinto(view[filled:]) or 0
            if not count:
                return
            filled += count

    def _pass_over(self, view: memoryview, length: int) -> int:
        """Skip the rest of a line that is too long; return how much of what follows is here."""
        start = self.end
        view = view[:_BUFFER]  # it is copied to be searched
        while count := self._source.readinto(view):
            newline = bytes(view[:count]).find(b"\n")
            if newline < 0:
                length += count
                continue
            self.count += 1
            self.too_long.append((start, length + newline))
            self.end = start + length + newline + 1
            rest = bytes(view[newline + 1 : count])
            view[: len(rest)] = rest
            return len(rest)
        return 0
