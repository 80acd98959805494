"""Rows on disk while others are read: they come back as they were, and leave nothing behind."""

import errno
import os

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_pipeline.ledger.spill import Spill, spilling_into

ROWS = st.lists(
    st.tuples(st.none() | st.text(max_size=5), st.none() | st.integers(-(2**63), 2**63 - 1)),
    max_size=8,
)
SCHEMA = pl.Schema({"model": pl.Categorical(), "tokens": pl.Int64()})


@given(st.lists(ROWS, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_every_frame_comes_back_as_it_was_in_any_order(tmp_path_factory, all_rows, random):
    frames = [pl.DataFrame(rows, SCHEMA, orient="row") for rows in all_rows]
    with spilling_into(tmp_path_factory.getbasetemp()) as spill:
        pieces = [(frame, spill.put(frame)) for frame in frames]
        random.shuffle(pieces)
        for frame, piece in pieces:
            back = spill.get(piece)
            assert back.schema == SCHEMA
            assert back.equals(frame)


def test_the_file_has_no_name_at_any_time(tmp_path):
    with spilling_into(tmp_path) as spill:
        spill.put(pl.DataFrame({"tokens": [1]}))
        assert not list(tmp_path.iterdir())
    assert not list(tmp_path.iterdir())


class Disk:
    """Takes a few bytes at a time, and no more than it has room for."""

    def __init__(self, file, room: int) -> None:
        self.seek, self.read, self._file, self._room = file.seek, file.read, file, room

    def write(self, data: memoryview) -> int:
        if not self._room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = self._file.write(data[: min(100, self._room)])
        self._room -= taken
        return taken


def test_a_disk_that_takes_a_part_at_a_time_gets_it_all(tmp_path):
    frame = pl.DataFrame({"tokens": range(1_000)})
    with (tmp_path / "spill").open("w+b", buffering=0) as file:
        spill = Spill(Disk(file, 2**20), tmp_path)
        assert spill.get(spill.put(frame)).equals(frame)


def test_a_full_disk_is_told_by_the_name_of_the_folder(tmp_path):
    with (tmp_path / "spill").open("w+b", buffering=0) as file:
        spill = Spill(Disk(file, 250), tmp_path)
        with pytest.raises(OSError, match="No space left") as told:
            spill.put(pl.DataFrame({"tokens": range(1_000)}))
    assert told.value.filename == str(tmp_path)
