"""Which bytes of which transcript were read: so that an unchanged file costs one look.

Only a memory aid: deleting the register costs a re-read and changes nothing. It is written after
the data that it speaks of.
"""

from pathlib import Path
from typing import Final

import msgspec
import polars as pl
from msgspec import Struct

from fleet_pipeline.errors import SourceError
from fleet_pipeline.ledger.store import read_frame, write_frame
from fleet_pipeline.ledger.versions import PARSER_VERSION
from fleet_pipeline.transcripts.files import Opened, Pieces, SourceFile
from fleet_pipeline.transcripts.lines import digest

_FINGERPRINT: Final = 4096

_SCHEMA = pl.Schema(
    {
        "host": pl.String,
        "file_id": pl.Int64,
        "size": pl.Int64,
        "modified_ns": pl.Int64,
        "changed_ns": pl.Int64,
        "noted_ns": pl.Int64,
        "inode": pl.UInt64,
        "content": pl.Int64,
        "offset": pl.Int64,
        "head": pl.Int64,
        "tail": pl.Int64,
        "lines": pl.Int64,
        "request_lines": pl.Int64,
        "awaits_time": pl.Boolean,
        "state": pl.Binary,
        "parser_version": pl.Int64,
    }
)


class Entry(Struct, frozen=True):
    """What is known of one file after it was read up to ``offset`` (bytes).

    ``head`` and ``tail`` fingerprint the first and last 4 KiB before ``offset``; ``lines`` and
    ``request_lines`` count what lies before it; ``state`` is what the reader carries over it.
    ``awaits_time`` says that a line was too far ahead of the file's clock to be believed yet.
    """

    host: str
    file_id: int
    size: int
    modified_ns: int
    changed_ns: int
    noted_ns: int
    inode: int
    content: int
    offset: int
    head: int
    tail: int
    lines: int
    request_lines: int
    awaits_time: bool
    state: bytes | None
    parser_version: int = PARSER_VERSION

    def is_unchanged(self, file: SourceFile) -> bool:
        """Say whether the file looks as it did, going by what its store tells unasked.

        A store that has a name for the content is taken at its word, whenever it was put there.
        """
        same_place = (self.modified_ns, self.changed_ns, self.inode) == (
            file.modified_ns,
            file.changed_ns,
            file.inode,
        )
        return (
            self.parser_version == PARSER_VERSION
            and self.size == file.size
            and self.noted_ns == file.noted_ns
            and self.content == file.content
            and (file.content != 0 or same_place)
        )

    def has_only_grown(self, file: SourceFile, opened: Opened) -> bool:
        """Say whether everything before ``offset`` is still what was read, and still as credible.

        A file of the same size counts only if its time is the same too: else it was edited.
        """
        return (
            self.parser_version == PARSER_VERSION
            and not self.awaits_time
            and self.noted_ns == file.noted_ns
            and self.inode == file.inode
            and (
                file.size > self.size
                or (file.size, file.modified_ns, file.content)
                == (self.size, self.modified_ns, self.content)
            )
            and (self.head, self.tail) == fingerprints(opened, self.offset)
        )


def fingerprints(opened: Pieces, offset: int) -> tuple[int, int]:
    """Return digests of the first and of the last 4 KiB before ``offset``."""
    length = min(offset, _FINGERPRINT)
    head = opened.piece(0, length)
    return digest(head), digest(opened.piece(offset - length, length))


class Register:
    """The entries of every file that was ever read on this home."""

    def __init__(self, path: Path) -> None:
        """Load the register; one that is missing, damaged or of another version is empty."""
        self._path = path
        self._changed = False
        try:
            fits = pl.scan_parquet(path, glob=False).collect_schema() == _SCHEMA
            rows = read_frame(path, _SCHEMA).to_dicts() if fits else []
        except (OSError, SourceError, pl.exceptions.PolarsError):
            rows = []
        entries = msgspec.convert(rows, list[Entry])
        self._entries = {(entry.host, entry.file_id): entry for entry in entries}

    def get(self, host: str, file_id: int) -> Entry | None:
        """Return what is known of a file."""
        return self._entries.get((host, file_id))

    def put(self, entry: Entry) -> None:
        """Remember what was read of a file."""
        self._entries[entry.host, entry.file_id] = entry
        self._changed = True

    def save(self) -> None:
        """Write the register, if anything was put into it."""
        if self._changed:
            rows = [msgspec.structs.asdict(self._entries[key]) for key in sorted(self._entries)]
            write_frame(self._path, pl.DataFrame(rows, schema=_SCHEMA))
            self._changed = False
