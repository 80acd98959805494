"""Nothing that people or models wrote leaves a transcript: not to the lake, not to a log."""

import errno
import os
import traceback

import pytest
import zstandard

from fleet_pipeline.errors import FleetError, ReaderError
from fleet_pipeline.transcripts import lines as reading

from ..transcripts.claude_fixtures.lines import transcript
from ..transcripts.codex_fixtures.rollouts import Rollout
from ..transcripts.codex_fixtures.rollouts import encoded as rollout_lines
from ..transcripts.codex_fixtures.rollouts import usage as codex_usage
from .canaries import KEPT, Canaries, claude_lines, everything, plant
from .machine import Machine


@pytest.fixture
def canary():
    return Canaries()


@pytest.fixture
def taken_in(machine, canary, monkeypatch, capfd, caplog):
    """Take in transcripts full of canaries."""
    monkeypatch.setattr(reading, "_BUFFER", 1024)
    monkeypatch.setattr(reading, "LINE_LIMIT", 16 * 1024)
    plant(canary, machine.claude("."), machine.codex("."))
    for _ in range(2):
        machine.ingest()
    machine.ingest(full=True)
    said = capfd.readouterr()
    return machine, said.out + said.err + caplog.text


def test_no_text_of_any_transcript_is_found_in_the_home_or_in_what_was_said(taken_in, canary):
    machine, said = taken_in
    assert len(canary.planted) > 80
    assert machine.rows().height == 4
    kept = everything(machine.home.root)
    for control in (*KEPT, b"a1"):
        assert control in kept, "the search does not find what is there"
    assert [bird for bird in canary.planted if bird.encode() in kept] == []
    assert "canary" not in said


def test_what_was_not_believed_is_counted_under_every_reason_that_was_planted(taken_in):
    machine, _ = taken_in
    assert set(machine.held()["quarantined"]) == {
        "bad_counter",
        "timestamp_missing",
        "too_long",
        "unreadable",
    }


def test_the_file_of_a_thread_that_lost_its_head_gives_no_name_away(machine, canary):
    """Only a thread's id may be taken from a file's name, and only if it is one."""
    rollout = Rollout().own_turn().request(codex_usage(100))
    lines = [b"{broken", *rollout_lines(rollout)[1:]]
    name = f"rollout-{canary}-a-name-that-people-gave-to-their-own-file.jsonl"
    machine.write(machine.codex(name), b"\n".join(lines) + b"\n")
    machine.ingest()
    assert machine.rows().height == 1
    kept = everything(machine.home.root)
    assert b"canary" not in kept
    assert b"people" not in kept


def test_no_error_repeats_what_a_transcript_says(tmp_path, canary, monkeypatch):
    """Whatever goes wrong while a line is at hand, the text of the line is not in the message."""
    machine = Machine(tmp_path)
    machine.write(machine.claude("p/s.jsonl"), transcript(*claude_lines(canary)))

    def fail(path, data, **_):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("fleet_pipeline.ledger.store.write_whole", fail)
    with pytest.raises(OSError) as caught:
        machine.ingest()
    chain, error = [], caught.value
    while error is not None:
        chain.append(f"{error!r} {error}")
        error = error.__cause__ or error.__context__
    assert "canary" not in " ".join(chain)


def test_an_error_about_a_source_names_what_is_wrong_and_not_what_it_says(tmp_path):
    path = tmp_path / "sessions" / "rollout-1.jsonl.zst"
    path.parent.mkdir()
    path.write_bytes(zstandard.compress(b"canary" * 99)[:-4] + b"\xff" * 9)
    descriptor = reading.open_regular(path)
    with pytest.raises(FleetError, match="damaged") as caught:
        source = reading.PlainBytes(descriptor, 0, path.stat().st_size)
        list(reading.Lines(reading.CompressedBytes(source)))
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("client", ["claude", "codex"])
def test_a_reader_that_stumbles_over_a_line_tells_where_and_not_over_what(
    machine, canary, monkeypatch, client
):
    """The error of a bug quotes what was at hand; of it only kind and place are told."""
    plant(canary, machine.claude("."), machine.codex("."))

    def stumble(lines, **_):
        seen = b"".join(bytes(line) for _, line in lines)
        try:
            raise KeyError(seen)
        except KeyError:
            raise ValueError(seen) from KeyError(seen)

    name = {"claude": "read_transcript", "codex": "read_rollout"}[client]
    monkeypatch.setattr(f"fleet_pipeline.ledger.reading.{name}", stumble)
    with pytest.raises(ReaderError, match=r"ValueError at \w+\.py:\d+") as caught:
        machine.ingest()
    told = "".join(traceback.format_exception(caught.value))
    assert "ReaderError" in told
    assert "canary" not in told
    assert b"canary" not in everything(machine.home.root)


def test_what_a_write_that_failed_leaves_behind_holds_no_text_either(machine, canary, monkeypatch):
    """Not even where the temporary file can no longer be taken away."""
    plant(canary, machine.claude("."), machine.codex("."))

    def refuse(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "replace", refuse)
    monkeypatch.setattr(os, "unlink", refuse)
    with pytest.raises(OSError):
        machine.ingest()
    left = [path.name for path in machine.home.root.rglob("*.part")]
    assert left
    assert b"canary" not in everything(machine.home.root)
