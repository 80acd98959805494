"""Rows that wait on disk instead of in memory, until everything was read.

The file has no name: whatever ends the run takes it along, and nobody else can open it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from os import SEEK_END
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, NamedTuple

import polars as pl


class Piece(NamedTuple):
    """Where one frame lies in the file, in bytes."""

    start: int
    length: int


class Spill:
    """Frames put on disk; each comes back as it was, repeated texts as categories."""

    def __init__(self, file: IO[bytes], folder: Path) -> None:
        """Use ``file``, which has no buffer: one would write again what was refused."""
        self._file, self._folder = file, folder

    def put(self, frame: pl.DataFrame) -> Piece:
        """Write ``frame``; raises OSError, which names the folder, where the disk refuses."""
        data = BytesIO()
        frame.write_ipc(data, compression="lz4")
        left = data.getbuffer()
        piece = Piece(self._file.seek(0, SEEK_END), len(left))
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._folder)) from None
        return piece

    def get(self, piece: Piece) -> pl.DataFrame:
        """Return the frame that was put there."""
        self._file.seek(piece.start)
        return pl.read_ipc(self._file.read(piece.length))


@contextmanager
def spilling_into(folder: Path) -> Iterator[Spill]:
    """Give a place for rows on the disk of ``folder``; raises OSError where there is none."""
    with TemporaryFile(dir=folder, buffering=0) as file:
        yield Spill(file, folder)
