"""Reading only what is new gives what reading everything gives: the register is a memory aid."""

import os
import shutil
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest
import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fleet_pipeline.ledger import recount, unfamiliar

from ..transcripts.claude_fixtures.lines import (
    after,
    cost_state,
    encoded,
    finished_agent,
    reply,
    rewritten,
    transcript,
    usage,
)
from ..transcripts.codex_fixtures.rollouts import Rollout
from ..transcripts.codex_fixtures.rollouts import encoded as rollout_lines
from ..transcripts.codex_fixtures.rollouts import usage as codex_usage
from .machine import WRITTEN, Machine, changed

LATER = WRITTEN + timedelta(hours=1)
STORY = transcript(
    reply("a", usage(1, 1), stop=None, request_id="ra"),
    reply("a", usage(1, 30, write_1h=4), request_id="ra"),
    b"",
    b"no JSON at all",
    reply("b", usage(2, 2), stop=None, agentId="a1", isSidechain=True, at=after(minutes=1)),
    encoded(reply("c", usage(-5, 2))),
    reply(rewritten("a"), usage(1, 30), request_id="ra", at=after(minutes=2)),
    finished_agent("a1", usage(2, 200), at=after(minutes=3)),
    cost_state({"claude-opus-4-8": {"inputTokens": 9, "outputTokens": 250}}),
    reply("d", usage(4, 4, new_tokens=1), at=after(hours=30), version="2.2.0"),
    {"type": "holo-note", "text": "x" * 900},
    cost_state({"claude-opus-4-8": {"inputTokens": -1}}),
    cost_state({"claude-opus-4-8": {"inputTokens": 90, "outputTokens": 500}}),
    reply("Zoë — 日本語 🚀", usage(5, 5), at=after(hours=31), cwd="/work/Zoë"),
)


def told(rollout: Rollout) -> bytes:
    return b"\n".join(rollout_lines(rollout)) + b"\n"


def story_of_codex() -> Rollout:
    limits = {"primary": {"used_percent": 12.5, "window_minutes": 300, "resets_at": 1780304402}}
    rollout = Rollout().own_turn().request(codex_usage(100, 50), times=2)
    rollout.count(rollout.total, codex_usage(100, 50), limits).wait(hours=20)
    return rollout.request(codex_usage(7, 150)).own_turn(101).request(codex_usage(9, 160), times=3)


def seen(machine: Machine) -> tuple[object, ...]:
    """Return all that a fleet sees of its transcripts."""
    beside = [
        pl.read_parquet(path).drop("file_id").rows()
        for kind in ("totals", "unfamiliar")
        for path in sorted((machine.home.lake / kind).glob("*.parquet"))
    ]
    return machine.ledger_bytes(), machine.sources(), beside


class AtOnce(NamedTuple):
    """A machine whose one transcript came whole, which no test changes, and what is known of it."""

    machine: Machine
    billed: dict[str, tuple[int, ...]]
    seen: tuple[object, ...]


@pytest.fixture(scope="module")
def story_at_once(tmp_path_factory) -> AtOnce:
    machine = Machine(tmp_path_factory.mktemp("machine"))
    machine.write(machine.claude("p/s.jsonl"), STORY)
    machine.ingest()
    return AtOnce(machine, machine.billed(), seen(machine))


@settings(max_examples=12, deadline=None)
@given(cuts=st.lists(st.integers(0, len(STORY)), max_size=4))
@example(cuts=[len(STORY) - 1])
@example(cuts=[STORY.index(b"\n"), STORY.index(b"\n") + 1])
@example(cuts=[STORY.index("ë".encode()) + 1])
def test_a_transcript_that_grows_in_any_pieces_counts_as_if_it_came_at_once(
    tmp_path_factory, story_at_once, cuts
):
    in_pieces = Machine(tmp_path_factory.mktemp("machine"))
    for age, cut in enumerate(sorted([*cuts, len(STORY)])):
        growing = in_pieces.claude("p/s.jsonl")
        in_pieces.write(growing, STORY[:cut], at=WRITTEN + timedelta(minutes=age))
        in_pieces.ingest()
    assert in_pieces.billed() == story_at_once.billed
    assert seen(in_pieces) == story_at_once.seen


def test_the_transcript_that_grows_has_what_a_ledger_could_lose(story_at_once):
    machine = story_at_once.machine
    assert unfamiliar(machine.home)["name"].to_list() == ["holo-note", "new_tokens"]
    assert machine.sources()["reconciliation"]["claude"]["comparable"] == 1


@pytest.fixture(scope="module")
def rollout_at_once(tmp_path_factory) -> AtOnce:
    machine = Machine(tmp_path_factory.mktemp("machine"))
    machine.write(machine.codex("2026/06/01/rollout-1.jsonl"), told(story_of_codex()))
    machine.ingest()
    return AtOnce(machine, machine.billed(), seen(machine))


@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_a_rollout_that_grows_in_any_pieces_counts_as_if_it_came_at_once(
    tmp_path_factory, rollout_at_once, data
):
    story = told(story_of_codex())
    cuts = data.draw(st.lists(st.integers(0, len(story)), max_size=4))
    in_pieces = Machine(tmp_path_factory.mktemp("machine"))
    for age, end in enumerate(sorted([*cuts, len(story)])):
        growing = in_pieces.codex("2026/06/01/rollout-1.jsonl")
        in_pieces.write(growing, story[:end], at=WRITTEN + timedelta(minutes=age))
        in_pieces.ingest()
    assert in_pieces.billed() == rollout_at_once.billed
    assert seen(in_pieces) == rollout_at_once.seen


@pytest.mark.parametrize(
    "lines",
    [
        [reply("a", usage(1, 1), stop=None), reply("a", usage(1, 9))],
        [reply("a", usage(1, 9)), reply("a", usage(1, 1), stop=None)],
        [reply("a", usage(9, 1), stop=None), reply("a", usage(1, 9), stop=None)],
        [reply("a", usage(1, 5, read=9)), reply("a", usage(1, 5))],
        [reply("a", usage(1, 5, write_5m=9)), reply("a", usage(1, 5, write_1h=9))],
        [reply("a", model="one"), reply("a", model="other")],
        [reply("a", at=after(seconds=9)), reply("a", usage(1, 9), at=after(seconds=1))],
        [reply("a", at=after(hours=20)), reply("a", usage(1, 9), at=after(hours=1), cwd="/x")],
        [reply("a", cwd="/one", effort="low"), reply("a", usage(1, 9), cwd="/other")],
        [reply("a", at=after(seconds=9)), reply("a", request_id="r", cwd="/x")],
        [reply("a"), reply("a", request_id="r"), reply(rewritten("a"), request_id="r")],
        [reply("a", usage(1, 10, iterations=[{"type": "compaction"} | usage(5, 100)]), stop=None),
         reply("a", usage(2, 20), stop=None)],
        [reply(None, uuid="x"), reply(None, usage(1, 9), uuid="x")],
    ],
    ids=[
        "final last", "final first", "larger last", "more input first", "another split",
        "another model", "an earlier time behind", "an earlier day behind", "another folder",
        "an earlier time and the request id behind", "the request id behind", "iterations",
        "no ids",
    ],
)  # fmt: skip
def test_one_request_read_in_two_ingestions_is_as_if_read_in_one(tmp_path, lines):
    at_once, in_two = Machine(tmp_path / "1"), Machine(tmp_path / "2")
    at_once.write(path := at_once.claude("p/s.jsonl"), transcript(*lines))
    at_once.ingest()
    growing = in_two.root / path.relative_to(at_once.root)
    in_two.write(growing, transcript(lines[0]))
    in_two.ingest()
    in_two.write(growing, transcript(*lines), at=LATER)
    in_two.ingest()
    assert in_two.rows().equals(at_once.rows())
    assert in_two.sources() == at_once.sources()


def test_a_line_is_counted_once_its_newline_has_come(machine):
    path = machine.write(machine.claude("p/s.jsonl"), transcript(reply("a")) + encoded(reply("b")))
    machine.ingest()
    assert set(machine.billed()) == {"a"}
    assert machine.held()["quarantined"] == {}
    machine.write(path, transcript(reply("a"), reply("b")), at=LATER)
    machine.ingest()
    assert set(machine.billed()) == {"a", "b"}


def test_only_new_bytes_are_read_of_a_file_that_has_grown(machine):
    first, more = transcript(reply("a")), transcript(reply("b"))
    path = machine.write(machine.claude("p/s.jsonl"), first)
    assert machine.ingest().bytes_read == len(first)
    machine.write(path, first + more, at=LATER)
    report = machine.ingest()
    assert (report.files, report.files_read, report.bytes_read) == (1, 1, len(more))


def test_a_pending_line_is_read_again_and_nothing_before_it(machine):
    first, pending = transcript(reply("a")), encoded(reply("b"))
    path = machine.write(machine.claude("p/s.jsonl"), first + pending)
    machine.ingest()
    machine.write(path, first + pending + b"\n", at=LATER)
    assert machine.ingest().bytes_read == len(pending) + 1


def test_files_that_have_not_changed_are_not_opened(machine, monkeypatch):
    rollout = machine.codex("2026/06/01/rollout-1.jsonl")
    machine.write(machine.claude("p/s.jsonl"), STORY)
    agent = machine.write(machine.claude("p/s/subagents/agent-a1.jsonl"), transcript(reply("z")))
    agent.with_suffix(".meta.json").write_text('{"agentType":"Explore"}')
    machine.write(rollout, told(story_of_codex()))
    machine.ingest()
    before = seen(machine)
    opened, open_file = [], os.open

    def watched(path, *args, **options):
        opened.append(os.fspath(path))
        return open_file(path, *args, **options)

    monkeypatch.setattr(os, "open", watched)
    report = machine.ingest()
    monkeypatch.undo()
    assert (report.files, report.files_read, report.bytes_read) == (3, 0, 0)
    assert any(".lock" in path for path in opened), "the watch does not see what is opened"
    assert not [path for path in opened if ".claude" in path or ".codex" in path]
    assert seen(machine) == before


def test_full_reads_every_file_again_and_changes_nothing(machine):
    machine.write(machine.claude("p/s.jsonl"), STORY)
    machine.write(machine.codex("rollout-1.jsonl"), told(story_of_codex()))
    size = machine.ingest().bytes_read
    before = seen(machine)
    report = machine.ingest(full=True)
    assert (report.files_read, report.bytes_read) == (2, size)
    assert seen(machine) == before


@pytest.mark.parametrize(
    "damage", ["gone", "empty", "garbage", "cut", "other columns", "other types"]
)
def test_the_register_may_be_lost_or_damaged_at_any_time(machine, damage):
    machine.write(machine.claude("p/s.jsonl"), STORY)
    machine.ingest()
    before = seen(machine)
    register = machine.home.lake / "register.parquet"
    known = register.read_bytes()
    match damage:
        case "gone":
            register.unlink()
        case "empty":
            register.write_bytes(b"")
        case "garbage":
            register.write_bytes(b"PAR1" + b"\0" * 100)
        case "cut":
            register.write_bytes(known[: len(known) // 2])
        case "other columns":
            pl.DataFrame({"file_id": [1], "other": ["x"]}).write_parquet(register)
        case "other types":
            rows = pl.read_parquet(register)
            rows.with_columns(pl.exclude("state").cast(pl.String)).write_parquet(register)
    assert machine.ingest().files_read == 1
    assert seen(machine) == before
    assert machine.ingest().files_read == 0


@pytest.mark.parametrize("lost", ["all", "a day", "the note of what was counted"])
@pytest.mark.parametrize("full", [False, True])
def test_the_ledger_may_be_lost_and_is_counted_again_from_the_evidence(machine, lost, full):
    machine.write(machine.claude("p/s.jsonl"), STORY)
    machine.write(machine.codex("rollout-1.jsonl"), told(story_of_codex()))
    machine.ingest()
    before = machine.ledger_bytes()
    days = sorted((machine.home.lake / "usage").rglob("*.parquet"))
    assert len(days) > 1
    match lost:
        case "all":
            shutil.rmtree(machine.home.lake / "usage")
        case "a day":
            days[0].unlink()
        case _:
            for note in machine.home.lake.glob("*.json"):
                note.unlink()
    machine.ingest(full=full)
    assert machine.ledger_bytes() == before


def test_what_one_host_loses_of_a_day_is_counted_again_though_another_has_that_day(two_machines):
    for host in two_machines.hosts:
        two_machines.write(two_machines.claude("p/s.jsonl", host), transcript(reply(host)))
    two_machines.ingest()
    before = two_machines.ledger_bytes()
    of_laptop, of_server = sorted((two_machines.home.lake / "usage").rglob("*.parquet"))
    assert of_laptop.name == of_server.name
    of_laptop.unlink()
    two_machines.ingest()
    assert two_machines.ledger_bytes() == before


def test_the_evidence_outlives_transcripts_and_ledger(machine):
    machine.write(machine.claude("p/s.jsonl"), STORY)
    machine.ingest()
    before = machine.ledger_bytes()
    shutil.rmtree(machine.home.lake / "usage")
    machine.claude("p/s.jsonl").unlink()
    machine.ingest()
    recount(machine.home, everything=True)
    assert machine.ledger_bytes() == before


# Files that do not only grow


def test_a_deleted_transcript_never_lowers_a_total(machine):
    path = machine.write(machine.claude("p/s.jsonl"), STORY)
    machine.ingest()
    before = seen(machine)
    path.unlink()
    for full in (False, True):
        machine.ingest(full=full)
        assert seen(machine) == before


def test_a_transcript_that_was_cut_and_written_anew_adds_what_is_new(machine):
    path = machine.write(machine.claude("p/s.jsonl"), transcript(reply("a"), reply("b")))
    machine.ingest()
    machine.write(path, transcript(reply("c")), at=LATER)
    machine.ingest()
    assert set(machine.billed()) == {"a", "b", "c"}


def test_a_renamed_transcript_changes_no_total(machine):
    path = machine.write(machine.claude("p/s.jsonl"), STORY)
    machine.ingest()
    before = machine.ledger_bytes()
    path.rename(path.with_name("t.jsonl"))
    machine.ingest()
    assert machine.ledger_bytes() == before


def test_another_file_under_an_old_name_is_read_whole(machine):
    old = transcript(*(reply(f"old{n}") for n in range(9)))
    path = machine.write(machine.claude("p/s.jsonl"), old)
    machine.ingest()
    path.unlink()
    machine.write(path, transcript(*(reply(f"new{n}") for n in range(99))))
    machine.ingest()
    assert len(machine.billed()) == 9 + 99


PADDING = [{"type": "text", "text": "x" * 1500}]
LARGE = [reply(f"large{n}", content=PADDING) for n in range(9)]


@pytest.mark.parametrize("place", [0, 4, 8])
@pytest.mark.parametrize("moved", [0, 1], ids=["same mtime", "another mtime"])
def test_a_file_edited_in_place_is_read_again(machine, place, moved):
    """The one exception: size, time, head and tail all stay, so only the middle was changed."""
    path = machine.write(machine.claude("p/s.jsonl"), transcript(*LARGE))
    machine.ingest()
    edited = [*LARGE[:place], reply("edited", content=PADDING), *LARGE[place + 1 :]]
    edited[place]["message"]["content"] = [{"type": "text", "text": "x" * 1500}]
    with path.open("r+b") as file:
        file.write(transcript(*edited))
    changed(path, WRITTEN + timedelta(minutes=moved))
    if place == 4 and not moved:
        machine.ingest(full=True)
    else:
        machine.ingest()
    assert "edited" in machine.billed()


def test_a_touched_file_changes_nothing(machine):
    path = machine.write(machine.claude("p/s.jsonl"), STORY)
    machine.ingest()
    before = seen(machine)
    changed(path, LATER)
    machine.ingest()
    assert seen(machine) == before


@pytest.fixture
def early(machine):
    """Take in a line from the future; return its file, which is as old as the line by then."""
    line = reply("a", at=WRITTEN + timedelta(days=3))
    path = machine.write(machine.claude("p/s.jsonl"), transcript(line))
    machine.ingest()
    assert machine.held()["quarantined"] == {"timestamp_in_future": 1}
    return machine.write(path, transcript(line, reply("b")), at=WRITTEN + timedelta(days=4))


@pytest.mark.parametrize("full", [False, True])
def test_a_line_from_the_future_is_believed_once_its_file_is_as_old(machine, early, full):
    machine.ingest(full=full)
    assert set(machine.billed()) == {"a", "b"}


def test_a_line_that_is_believed_at_last_is_in_quarantine_no_more(machine, early):
    machine.ingest(full=True)
    assert machine.held()["quarantined"] == {}


# Codex compresses what is a week old


def compressed(machine: Machine, rollout: os.PathLike) -> None:
    path = machine.codex("2026/06/01") / os.fspath(rollout)
    data = path.read_bytes()
    machine.write(path.with_name(path.name + ".zst"), zstandard.compress(data))
    path.unlink()


def test_a_compressed_rollout_is_the_same_rollout(machine):
    rollout = story_of_codex()
    name = f"rollout-2026-06-01T09-00-00-{rollout.thread_id}.jsonl"
    machine.write(machine.codex(f"2026/06/01/{name}"), told(rollout))
    machine.ingest()
    before = machine.ledger_bytes()
    compressed(machine, name)
    machine.ingest()
    assert machine.ledger_bytes() == before


def test_a_compressed_rollout_without_its_head_is_the_same_rollout(machine):
    """The thread's id stands in the file's name too, whatever follows it there."""
    rollout = story_of_codex()
    name = f"rollout-2026-06-01T09-00-00-{rollout.thread_id}.jsonl"
    machine.write(machine.codex(f"2026/06/01/{name}"), b"{broken" + told(rollout))
    machine.ingest()
    before = machine.ledger_bytes()
    compressed(machine, name)
    machine.ingest()
    assert machine.ledger_bytes() == before


def test_a_rollout_in_the_archive_is_the_same_rollout(machine):
    data = told(story_of_codex())
    machine.write(machine.codex("2026/06/01/rollout-1.jsonl"), data)
    machine.ingest()
    before = machine.ledger_bytes()
    archived = machine.root / "laptop" / ".codex" / "archived_sessions" / "rollout-1.jsonl"
    machine.write(archived, data)
    machine.ingest()
    assert machine.ledger_bytes() == before


def test_compression_is_seen_by_content_and_not_by_name(machine):
    machine.write(machine.codex("rollout-1.jsonl"), zstandard.compress(told(story_of_codex())))
    other = Rollout(serial=2).own_turn().request(codex_usage(5))
    machine.write(machine.codex("rollout-2.jsonl.zst"), told(other))
    machine.ingest()
    assert machine.rows().height == 4


def test_a_damaged_compressed_rollout_is_counted_and_passed_over(machine):
    damaged = bytearray(zstandard.compress(told(story_of_codex())))
    damaged[8:] = b"\xff" * (len(damaged) - 8)
    machine.write(machine.codex("rollout-1.jsonl.zst"), bytes(damaged))
    machine.write(machine.claude("p/s.jsonl"), transcript(reply("a")))
    report = machine.ingest()
    assert report.passed_over == {"damaged Zstandard file": 1}
    assert set(machine.billed()) == {"a"}


def test_a_rollout_that_is_still_being_compressed_is_read_once_it_is_whole(machine):
    whole = zstandard.compress(told(story_of_codex()))
    path = machine.write(machine.codex("rollout-1.jsonl.zst"), whole[: len(whole) // 2])
    machine.ingest()
    machine.write(path, whole, at=LATER)
    machine.ingest()
    assert machine.rows().height == 3


FILES = {
    "p/1.jsonl": STORY,
    "p/2.jsonl": STORY.replace(b"5e551011", b"5e551012"),
    "q/3.jsonl": transcript(reply("a", usage(1, 30), model="other", request_id="ra")),
    "q/4.jsonl": transcript(reply(rewritten("b"), request_id="rb"), reply("b", cwd="/other")),
    "q/agent-a1.jsonl": transcript(reply("b", usage(2, 3), stop=None, agentId="a1")),
}
"""Copies, forks, notes and other accounts of the same requests."""


@pytest.fixture(scope="module")
def files_at_once(tmp_path_factory) -> tuple[Path, tuple[object, ...]]:
    """The folder of a machine, and what it sees when all files come at once."""
    folder = tmp_path_factory.mktemp("in_turn")
    return folder, seen_in_turn(folder, [list(FILES)])


@settings(max_examples=6, deadline=None)
@given(order=st.permutations(list(FILES)))
def test_the_order_in_which_files_come_makes_no_difference(files_at_once, order):
    folder, seen_at_once = files_at_once
    assert seen_in_turn(folder, [[name] for name in order]) == seen_at_once


def seen_in_turn(folder: Path, groups: list[list[str]]) -> tuple[object, ...]:
    """Take in one group of files after the other, always under the same paths."""
    machine = Machine(folder / "machine")
    for group in groups:
        for name in group:
            machine.write(machine.claude(name), FILES[name])
        machine.ingest()
    result = seen(machine)
    shutil.rmtree(machine.root)
    return result


@pytest.mark.parametrize("kind", ["facts", "model", "split", "request id"])
def test_two_versions_of_one_file_count_the_same_in_either_order(tmp_path, kind):
    """Where two accounts of one request are equally good, none may win for having come last."""
    one = reply("a", usage(1, 5, write_5m=9), cwd="/one", request_id="r1")
    other = {
        "facts": reply("a", usage(1, 5, write_5m=9), cwd="/two", request_id="r1", effort="low"),
        "model": reply("a", usage(1, 5, write_5m=9), cwd="/one", request_id="r1", model="z"),
        "split": reply("a", usage(1, 5, write_1h=9), cwd="/one", request_id="r1"),
        "request id": reply("a", usage(1, 5, write_5m=9), cwd="/one", request_id="r2"),
    }[kind]
    ledgers = []
    for order in ((one, other), (other, one)):
        machine = Machine(tmp_path / "machine")
        for age, line in enumerate(order):
            path = machine.claude("p/s.jsonl")
            machine.write(path, transcript(line), at=WRITTEN + timedelta(hours=age))
            machine.ingest()
        ledgers.append(machine.ledger_bytes())
        shutil.rmtree(machine.root)
    assert ledgers[0] == ledgers[1]
