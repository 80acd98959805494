"""Transcripts in S3 count as they do on disk; what does not change costs nothing."""

import random
from datetime import timedelta

import pytest
import zstandard

from fleet_pipeline.s3 import bucket
from fleet_pipeline.transcripts.discover import find

from ..ledger.machine import WRITTEN, Machine
from ..ledger.test_reading_only_what_is_new import STORY, story_of_codex, told
from ..transcripts.claude_fixtures.lines import encoded, finished_agent, reply, transcript, usage
from .fleet import Fleet

SESSION = "claude/projects/p/s.jsonl"
AGENT = "claude/projects/p/s/subagents/agent-a1"
ROLLOUT = "codex/sessions/2026/06/01/rollout-1.jsonl"


def test_a_host_in_s3_counts_as_on_its_disk(tmp_path, any_fleet):
    """The story has pending, broken and early lines, notes of agents, limits, and two clients."""
    machine = Machine(tmp_path, "laptop")
    machine.write(machine.claude("p/s.jsonl"), STORY + b'{"pending":')
    machine.write(machine.claude("p/s/subagents/agent-a1.jsonl"), transcript(reply("z")))
    note = machine.claude("p/s/subagents/agent-a1.meta.json")
    note.write_text('{"agentType":"Explore"}')
    machine.write(machine.codex("2026/06/01/rollout-1.jsonl"), told(story_of_codex()))
    machine.ingest()

    any_fleet.put("laptop", SESSION, STORY + b'{"pending":', at=WRITTEN)
    any_fleet.put("laptop", f"{AGENT}.jsonl", transcript(reply("z")), at=WRITTEN)
    any_fleet.put("laptop", f"{AGENT}.meta.json", b'{"agentType":"Explore"}')
    any_fleet.put("laptop", ROLLOUT, told(story_of_codex()), at=WRITTEN)
    any_fleet.ingest("laptop")
    assert any_fleet.rows().equals(machine.rows())
    assert "Explore" in set(any_fleet.rows()["agent_type"])
    local = {**machine.sources()}
    assert any_fleet.seen()[2] == {name: local[name] for name in local if name != "hosts"}


@pytest.mark.parametrize("name", [".claude/projects/p/s.jsonl", "claude-1f/projects/p/s.jsonl"])
def test_a_plain_copy_of_the_clients_folder_is_read_too(fleet, name):
    fleet.put("laptop", name, STORY)
    fleet.ingest("laptop")
    assert "a" in fleet.billed()


@pytest.mark.parametrize(
    "name",
    [
        "claude/history.jsonl",
        "claude/projects/p/journal.jsonl",
        "claude/projects/p/notes.txt",
        "codex/history.jsonl",
        "codex/sessions/2026/other.jsonl",
        "claude/fleet/other.jsonl",
        "elsewhere/projects/p/s.jsonl",
        "s.jsonl",
        "claude/todos/p/s.jsonl",
    ],
)
def test_what_is_no_transcript_is_left_alone(fleet, name):
    fleet.put("laptop", name, STORY)
    assert fleet.ingest("laptop").files == 0
    assert fleet.store.proxy.objects_got() == []


def test_objects_of_another_host_whose_name_begins_alike_are_left_alone(fleet):
    fleet.put("laptop", SESSION, transcript(reply("mine")))
    fleet.put("laptop-2", SESSION, transcript(reply("other")))
    fleet.ingest("laptop")
    assert set(fleet.billed()) == {"mine"}


@pytest.mark.parametrize("name", [SESSION, ROLLOUT])
def test_a_compressed_object_is_the_same_transcript(fleet, name):
    data = STORY if name == SESSION else told(story_of_codex())
    fleet.put("laptop", name, data)
    fleet.ingest("laptop")
    before = fleet.billed()
    fleet.store.delete(f"logs/laptop/{name}")
    fleet.put("laptop", f"{name}.zst", zstandard.compress(data))
    fleet.ingest("laptop", full=True)
    assert fleet.billed() == before
    other = Fleet(fleet.home.root.parent / "other", fleet.store)
    other.ingest("laptop")
    assert other.billed() == before


def test_an_object_that_has_not_changed_is_not_asked_for(fleet):
    for number in range(3):
        fleet.put("laptop", f"claude/projects/p/{number}.jsonl", transcript(reply(f"m{number}")))
    fleet.put("laptop", "claude/fleet/fleet-quota.jsonl", b"")
    fleet.ingest("laptop")
    assert len(fleet.store.proxy.objects_got()) == 3, "an empty object has nothing to give"
    before, fleet.store.proxy.seen = fleet.seen(), []
    report = fleet.ingest("laptop")
    assert (report.files, report.files_read, report.bytes_read) == (3, 0, 0)
    assert [method for method, path in fleet.store.proxy.seen if "list-type" not in path] == []
    assert fleet.seen() == before


def test_an_object_that_is_put_again_with_the_same_content_is_not_asked_for(fleet):
    fleet.put("laptop", SESSION, STORY, at=WRITTEN)
    fleet.ingest("laptop")
    fleet.store.proxy.seen = []
    fleet.put("laptop", SESSION, STORY, at=WRITTEN + timedelta(days=1))
    fleet.ingest("laptop")
    assert fleet.store.proxy.objects_got() == []


def test_a_new_object_costs_one_request_and_a_grown_one_two_however_large(fleet):
    first = transcript(*(reply(f"m{n}", content="x" * 1000) for n in range(300)))
    more = transcript(reply("new"))
    fleet.put("laptop", SESSION, first)
    fleet.ingest("laptop")
    assert len(fleet.store.proxy.objects_got()) == 1
    fleet.put("laptop", SESSION, first + more)
    fleet.store.proxy.seen, fleet.store.proxy.bytes_out = [], 0
    report = fleet.ingest("laptop")
    assert report.bytes_read == len(more)
    assert len(fleet.store.proxy.objects_got()) == 2
    assert fleet.store.proxy.bytes_out < len(first) / 2
    assert len(fleet.billed()) == 301


@pytest.mark.parametrize("how", ["rewritten", "shrunk", "edited", "longer and rewritten"])
def test_an_object_that_did_not_only_grow_is_read_whole(fleet, how):
    old = transcript(*(reply(f"old{n}") for n in range(9)))
    new = {
        "rewritten": transcript(*(reply(f"new{n}") for n in range(9))),
        "shrunk": transcript(reply("new0")),
        "edited": old.replace(b"old8", b"new0"),
        "longer and rewritten": transcript(*(reply(f"new{n}") for n in range(99))),
    }[how]
    fleet.put("laptop", SESSION, old)
    fleet.ingest("laptop")
    fleet.put("laptop", SESSION, new)
    fleet.ingest("laptop")
    assert {"old0", "old8", "new0"} <= set(fleet.billed()), "what was seen once counts for good"


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 9))]
)
def test_an_object_that_grows_in_any_pieces_counts_as_if_it_came_at_once(fleet, seed):
    chance = random.Random(seed)
    whole = {SESSION: STORY, ROLLOUT: told(story_of_codex())}
    for share in sorted(chance.random() for _ in range(3)):
        for name, data in whole.items():
            fleet.put("laptop", name, data[: int(len(data) * share)], at=WRITTEN)
        fleet.ingest("laptop")
    for name, data in whole.items():
        fleet.put("laptop", name, data, at=WRITTEN)
    fleet.ingest("laptop")
    at_once = Fleet(fleet.home.root / "other", fleet.store)
    at_once.ingest("laptop")
    assert fleet.seen() == at_once.seen()


def test_a_note_that_comes_later_has_its_transcript_read_again(fleet):
    fleet.put("laptop", f"{AGENT}.jsonl", transcript(reply("z")))
    fleet.ingest("laptop")
    assert fleet.rows()["agent_type"].to_list() == [None]
    fleet.put("laptop", f"{AGENT}.meta.json", b'{"agentType":"Explore"}')
    fleet.ingest("laptop")
    assert fleet.rows()["agent_type"].to_list() == ["Explore"]


def test_the_register_may_be_lost(fleet):
    fleet.put("laptop", SESSION, STORY)
    fleet.ingest("laptop")
    before = fleet.seen()
    fleet.forgets()
    assert fleet.ingest("laptop").files_read == 1
    assert fleet.seen() == before


def test_a_deleted_object_never_lowers_a_total(fleet):
    fleet.put("laptop", SESSION, STORY)
    fleet.ingest("laptop")
    before = fleet.seen()
    fleet.store.delete(f"logs/laptop/{SESSION}")
    fleet.ingest("laptop")
    assert fleet.seen() == before


def test_copies_of_a_session_on_two_hosts_count_once_wherever_they_lie(tmp_path, fleet):
    """A session that was copied from one machine to the next, then went on there."""
    common = [reply(f"c{n}", usage(1, n)) for n in range(5)]
    note = finished_agent("a1", usage(2, 200))
    machine = Machine(tmp_path, "desk")
    machine.write(machine.claude("p/s.jsonl"), transcript(*common, reply("desk"), note))
    machine.write(machine.codex("2026/06/01/rollout-1.jsonl"), told(story_of_codex()))
    fleet.put("laptop", SESSION, transcript(*common, reply("laptop")), at=WRITTEN)
    fleet.put("server", SESSION, transcript(*common), at=WRITTEN)
    fleet.put("server", ROLLOUT, told(story_of_codex()), at=WRITTEN)
    fleet.ingest("laptop", "server", also=machine.places())
    claude = {key for key in fleet.billed() if ":" not in key}
    assert claude == {*(f"c{n}" for n in range(5)), "desk", "laptop"}
    alone = Machine(tmp_path / "alone", "desk")
    alone.write(alone.codex("2026/06/01/rollout-1.jsonl"), told(story_of_codex()))
    alone.ingest()
    assert {key: value for key, value in fleet.billed().items() if ":" in key} == alone.billed()


def test_the_order_in_which_hosts_are_read_makes_no_difference(tmp_path, store):
    fleets = [Fleet(tmp_path / order, store) for order in ("one", "other")]
    for host in ("laptop", "server"):
        fleets[0].put(host, SESSION, STORY, at=WRITTEN)
        fleets[0].put(host, ROLLOUT, told(story_of_codex()), at=WRITTEN)
    fleets[0].ingest("laptop", "server")
    fleets[1].ingest("server")
    fleets[1].ingest("laptop", "server")
    assert fleets[0].rows().equals(fleets[1].rows())


def test_a_line_is_counted_once_its_newline_has_come(fleet):
    fleet.put("laptop", SESSION, transcript(reply("a")) + encoded(reply("b")))
    fleet.ingest("laptop")
    assert set(fleet.billed()) == {"a"}
    fleet.put("laptop", SESSION, transcript(reply("a"), reply("b")))
    fleet.ingest("laptop")
    assert set(fleet.billed()) == {"a", "b"}


def test_a_listing_may_have_any_number_of_pages(fleet, monkeypatch):
    monkeypatch.setattr(bucket, "_PAGE", 5)
    for number in range(12):
        fleet.put("laptop", f"claude/projects/p/{number:02}.jsonl", b"")
    fleet.store.proxy.seen = []
    assert len(find(fleet.places("laptop")).files) == 12
    assert len(fleet.store.proxy.seen) == 3


@pytest.mark.parametrize("noted", ["253402300799", "1e300", "inf", "nan", "-1e300", "yesterday"])
def test_a_time_that_no_clock_can_have_noted_ends_no_reading(fleet, noted):
    key = f"logs/laptop/{SESSION}"
    fleet.store.put(key, transcript(reply("a")), mtime=noted)
    fleet.ingest("laptop")
    assert set(fleet.billed()) == {"a"}
