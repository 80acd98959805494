"""Whole lines out of a file, whatever the buffer's borders do to them."""

import io
import os

import pytest
import zstandard
from hypothesis import example, given
from hypothesis import strategies as st

from fleet_pipeline.errors import SourceError
from fleet_pipeline.transcripts import lines as reading
from fleet_pipeline.transcripts.lines import (
    CompressedBytes,
    Lines,
    PlainBytes,
    digest,
    every_line,
    is_compressed,
    open_regular,
)

SMALL_BUFFER, SMALL_LIMIT = 16, 64


@pytest.fixture(scope="module", autouse=True)
def small_borders():
    """Make the buffer and the longest line small enough to try every border."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "_BUFFER", SMALL_BUFFER)
        patch.setattr(reading, "LINE_LIMIT", SMALL_LIMIT)
        yield


class Drip(io.BytesIO):
    """Bytes that come in pieces of at most so many, as from a pipe or a decompressor."""

    def __init__(self, data: bytes, most: int) -> None:
        super().__init__(data)
        self.most = most

    def readinto(self, buffer, /) -> int:
        return super().readinto(memoryview(buffer)[: self.most])


def taken(data: bytes, most: int = 10**6, start: int = 0) -> tuple[list[tuple[int, bytes]], Lines]:
    lines = Lines(Drip(data, most), start)
    return [(offset, bytes(line)) for offset, line in lines], lines


def split(data: bytes) -> list[tuple[int, bytes]]:
    """Return the whole lines of ``data`` the obvious way: every line that ends, blank ones not."""
    offset, found = 0, []
    for line in data.split(b"\n")[:-1]:
        if line.strip():
            found.append((offset, line))
        offset += len(line) + 1
    return found


pieces = st.binary(max_size=SMALL_LIMIT - 1).map(lambda line: line.replace(b"\n", b"-"))
ends_of_lines = st.sampled_from([b"\n", b"\r\n", b"\n\n", b"\n \t\n"])
files = st.lists(st.tuples(pieces, ends_of_lines), max_size=8).map(
    lambda parts: b"".join(line[: SMALL_LIMIT - 2] + end for line, end in parts)
)


@given(data=files, pending=pieces, most=st.integers(1, 40))
@example(data=b"x" * 15 + b"\n" + b"y" * 16 + b"\n" + b"z" * 17 + b"\n", pending=b"", most=16)
def test_lines_are_the_same_wherever_the_buffer_ends(data, pending, most):
    data = data.removeprefix(b"\xef\xbb\xbf")
    found, lines = taken(data + pending, most)
    assert found == split(data)
    assert (lines.end, lines.count) == (len(data), data.count(b"\n"))


@given(data=files, most=st.integers(1, 40), cut=st.integers(0, 500))
def test_reading_on_from_the_end_of_the_last_whole_line_misses_and_repeats_nothing(data, most, cut):
    data = data.removeprefix(b"\xef\xbb\xbf")
    before, first = taken(data[:cut], most)
    behind, second = taken(data[first.end :], most, first.end)
    assert before + behind == split(data)
    assert first.count + second.count == data.count(b"\n")
    assert second.end == len(data)


@given(
    lengths=st.lists(st.integers(1, 3 * SMALL_LIMIT), max_size=8),
    most=st.integers(1, 3 * SMALL_LIMIT),
    pending=st.integers(0, 2 * SMALL_LIMIT),
)
@example(lengths=[SMALL_LIMIT, 1], most=SMALL_LIMIT, pending=0)
@example(lengths=[SMALL_LIMIT + 1, 1], most=7, pending=0)
@example(lengths=[1, SMALL_LIMIT - 1, 200, 1], most=200, pending=SMALL_LIMIT)
def test_a_line_over_the_limit_is_passed_over_and_all_others_are_kept(lengths, most, pending):
    """The limit itself may fall on either side; no line on one side of it changes with another."""
    data = b"".join(b"x" * length + b"\n" for length in lengths)
    found, lines = taken(data + b"x" * pending, most)
    long = [(offset, len(line)) for offset, line in split(data) if len(line) > SMALL_LIMIT]
    short = [(offset, line) for offset, line in split(data) if len(line) < SMALL_LIMIT]
    assert [line for line in lines.too_long if line[1] > SMALL_LIMIT] == long
    assert [line for line in found if len(line[1]) < SMALL_LIMIT] == short
    assert sorted(lines.too_long + [(offset, len(line)) for offset, line in found]) == [
        (offset, len(line)) for offset, line in split(data)
    ]
    assert (lines.end, lines.count) == (len(data), len(lengths))


def test_a_line_over_the_limit_that_has_not_ended_is_pending():
    found, lines = taken(b"a\n" + b"x" * (10 * SMALL_LIMIT))
    assert (found, lines.end, lines.too_long) == ([(0, b"a")], 2, [])


def test_a_last_line_without_its_newline_is_pending_though_it_looks_complete():
    found, lines = taken(b'{"a":1}\n{"b":2}')
    assert (found, lines.end, lines.count) == ([(0, b'{"a":1}')], 8, 1)


def test_blank_lines_are_counted_and_left_out():
    found, lines = taken(b"\n  \n\ta\n\r\n\x0b\nb\n")
    assert found == [(4, b"\ta"), (11, b"b")]
    assert lines.count == 6


def test_a_run_of_nul_bytes_is_a_line_and_not_blank():
    found, _ = taken(b"a\n" + b"\0" * 9 + b"\nb\n")
    assert found == [(0, b"a"), (2, b"\0" * 9), (12, b"b")]


def test_a_byte_order_mark_belongs_to_no_line():
    found, lines = taken(b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n")
    assert found == [(3, b"a"), (5, b"\xef\xbb\xbfb")]
    assert lines.end == 10


def test_a_byte_order_mark_is_only_looked_for_at_the_start_of_the_file():
    found, _ = taken(b"\xef\xbb\xbfa\n", start=100)
    assert found == [(100, b"\xef\xbb\xbfa")]


def test_a_line_that_the_scan_passes_over_is_counted_and_not_given():
    def all_but_b(buffer, begin, end):
        extents, count = every_line(buffer, begin, end)
        return [(a, z) for a, z in extents if buffer[a:z] != b"b"], count

    lines = Lines(io.BytesIO(b"a\nb\nc\n"), scan=all_but_b)
    assert [bytes(line) for _, line in lines] == [b"a", b"c"]
    assert lines.count == 3


@pytest.fixture
def opened(tmp_path):
    """Write bytes to a file and open it the way that the ledger does."""
    descriptors = []

    def write(data: bytes) -> int:
        path = tmp_path / f"{len(descriptors)}"
        path.write_bytes(data)
        descriptors.append(open_regular(path))
        return descriptors[-1]

    yield write
    for descriptor in descriptors:
        os.close(descriptor)


def test_an_open_file_is_read_from_its_start_to_its_end_and_not_beyond(opened):
    source = PlainBytes(opened(b"0123456789"), 2, 5)
    buffer = bytearray(10)
    assert source.readinto(memoryview(buffer)) == 3
    assert buffer[:3] == b"234"
    assert source.readinto(memoryview(buffer)) == 0


def test_bytes_behind_a_files_end_are_not_waited_for(opened):
    source = PlainBytes(opened(b"01"), 0, 50)
    buffer = bytearray(10)
    assert [source.readinto(memoryview(buffer)) for _ in range(2)] == [2, 0]


@given(data=files)
def test_a_compressed_file_has_the_lines_of_the_plain_one(data):
    data = data.removeprefix(b"\xef\xbb\xbf")
    with io.BytesIO(data) as plain:
        expected = [bytes(line) for _, line in Lines(plain)]
    assert compressed_lines(zstandard.compress(data)) == expected


def compressed_lines(data: bytes) -> list[bytes]:
    descriptor = os.memfd_create("rollout")
    try:
        os.write(descriptor, data)
        source = CompressedBytes(PlainBytes(descriptor, 0, len(data)))
        return [bytes(line) for _, line in Lines(source)]
    finally:
        os.close(descriptor)


def test_a_compressed_file_may_have_several_frames_even_empty_ones():
    frames = [zstandard.compress(part) for part in (b"a\nb", b"", b"\nc\n")]
    assert compressed_lines(b"".join(frames)) == [b"a", b"b", b"c"]


def test_a_damaged_compressed_file_is_an_error_that_names_no_content():
    data = bytearray(zstandard.compress(b"a secret line\n" * 100))
    data[6:] = b"\xff" * (len(data) - 6)
    with pytest.raises(SourceError, match="damaged Zstandard file") as caught:
        compressed_lines(bytes(data))
    assert "secret" not in str(caught.value)


def test_a_compressed_file_that_was_cut_gives_the_lines_before_the_cut():
    data = zstandard.ZstdCompressor(write_content_size=False).compress(b"a\nb\n")
    assert compressed_lines(data[:-2]) in ([], [b"a"], [b"a", b"b"])


def test_compression_is_seen_in_the_first_bytes_and_not_in_the_name():
    assert is_compressed(zstandard.compress(b"a\n")[:4])
    assert not is_compressed(b'{"type":"session_meta"}\n')
    assert not is_compressed(b"")


def test_only_regular_files_are_opened_and_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "target").write_bytes(b"a\n")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    for name in ("pipe", "."):
        with pytest.raises(SourceError, match="not a regular file"):
            open_regular(tmp_path / name)
    with pytest.raises(OSError):
        open_regular(tmp_path / "link")


@given(data=st.binary(max_size=100))
def test_a_digest_is_a_number_that_a_signed_column_holds(data):
    assert 0 <= digest(data) < 2**63
    assert digest(data) == digest(bytearray(data)) == digest(memoryview(data))
