"""A file that cannot be read is counted and passed over; it never ends a run nor holds it up."""

import errno
import os
import signal
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from fleet_pipeline.transcripts import lines as reading

from ..transcripts.claude_fixtures.lines import encoded, reply, transcript, usage
from .machine import WRITTEN, changed


@contextmanager
def within(seconds: float):
    """Fail if what is inside hangs."""

    def ring(number, frame):
        pytest.fail(f"still not done after {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def good(machine):
    """Leave one transcript that must be counted whatever lies beside it."""
    return machine.write(machine.claude("p/good.jsonl"), transcript(reply("good")))


def test_pipes_and_links_in_the_place_of_transcripts_hold_nothing_up(machine, good):
    os.mkfifo(good.with_name("pipe.jsonl"))
    good.with_name("link.jsonl").symlink_to(good)
    rollout = machine.codex("rollout-1.jsonl")
    rollout.parent.mkdir(parents=True)
    os.mkfifo(rollout)
    with within(10):
        report = machine.ingest()
    assert report.passed_over == {"not a regular file": 3}
    assert set(machine.billed()) == {"good"}


def test_a_pipe_in_the_place_of_an_agents_note_holds_nothing_up(machine, good):
    agent = machine.write(machine.claude("p/agent-a1.jsonl"), transcript(reply("a")))
    os.mkfifo(agent.with_suffix(".meta.json"))
    with within(2):
        machine.ingest()
    assert set(machine.billed()) == {"good", "a"}


@pytest.mark.parametrize("moment", ["opened", "read"])
@pytest.mark.parametrize(
    "fault", [errno.EACCES, errno.ENOENT, errno.EIO, errno.ESTALE, errno.ELOOP]
)
def test_a_file_that_cannot_be_read_is_passed_over_and_read_the_next_time(
    machine, good, monkeypatch, moment, fault
):
    bad = machine.write(machine.claude("p/bad.jsonl"), transcript(reply("bad")))
    inode, real_open, real_read = bad.stat().st_ino, os.open, os.preadv

    def failing_open(path, *args, **options):
        if moment == "opened" and os.fspath(path) == os.fspath(bad):
            raise OSError(fault, os.strerror(fault))
        return real_open(path, *args, **options)

    def failing_read(descriptor, *args):
        if moment == "read" and os.fstat(descriptor).st_ino == inode:
            raise OSError(fault, os.strerror(fault))
        return real_read(descriptor, *args)

    monkeypatch.setattr(os, "open", failing_open)
    monkeypatch.setattr(os, "preadv", failing_read)
    report = machine.ingest()
    monkeypatch.undo()
    assert sum(report.passed_over.values()) == 1
    assert set(machine.billed()) == {"good"}
    machine.ingest()
    assert set(machine.billed()) == {"good", "bad"}


def test_a_file_that_vanishes_between_finding_and_opening_is_passed_over(
    machine, good, monkeypatch
):
    bad = machine.write(machine.claude("p/bad.jsonl"), transcript(reply("bad")))
    real_open = os.open

    def vanishing_open(path, *args, **options):
        if os.fspath(path) == os.fspath(bad):
            bad.unlink()
        return real_open(path, *args, **options)

    monkeypatch.setattr(os, "open", vanishing_open)
    assert machine.ingest().passed_over == {"vanished": 1}
    assert set(machine.billed()) == {"good"}


def test_what_is_appended_while_a_file_is_read_is_read_the_next_time(machine, monkeypatch):
    path = machine.write(machine.claude("p/s.jsonl"), transcript(reply("a")))
    real_read, appended = os.preadv, []

    def read_while_somebody_writes(*args):
        if not appended:
            appended.append(True)
            with path.open("ab") as stream:
                stream.write(transcript(reply("b")))
        return real_read(*args)

    monkeypatch.setattr(os, "preadv", read_while_somebody_writes)
    machine.ingest()
    machine.ingest()
    assert appended
    assert set(machine.billed()) == {"a", "b"}


@pytest.mark.parametrize("year", [1901, 1969, 2446])
def test_a_file_may_have_any_modification_time(machine, good, year):
    """Nothing in it is believed if it is older than what it says."""
    odd = machine.write(machine.claude("p/odd.jsonl"), transcript(reply("odd")))
    seconds = (datetime(year, 1, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    os.utime(odd, (0, seconds))
    machine.ingest()
    machine.ingest()
    believed = odd.stat().st_mtime > WRITTEN.timestamp()
    assert set(machine.billed()) == ({"good", "odd"} if believed else {"good"})


def test_every_hostile_line_is_counted_and_every_good_one_kept(machine):
    """The 22 cases of the fact sheet, each between good lines."""
    whole = encoded(reply("bad"))
    counter = b'"output_tokens":5'
    hostile = {
        "unreadable": [
            whole[:-9], b"\0" * 600, b"garbage", whole + whole, whole.replace(counter, b'"x":NaN'),
            whole.replace(b'"done"', b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
            b"[]", b"null", b'"text"', b"7",
        ],
        "bad_counter": [
            whole.replace(counter, b'"output_tokens":' + value)
            for value in (b"-1", b"1.5", b"true", b'"5"', b"9" * 40, b"1e3")
        ],
        "timestamp_missing": [encoded(reply("bad", timestamp=5))],
        "timestamp_too_old": [encoded(reply("bad", timestamp="1970-01-01T00:00:00Z"))],
        "timestamp_without_zone": [encoded(reply("bad", timestamp="2026-06-01T00:00:00"))],
        "timestamp_in_future": [encoded(reply("bad", at=WRITTEN + timedelta(days=2)))],
    }  # fmt: skip
    legal = [b"", b"  ", whole.replace(b"done", rb"\ud800").replace(b"bad", b"legal")]
    for place in range(3):
        lines = [line for cases in hostile.values() for line in cases] + legal
        good = [reply(f"good{place}{n}", usage(1, 1)) for n in range(3)]
        lines = [good[0], *lines[: place * 7], good[1], *lines[place * 7 :], good[2]]
        machine.write(machine.claude(f"p/{place}.jsonl"), b"\xef\xbb\xbf" + transcript(*lines, b""))
    report = machine.ingest()
    assert report.passed_over == {}
    assert set(machine.billed()) == {"legal"} | {f"good{p}{n}" for p in range(3) for n in range(3)}
    expected = {reason: 3 * len(cases) for reason, cases in hostile.items()}
    assert machine.held()["quarantined"] == expected


def test_a_line_over_the_limit_is_counted_and_the_lines_behind_it_are_kept(machine, monkeypatch):
    monkeypatch.setattr(reading, "_BUFFER", 1024)
    monkeypatch.setattr(reading, "LINE_LIMIT", 8 * 1024)
    long = reply("long", content=[{"type": "text", "text": "x" * 9000}])
    path = machine.claude("p/s.jsonl")
    machine.write(path, transcript(reply("a"), long, reply("b")))
    machine.ingest()
    machine.write(
        path, transcript(reply("a"), long, reply("b"), reply("c")), at=WRITTEN + timedelta(1)
    )
    machine.ingest()
    assert set(machine.billed()) == {"a", "b", "c"}
    assert machine.held()["quarantined"] == {"too_long": 1}
    assert machine.held()["lines"] == 4


def test_a_file_without_any_line_counts_as_a_file(machine, good):
    machine.write(machine.claude("p/empty.jsonl"), b"")
    machine.write(machine.claude("p/pending.jsonl"), b'{"type":')
    machine.write(machine.codex("rollout-1.jsonl"), b"")
    machine.write(machine.codex("rollout-2.jsonl.zst"), b"")
    machine.ingest()
    assert (machine.held()["files"], machine.held()["lines"]) == (5, 1)
    changed(good, WRITTEN + timedelta(hours=1))
    assert machine.ingest().files_read == 1
