"""What of a host was sent to one address, so that an unchanged file costs one look.

Only a memory aid: where it is lost, files are compared with what lies there or sent again. Keys
name projects: they are kept as digests.
"""

from collections.abc import Mapping
from os import stat_result
from pathlib import Path
from typing import Self

import msgspec
from msgspec import Struct

from fleet_pipeline.home import Home, write_whole
from fleet_pipeline.s3 import Address
from fleet_pipeline.transcripts.lines import digest


class Sent(Struct, frozen=True):
    """A file as it was when it was sent, and the ETag that the store gave it."""

    size: int
    modified_ns: int
    changed_ns: int
    inode: int
    head: int
    tail: int
    etag: str

    def is_unchanged(self, status: stat_result) -> bool:
        """Say whether the file looks as it did, going by what one stat tells."""
        return (self.size, self.modified_ns, self.changed_ns, self.inode) == (
            status.st_size,
            status.st_mtime_ns,
            status.st_ctime_ns,
            status.st_ino,
        )


class SentRegister:
    """What was sent to one address."""

    @classmethod
    def of(cls, home: Home, address: Address) -> Self:
        """Return what ``home`` remembers of the files sent to ``address``."""
        store = f"{address.endpoint_url or ''} {address}"
        return cls(home.shipped / f"{digest(store.encode()):x}.json")

    def __init__(self, path: Path) -> None:
        """Load the register; one that is missing or damaged is empty."""
        self._path = path
        try:
            self._sent = msgspec.json.decode(path.read_bytes(), type=dict[str, Sent])
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            self._sent = {}
        self._saved: Mapping[str, Sent] = dict(self._sent)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was sent yet, as far as is known."""
        return not self._sent

    def get(self, key: str) -> Sent | None:
        """Return what is known of a file."""
        return self._sent.get(_name(key))

    def put(self, key: str, sent: Sent) -> None:
        """Remember that a file was sent."""
        self._sent[_name(key)] = sent

    def save(self) -> None:
        """Write the register, if anything was put into it."""
        if self._sent != self._saved:
            write_whole(self._path, msgspec.json.encode(self._sent, order="sorted"))
            self._saved = dict(self._sent)


def _name(key: str) -> str:
    return f"{digest(key.encode('utf-8', 'surrogateescape')):x}"
