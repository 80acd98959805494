"""Which bytes of which transcript were read: so that an unchanged file costs one look.

Only a memory aid: deleting the register costs a re-read and changes nothing. It is written after
the data that it speaks of.
"""

from pathlib import Path

import polars as pl

from fleet_pipeline.errors import SourceError
from fleet_pipeline.ledger.entry import Entry
from fleet_pipeline.ledger.store import UNREADABLE, read_frame, write_frame

_SCHEMA = pl.Schema(
    {  # in the order of an entry's fields
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


class Register:
    """The entries of every file that was ever read on this home."""

    def __init__(self, path: Path) -> None:
        """Load the register; one that is missing, damaged or of another version is empty."""
        self._path = path
        self._changed = False
        try:
            fits = pl.scan_parquet(path, glob=False).collect_schema() == _SCHEMA
            known = read_frame(path, _SCHEMA) if fits else _SCHEMA.to_frame()
        except (OSError, SourceError, *UNREADABLE):
            known = _SCHEMA.to_frame()
        entries = (Entry(*row) for row in known.iter_rows())
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
            entries = [self._entries[key] for key in sorted(self._entries)]
            columns = {name: [getattr(entry, name) for entry in entries] for name in _SCHEMA}
            write_frame(self._path, pl.DataFrame(columns, schema=_SCHEMA))
            self._changed = False
