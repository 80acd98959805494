"""What all transcripts together held: told from the store, the same whenever it is asked."""

from datetime import UTC, date, datetime, timedelta

import pytest

from fleet_pipeline.home import DEMO_HOST
from fleet_pipeline.ledger import quota, usage
from fleet_pipeline.transcripts.discover import find

from ..transcripts.claude_fixtures.lines import after, reply, transcript
from ..transcripts.claude_fixtures.lines import usage as counters
from ..transcripts.codex_fixtures.rollouts import Rollout
from ..transcripts.codex_fixtures.rollouts import encoded as rollout_lines
from ..transcripts.codex_fixtures.rollouts import usage as codex_usage
from .machine import WRITTEN, Machine

LINES = [
    reply("a", stop=None),
    reply("a"),
    reply("b", at=after(days=1)),
    {"type": "summary", "summary": "x"},
    reply("c", counters(-1)),
    b"broken",
    b"",
]


def told(rollout: Rollout) -> bytes:
    return b"\n".join(rollout_lines(rollout)) + b"\n"


def test_sources_say_how_much_there_was_and_what_became_of_it(machine):
    data = transcript(*LINES)
    machine.write(machine.claude("p/s.jsonl"), data + b'{"pending":')
    rollout = told(Rollout().own_turn().request(codex_usage(100), times=3))
    machine.write(machine.codex("rollout-1.jsonl"), rollout)
    machine.ingest()
    found = machine.sources()
    compared = found.pop("reconciliation")
    assert {client: said["comparable"] for client, said in compared.items()} == {
        "claude": 0,
        "codex": 1,
    }
    assert found == {
        "files": 2,
        "bytes": len(data) + len(rollout),
        "lines": 7 + 5,
        "requests_lines": 3 + 3,
        "duplicates": 1 + 2,
        "quarantined": {"bad_counter": 1, "unreadable": 1},
        "hosts": [{"host": "laptop", "requests": 3, "last_ts": "2026-06-02T09:00:00+00:00"}],
        "clients": {"claude": {"files": 1, "lines": 7}, "codex": {"files": 1, "lines": 5}},
    }


def test_every_line_that_spoke_of_a_request_is_a_row_or_a_duplicate(machine):
    for name in ("p/1.jsonl", "p/2.jsonl", "q/agent-3.jsonl"):
        machine.write(machine.claude(name), transcript(*LINES))
    machine.ingest()
    held = machine.sources()
    assert held["requests_lines"] == 9 == machine.rows().height + held["duplicates"]


def test_a_line_that_was_not_believed_is_counted_once_whatever_copies_there_are(two_machines):
    data = transcript(*LINES)
    for name in ("p/1.jsonl", "q/2.jsonl"):
        for host in two_machines.hosts:
            two_machines.write(two_machines.claude(name, host), data)
    two_machines.ingest()
    grown = two_machines.claude("p/1.jsonl")
    two_machines.write(grown, data + transcript(reply("z")), at=WRITTEN + timedelta(hours=1))
    two_machines.ingest()
    assert two_machines.held()["quarantined"] == {"bad_counter": 1, "unreadable": 1}


def test_two_broken_lines_with_the_same_text_are_two(machine):
    machine.write(machine.claude("p/s.jsonl"), transcript(b"broken", b"broken", reply("a")))
    machine.ingest()
    assert machine.held()["quarantined"] == {"unreadable": 2}


@pytest.mark.parametrize("replaced", [True, False])
def test_duplicates_are_never_fewer_than_none(machine, replaced):
    """Sessions come and go; what is kept of them is more than what any file still holds."""
    path = machine.write(
        machine.claude("p/s.jsonl"), transcript(*(reply(f"a{n}") for n in range(5)))
    )
    machine.ingest()
    if replaced:
        path.unlink()
    later = WRITTEN + timedelta(hours=1)
    machine.write(path, transcript(*(reply(f"b{n}") for n in range(5))), at=later)
    machine.ingest()
    held = machine.sources()
    assert machine.rows().height == 10
    assert held["duplicates"] >= 0
    assert held["requests_lines"] == 10 + held["duplicates"]


def test_the_demo_fleet_is_left_out_once_there_is_a_real_one(tmp_path):
    demo = Machine(tmp_path, DEMO_HOST)
    demo.write(demo.claude("p/s.jsonl"), transcript(reply("demo"), b"broken"))
    demo.ingest()
    assert set(demo.billed()) == {"demo"}
    both = Machine(tmp_path, DEMO_HOST, "laptop")
    both.write(both.claude("p/s.jsonl", "laptop"), transcript(reply("real")))
    both.ingest()
    assert set(both.billed()) == {"real"}
    assert both.held()["files"] == 1
    assert both.held()["quarantined"] == {}


def test_the_ledger_can_be_asked_for_some_days(machine):
    lines = [reply(f"day{n}", at=after(days=n)) for n in range(5)]
    machine.write(machine.claude("p/s.jsonl"), transcript(*lines))
    machine.ingest()
    rows = usage(machine.home, (date(2026, 6, 2), date(2026, 6, 4)))
    assert sorted(rows["message_id"]) == ["day1", "day2"]
    assert usage(machine.home, (date(2025, 1, 1), date(2025, 1, 2))).is_empty()


def test_the_ledger_is_sorted_and_has_the_same_columns_however_little_it_holds(machine):
    empty = usage(machine.home).schema
    lines = [
        reply(name, at=after(minutes=minute)) for name, minute in (("c", 2), ("b", 1), ("a", 1))
    ]
    machine.write(machine.claude("p/s.jsonl"), transcript(*lines))
    machine.ingest()
    assert machine.rows()["message_id"].to_list() == ["a", "b", "c"]
    assert machine.rows().schema == empty


def test_quota_readings_are_kept_once_with_the_machine_that_made_them(two_machines):
    limits = {
        "primary": {"used_percent": 12.5, "window_minutes": 300, "resets_at": 1780304402},
        "plan_type": "pro",
    }
    rollout = Rollout().event("token_count", info=None, rate_limits=limits)
    two_machines.write(two_machines.codex("rollout-1.jsonl"), told(rollout))
    for _ in range(2):
        two_machines.ingest(full=True)
    assert quota(two_machines.home).rows(named=True) == [
        {
            "client": "codex",
            "host": "laptop",
            "ts": datetime(2026, 6, 1, 9, 0, 0, 1000, UTC),
            "limit_id": "codex",
            "limit_name": None,
            "window_minutes": 300,
            "used_percent": 12.5,
            "resets_at": datetime(2026, 6, 1, 9, 0, 2, tzinfo=UTC),
            "plan_type": "pro",
        }
    ]


def test_a_progress_bar_knows_how_much_there_is_to_read(machine):
    data = transcript(*LINES)
    machine.write(machine.claude("p/s.jsonl"), data)
    assert sum(find(places).bytes for places in machine.places()) == len(data)


@pytest.mark.parametrize("name", ["host=alpha", "[a-z]", "what?", "with space", "Zoë *", "{home}"])
def test_a_home_may_have_any_name(tmp_path, name):
    machine = Machine(tmp_path / name)
    path = machine.write(machine.claude("p/s.jsonl"), transcript(reply("a")))
    machine.ingest()
    machine.write(path, transcript(reply("a"), reply("b")), at=WRITTEN + timedelta(hours=1))
    assert machine.ingest().bytes_read == len(transcript(reply("b")))
    assert set(machine.billed()) == {"a", "b"}
    assert machine.rows()["host"].unique().to_list() == ["laptop"]
