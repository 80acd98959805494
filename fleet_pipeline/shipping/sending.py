"""Sending what is new: whole files, or what was appended to one that only grew.

An object is seen whole or not at all. Whatever interrupts a shipment, the next one goes on where it
stopped.
"""

import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import md5
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from fleet_pipeline.errors import SourceError, StoreError
from fleet_pipeline.ledger.entry import fingerprints
from fleet_pipeline.s3.bucket import Bucket, Listed, Upload
from fleet_pipeline.shipping.manifest import Item
from fleet_pipeline.shipping.sent import Sent, SentRegister
from fleet_pipeline.transcripts.lines import open_regular
from fleet_pipeline.transcripts.objects import MODIFIED

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PART: Final = 32 * 2**20
"""Bytes that are sent at once; a larger file goes in parts of this size."""

LEAST_KEPT: Final = 5 * 2**20
"""Bytes that S3 takes over from an object that is there already; less is sent again."""

_SAVED_EVERY: Final = 50
_READ: Final = 2**20
_FAULTS_IN_A_ROW: Final = 3


@dataclass
class Shipment:
    """What one shipment did; ``passed_over`` counts files by reason, ``failure`` ended it early."""

    files: int = 0
    files_sent: int = 0
    bytes_sent: int = 0
    passed_over: dict[str, int] = field(default_factory=dict)
    failure: str | None = None

    def pass_over(self, reason: str) -> None:
        """Count one file that was not sent."""
        self.passed_over[reason] = self.passed_over.get(reason, 0) + 1


def ship(
    items: Sequence[Item],
    bucket: Bucket,
    register: SentRegister,
    progress: Callable[[int], None] | None = None,
) -> Shipment:
    """Send what ``bucket`` does not hold yet; ``progress`` is told how many files are dealt with.

    Raises StoreError where the store cannot even be listed, OSError where the register cannot be
    written.
    """
    try:
        there = {listed.key: listed for listed in bucket.listed()}
    except StoreError as error:
        raise StoreError(f"{bucket.address}: {error}") from None
    shipment = Shipment(files=len(items))
    faults = 0
    try:
        for number, item in enumerate(items, start=1):
            try:
                sent = _send_what_is_new(item, bucket, register, there.get(item.key))
                if sent is not None:
                    shipment.files_sent += 1
                    shipment.bytes_sent += sent
                    faults = 0
            except FileNotFoundError:
                shipment.pass_over("vanished")
            except UnicodeEncodeError:
                shipment.pass_over("its name is no text")
            except SourceError as error:
                shipment.pass_over(str(error))
                faults = faults + 1 if isinstance(error, StoreError) else 0
                if faults == _FAULTS_IN_A_ROW:
                    shipment.failure = f"given up after several faults in a row: {error}"
                    break
            except OSError:
                shipment.pass_over("not readable")
            if number % _SAVED_EVERY == 0:
                register.save()
            if progress:
                progress(1)
    finally:
        register.save()
    return shipment


def _send_what_is_new(
    item: Item, bucket: Bucket, register: SentRegister, listed: Listed | None
) -> int | None:
    """Send a file, or its new part; return how many bytes it took, None if it is all there."""
    item.key.encode()  # or it cannot be a key
    known = register.get(item.key)
    if known and (listed is None or (known.etag, known.size) != (listed.etag, listed.size)):
        known = None
    if known and known.is_unchanged(item.path.lstat()):
        return None
    with _Outgoing(item.path) as file:
        if listed and file.is_what_lies_there(listed):
            register.put(item.key, file.sent(listed.etag))
            return None
        etag, count = None, file.size
        if known and known.size >= LEAST_KEPT and file.has_only_grown(known):
            etag, count = _append(item.key, file, bucket, known), file.size - known.size
        if etag is None:
            etag, count = _send_whole(item.key, file, bucket), file.size
        register.put(item.key, file.sent(etag))
        return count


def _append(key: str, file: "_Outgoing", bucket: Bucket, known: Sent) -> str | None:
    """Send what follows ``known``, which the store takes over; None if it cannot."""
    with bucket.upload(key, file.metadata) as upload:
        if not upload.copy(known.etag, known.size):
            return None
        _send_parts(upload, file, known.size)
        return upload.done(file.size)


def _send_whole(key: str, file: "_Outgoing", bucket: Bucket) -> str:
    if file.size <= PART:
        return bucket.put(key, file.part(0, file.size), file.size, file.metadata)
    with bucket.upload(key, file.metadata) as upload:
        _send_parts(upload, file, 0)
        etag = upload.done(file.size)
    if etag is None:
        raise SourceError("the store did not keep all of it")
    return etag


def _send_parts(upload: Upload, file: "_Outgoing", start: int) -> None:
    for begin in range(start, file.size, PART):
        end = min(begin + PART, file.size)
        upload.send(file.part(begin, end), end - begin)


class _Outgoing:
    """A file that is open, as it is now: what is appended meanwhile is for the next shipment."""

    def __init__(self, path: Path) -> None:
        self._descriptor = open_regular(path)
        self._status = os.fstat(self._descriptor)
        self.size = self._status.st_size
        # As rclone keeps it: seconds since 1970.
        self.metadata = {MODIFIED: f"{self._status.st_mtime_ns / 1e9:.6f}"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def piece(self, start: int, length: int) -> bytes:
        return os.pread(self._descriptor, length, start)

    def part(self, start: int, end: int) -> "_Part":
        return _Part(self._descriptor, start, end)

    def has_only_grown(self, known: Sent) -> bool:
        return (
            self.size > known.size
            and self._status.st_ino == known.inode
            and (known.head, known.tail) == fingerprints(self, known.size)
        )

    def is_what_lies_there(self, listed: Listed) -> bool:
        """Say whether an object holds just this, where its ETag is the MD5 that it mostly is."""
        if listed.size != self.size or "-" in listed.etag:
            return False
        hashed = md5(usedforsecurity=False)
        for begin in range(0, self.size, _READ):
            hashed.update(self.piece(begin, _READ))
        return hashed.hexdigest() == listed.etag

    def sent(self, etag: str) -> Sent:
        head, tail = fingerprints(self, self.size)
        status = self._status
        return Sent(
            size=self.size,
            modified_ns=status.st_mtime_ns,
            changed_ns=status.st_ctime_ns,
            inode=status.st_ino,
            head=head,
            tail=tail,
            etag=etag,
        )


class _Part(io.RawIOBase):
    """A part of a file that can be read again when an attempt to send it fails."""

    def __init__(self, descriptor: int, start: int, end: int) -> None:
        self._descriptor, self._start, self._length = descriptor, start, end - start
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._length}[whence]
        self._position = base + offset
        return self._position

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer)
        room = max(0, min(len(view), self._length - self._position))
        count = os.preadv(self._descriptor, [view[:room]], self._start + self._position)
        if room and not count:
            raise SourceError("changed while it was sent")
        self._position += count
        return count
