"""A request is counted once, whatever files and machines speak of it, and from the right copy.

Token classes are always (fresh input, cache write 5m, cache write 1h, cache read, output).
"""

from datetime import UTC, datetime

import pytest

from ..transcripts.claude_fixtures.lines import (
    after,
    call,
    encoded,
    finished_agent,
    in_old_order,
    prompt,
    reply,
    rewritten,
    transcript,
    usage,
)
from .machine import Machine

FORK = "f0000000-0000-4000-8000-000000000002"


def test_each_request_has_one_row_with_all_that_the_log_says(machine):
    counters = usage(1, 9, write_5m=2, write_1h=3, read=4, speed="fast", inference_geo="eu")
    counters |= {"output_tokens_details": {"thinking_tokens": 5}}
    counters |= {"server_tool_use": {"web_search_requests": 6}}
    line = reply("msg_1", counters, request_id="req_1", effort="high", promptId="p1", cwd="/work/x",
                 entrypoint="cli", sessionId="s1", version="2.1.169")  # fmt: skip
    line["message"]["content"] = [call("Bash", "t1", command="cd x && git log"), call("Read", "t2")]
    asked = prompt("p1", origin={"kind": "human"}, promptSource="typed")
    machine.write(machine.claude("forge/s1.jsonl"), transcript(asked, line))
    machine.ingest()
    assert machine.row() == {
        "client": "claude", "message_id": "msg_1", "request_id": "req_1", "session_id": "s1",
        "host": "laptop", "ts": datetime(2026, 6, 1, 9, tzinfo=UTC), "model": "claude-opus-4-8",
        "cwd": "/work/x", "agent_type": None, "is_subagent": False, "effort": "high",
        "input_tokens": 1, "cache_write_5m_tokens": 2, "cache_write_1h_tokens": 3,
        "cache_read_tokens": 4, "output_tokens": 9, "reasoning_tokens": 5,
        "output_is_final": True, "stop_reason": "end_turn", "web_search_requests": 6,
        "client_version": "2.1.169", "entrypoint": "cli", "service_tier": "standard",
        "speed": "fast", "inference_geo": "eu", "agent_id": None, "turn_id": "p1",
        "subagent_depth": 0, "asked_by": "human", "prompt_source": "typed",
        "tools": '{"Bash":1,"Read":1}', "command_heads": '{"git":1}',
    }  # fmt: skip


def test_a_home_without_any_transcript_has_an_empty_ledger(machine):
    report = machine.ingest()
    assert (report.files, report.files_read, report.bytes_read) == (0, 0, 0)
    assert machine.rows().is_empty()
    assert machine.held()["files"] == 0


def test_output_is_final_only_where_a_line_has_a_stop_reason(machine):
    lines = [reply("a", stop=None), reply("b", stop=None), reply("b", stop="max_tokens")]
    machine.write(machine.claude("p/s.jsonl"), transcript(*lines))
    machine.ingest()
    rows = machine.rows().select("message_id", "output_is_final", "stop_reason").sort("message_id")
    assert rows.rows() == [("a", False, None), ("b", True, "max_tokens")]


# Copies in other files


@pytest.mark.parametrize("order", [encoded, lambda line: encoded(in_old_order(line))])
def test_a_resumed_session_that_copies_its_history_counts_it_once(machine, order):
    lines = [reply("a"), reply("b", at=after(minutes=1))]
    copies = [line | {"sessionId": FORK} for line in lines]
    machine.write(machine.claude("p/s.jsonl"), transcript(*lines))
    more = [*map(order, copies), reply("c", at=after(hours=1), sessionId=FORK)]
    machine.write(machine.claude("p/f.jsonl"), transcript(*more))
    machine.ingest()
    assert machine.billed() == dict.fromkeys("abc", (10, 0, 0, 0, 5))


def test_the_best_copy_counts_wherever_it_lies(machine):
    placeholder, final = reply("a", usage(1, 3), stop=None), reply("a", usage(1, 88))
    machine.write(machine.claude("p/1.jsonl"), transcript(placeholder))
    machine.write(machine.claude("q/2.jsonl"), transcript(final))
    machine.write(machine.claude("q/3.jsonl"), transcript(reply("a", usage(1, 99), stop=None)))
    machine.ingest()
    assert machine.billed() == {"a": (1, 0, 0, 0, 88)}
    assert machine.row()["output_is_final"]


def test_a_fork_that_rewrites_message_ids_counts_nothing_twice(machine):
    """Each content block of a teleported session gets a UUID of its own, the request id stays."""
    original = [reply(f"msg_{n}", usage(n, n), request_id=f"req_{n}") for n in (1, 2)]
    fork = [
        reply(rewritten(f"{n}{block}"), usage(n, n), request_id=f"req_{n}", sessionId=FORK)
        for n in (1, 2)
        for block in "abc"
    ]
    machine.write(machine.claude("p/s.jsonl"), transcript(*original))
    machine.write(machine.claude("p/f.jsonl"), transcript(*fork))
    machine.ingest()
    assert machine.billed() == {"msg_1": (1, 0, 0, 0, 1), "msg_2": (2, 0, 0, 0, 2)}


def test_rewritten_message_ids_follow_their_request_id_even_without_the_original(machine):
    fork = [reply(rewritten(block), usage(7, 7), request_id="req_1") for block in "abc"]
    machine.write(machine.claude("p/f.jsonl"), transcript(*fork))
    machine.ingest()
    assert machine.billed() == {"req_1": (7, 0, 0, 0, 7)}


def test_the_original_takes_over_from_the_fork_that_was_read_before(machine):
    fork = machine.write(
        machine.claude("p/f.jsonl"), transcript(reply(rewritten("a"), usage(7, 7), request_id="r"))
    )
    machine.ingest()
    fork.unlink()
    machine.write(machine.claude("p/s.jsonl"), transcript(reply("a", usage(7, 7), request_id="r")))
    machine.ingest()
    assert machine.billed() == {"a": (7, 0, 0, 0, 7)}


def test_a_rewritten_message_id_without_request_id_is_a_request_of_its_own_once(machine):
    lines = [reply(rewritten("a")), reply(rewritten("a")), reply(rewritten("b"))]
    machine.write(machine.claude("p/s.jsonl"), transcript(*lines))
    machine.write(machine.claude("p/copy.jsonl"), transcript(*lines))
    machine.ingest()
    assert set(machine.billed()) == {rewritten("a"), rewritten("b")}


@pytest.mark.parametrize("upper", [False, True])
def test_a_rewritten_id_may_be_spelt_in_capitals(machine, upper):
    fork = rewritten("a").upper() if upper else rewritten("a")
    lines = [reply("a", request_id="r"), reply(fork, request_id="r")]
    machine.write(machine.claude("p/s.jsonl"), transcript(*lines))
    machine.ingest()
    assert set(machine.billed()) == {"a"}


def test_a_copy_that_lost_its_request_id_is_still_a_copy(machine):
    machine.write(machine.claude("p/s.jsonl"), transcript(reply("a", request_id="r")))
    machine.write(machine.claude("p/f.jsonl"), transcript(reply("a", sessionId=FORK)))
    machine.ingest()
    assert set(machine.billed()) == {"a"}
    assert machine.row()["request_id"] == "r"


def test_a_copy_that_lost_its_message_id_is_still_a_copy(machine):
    machine.write(machine.claude("p/s.jsonl"), transcript(reply("a", request_id="r")))
    machine.write(machine.claude("p/f.jsonl"), transcript(reply(None, request_id="r")))
    machine.ingest()
    assert set(machine.billed()) == {"a"}


@pytest.mark.parametrize("bare_first", [True, False])
def test_a_fork_finds_its_original_though_only_one_line_of_that_has_the_request_id(
    machine, bare_first
):
    lines = [reply("a", stop=None), reply("a", request_id="r")]
    machine.write(machine.claude("p/s.jsonl"), transcript(*lines[:: 1 if bare_first else -1]))
    machine.write(machine.claude("p/f.jsonl"), transcript(reply(rewritten("a"), request_id="r")))
    machine.ingest()
    assert set(machine.billed()) == {"a"}


def test_requests_without_a_message_id_are_known_by_request_id_and_then_by_line(machine):
    lines = [
        reply(None, usage(1, 1), request_id="r"),
        reply(None, usage(1, 2), request_id="r"),
        reply(None, usage(2, 2), uuid="line-1"),
        reply(None, usage(3, 3), uuid="line-2"),
    ]
    machine.write(machine.claude("p/s.jsonl"), transcript(*lines))
    machine.write(machine.claude("p/copy.jsonl"), transcript(*lines))
    machine.ingest()
    assert machine.billed() == {
        "r": (1, 0, 0, 0, 2),
        "line-1": (2, 0, 0, 0, 2),
        "line-2": (3, 0, 0, 0, 3),
    }


def test_requests_without_any_id_are_counted_once_though_their_file_is_copied(machine):
    lines = [reply(None, usage(n, n), at=after(minutes=n)) for n in (1, 2)]
    for line in lines:
        del line["uuid"]
    machine.write(machine.claude("p/s.jsonl"), transcript(*lines))
    machine.write(machine.claude("p/copy.jsonl"), transcript(*lines))
    machine.ingest()
    assert sorted(machine.billed().values()) == [(1, 0, 0, 0, 1), (2, 0, 0, 0, 2)]


def test_one_request_id_with_two_real_message_ids_is_two_requests(machine):
    """The stream was aborted and asked again without streaming: both were billed."""
    lines = [reply("a", usage(1, 1), request_id="r"), reply("b", usage(2, 2), request_id="r")]
    machine.write(machine.claude("p/s.jsonl"), transcript(*lines))
    machine.ingest()
    assert machine.billed() == {"a": (1, 0, 0, 0, 1), "b": (2, 0, 0, 0, 2)}


def test_one_message_id_with_two_request_ids_is_one_request(machine):
    machine.write(machine.claude("p/s.jsonl"), transcript(reply("a", request_id="r1")))
    machine.write(machine.claude("p/btw.jsonl"), transcript(reply("a", request_id="r2")))
    machine.ingest()
    assert set(machine.billed()) == {"a"}


# Which copy owns a request


def test_the_main_thread_owns_what_a_sidechain_copied(machine):
    """The agents that compact and answer asides begin with a copy of their parent's history."""
    main = reply("a", at=after(minutes=5), cwd="/work/main")
    copy = reply("a", at=after(minutes=1), cwd="/work/side", isSidechain=True, agentId="acompact-1")
    own = reply("b", at=after(minutes=9), isSidechain=True, agentId="acompact-1")
    machine.write(machine.claude("p/agent-acompact-1.jsonl"), transcript(copy, own))
    machine.write(machine.claude("p/s.jsonl"), transcript(main))
    machine.ingest()
    rows = machine.rows().select("message_id", "is_subagent", "cwd", "agent_id").sort("message_id")
    assert rows.rows() == [
        ("a", False, "/work/main", None),
        ("b", True, "/work/forge", "acompact-1"),
    ]


def test_the_earliest_copy_owns_a_request_and_its_session(machine):
    machine.write(machine.claude("p/1.jsonl"), transcript(reply("a", at=after(days=2), cwd="/b")))
    first = reply("a", at=after(days=1), cwd="/a", sessionId="first")
    machine.write(machine.claude("p/2.jsonl"), transcript(first))
    machine.ingest()
    row = machine.row()
    assert (row["session_id"], row["cwd"], row["ts"]) == ("first", "/a", after(days=1))


def test_a_request_belongs_to_the_day_of_its_first_line(machine):
    midnight = datetime(2026, 6, 2, tzinfo=UTC)
    lines = [
        reply("a", usage(1, 1), at=midnight.replace(day=1, hour=23, minute=59), stop=None),
        reply("a", usage(1, 9), at=midnight),
    ]
    machine.write(machine.claude("p/s.jsonl"), transcript(*lines))
    machine.ingest()
    assert list(machine.ledger_bytes()) == ["host=laptop/date=2026-06-01.parquet"]
    assert machine.billed() == {"a": (1, 0, 0, 0, 9)}


def test_a_request_keeps_its_first_day_though_midnight_fell_between_two_ingestions(machine):
    midnight = datetime(2026, 6, 2, tzinfo=UTC)
    first = reply("a", usage(1, 1), at=midnight.replace(day=1, hour=23, minute=59), stop=None)
    path = machine.write(machine.claude("p/s.jsonl"), transcript(first))
    machine.ingest()
    machine.write(path, transcript(first, reply("a", usage(1, 9), at=midnight)), at=after(days=10))
    machine.ingest()
    assert list(machine.ledger_bytes()) == ["host=laptop/date=2026-06-01.parquet"]
    assert machine.billed() == {"a": (1, 0, 0, 0, 9)}


def test_times_with_another_zone_belong_to_their_utc_day(machine):
    line = reply("a") | {"timestamp": "2026-06-01T20:30:00-07:00"}
    machine.write(machine.claude("p/s.jsonl"), transcript(line))
    machine.ingest()
    assert list(machine.ledger_bytes()) == ["host=laptop/date=2026-06-02.parquet"]


@pytest.mark.parametrize("size", [100, 3_000, 300_000])
@pytest.mark.parametrize("place", ["type first", "usage first", "deep folder", "spaced"])
def test_a_reply_is_found_wherever_its_long_answer_stands(machine, size, place):
    """Most lines are never decoded; a reply is none of those, in whatever order it is written."""
    line = reply("a", content=[{"type": "text", "text": "x" * size}])
    if place in ("type first", "usage first"):
        line = {"type": "assistant"} | line
    if place == "usage first":
        line["message"] = dict(reversed(line["message"].items()))
    if place == "deep folder":
        line["cwd"] = "/work" + "/deeper" * 500
    data = encoded(line, spaced=place == "spaced")
    machine.write(machine.claude("p/s.jsonl"), transcript(data, reply("b")))
    machine.ingest()
    assert set(machine.billed()) == {"a", "b"}


@pytest.mark.parametrize("kind", ["user", "system", "attachment", "progress"])
@pytest.mark.parametrize("size", [100, 5000])
@pytest.mark.parametrize("has_agents", [True, False])
def test_a_reply_behind_a_line_that_was_never_finished_is_missed_and_said_so(
    machine, kind, size, has_agents
):
    """A client that died in mid-line goes on in the same line when the session is resumed."""
    torn = encoded({"type": kind, "message": {"content": "x" * size}})[:-9]
    path = machine.claude("p/s.jsonl")
    machine.write(path, transcript(torn + encoded(reply("a")), reply("b")))
    if has_agents:
        machine.write(machine.claude("p/s/subagents/agent-a1.jsonl"), b"")
    machine.ingest()
    assert set(machine.billed()) == {"b"}
    assert machine.held()["quarantined"] == {"unreadable": 1}


# Subagents


AGENT = {"agentId": "a1", "isSidechain": True}
AGENT_FILE = "p/s/subagents/agent-a1.jsonl"


def subagent(machine: Machine, *lines, notes=()) -> None:
    """Write a subagent's transcript and what its parent notes of it."""
    machine.write(machine.claude(AGENT_FILE), transcript(*lines))
    machine.write(machine.claude("p/s.jsonl"), transcript(*notes))
    machine.ingest()


def test_a_parent_repairs_the_last_request_of_its_subagent_and_no_other(machine):
    first = reply("a", usage(1, 2), stop=None, at=after(minutes=1), **AGENT)
    last = reply("b", usage(3, 4, read=5), stop=None, at=after(minutes=2), **AGENT)
    final = usage(3, 400, read=5, write_1h=6, output_tokens_details={"thinking_tokens": 7})
    subagent(machine, first, last, notes=[finished_agent("a1", final, at=after(minutes=3))])
    assert machine.billed() == {"a": (1, 0, 0, 0, 2), "b": (3, 0, 6, 5, 400)}
    rows = (
        machine.rows()
        .sort("message_id")
        .select("output_is_final", "stop_reason", "reasoning_tokens")
    )
    assert rows.rows() == [(False, None, 0), (True, None, 7)]


@pytest.mark.parametrize("status", ["aborted", "async_launched", None])
def test_a_subagent_that_did_not_complete_is_not_repaired(machine, status):
    line = reply("a", usage(1, 2), stop=None, **AGENT)
    note = finished_agent("a1", usage(1, 400), at=after(minutes=3), status=status)
    subagent(machine, line, notes=[note])
    assert machine.billed() == {"a": (1, 0, 0, 0, 2)}
    assert not machine.row()["output_is_final"]


def test_a_request_that_is_final_already_is_not_repaired(machine):
    line = reply("a", usage(1, 2), **AGENT)
    subagent(machine, line, notes=[finished_agent("a1", usage(1, 400), at=after(minutes=3))])
    assert machine.billed() == {"a": (1, 0, 0, 0, 2)}


@pytest.mark.parametrize("final", [usage(1, 1), usage(0, 900)])
def test_a_note_that_says_less_than_the_log_repairs_nothing(machine, final):
    line = reply("a", usage(1, 2), stop=None, **AGENT)
    subagent(machine, line, notes=[finished_agent("a1", final, at=after(minutes=3))])
    assert machine.billed() == {"a": (1, 0, 0, 0, 2)}
    assert not machine.row()["output_is_final"]


def test_a_note_that_says_the_same_as_the_log_makes_it_final(machine):
    line = reply("a", usage(1, 2), stop=None, **AGENT)
    subagent(machine, line, notes=[finished_agent("a1", usage(1, 2), at=after(minutes=3))])
    assert machine.billed() == {"a": (1, 0, 0, 0, 2)}
    assert machine.row()["output_is_final"]


def test_each_of_two_runs_of_one_subagent_is_repaired_by_its_own_note(machine):
    lines = [
        reply(name, usage(1, 2), stop=None, at=after(minutes=minute), **AGENT)
        for name, minute in (("a", 1), ("b", 2), ("c", 11), ("d", 12))
    ]
    notes = [
        finished_agent("a1", usage(1, 100), at=after(minutes=3)),
        finished_agent("a1", usage(1, 200), at=after(minutes=13)),
    ]
    subagent(machine, *lines, notes=notes)
    outputs = {key: tokens[-1] for key, tokens in machine.billed().items()}
    assert outputs == {"a": 2, "b": 100, "c": 2, "d": 200}


def test_notes_of_other_agents_and_sessions_repair_nothing(machine):
    line = reply("a", usage(1, 2), stop=None, **AGENT)
    notes = [
        finished_agent("a2", usage(1, 100), at=after(minutes=3)),
        finished_agent("a1", usage(1, 200), at=after(minutes=3)) | {"sessionId": FORK},
        finished_agent("a1", usage(1, 300), at=after(minutes=-3)),
    ]
    subagent(machine, line, notes=notes)
    assert machine.billed() == {"a": (1, 0, 0, 0, 2)}


def test_a_note_copied_by_a_fork_changes_nothing(machine):
    note = finished_agent("a1", usage(1, 100), at=after(minutes=3))
    subagent(machine, reply("a", usage(1, 2), stop=None, **AGENT), notes=[note])
    before = machine.ledger_bytes()
    machine.write(machine.claude("p/f.jsonl"), transcript(note | {"sessionId": FORK}, note))
    machine.ingest()
    assert machine.billed() == {"a": (1, 0, 0, 0, 100)}
    assert machine.ledger_bytes() == before


@pytest.mark.parametrize("size", [100, 3_000, 300_000])
@pytest.mark.parametrize("place", ["message first", "message last", "answer last", "deep folder"])
def test_a_note_is_found_wherever_the_long_answer_stands(machine, size, place):
    answer = [{"type": "text", "text": "x" * size}]
    note = finished_agent("a1", usage(1, 100), at=after(minutes=3), content=answer)
    note["message"] = {"role": "user", "content": answer}
    match place:
        case "message last":
            note["message"] = note.pop("message")
        case "answer last":
            note["toolUseResult"]["content"] = note["toolUseResult"].pop("content")
        case "deep folder":
            note["cwd"] = "/work" + "/deeper" * 500
    subagent(machine, reply("a", usage(1, 2), stop=None, **AGENT), notes=[note])
    assert machine.billed() == {"a": (1, 0, 0, 0, 100)}


@pytest.mark.parametrize("gone", [AGENT_FILE, "p/s.jsonl"])
def test_a_note_counts_though_one_of_both_transcripts_is_gone_when_the_other_comes(machine, gone):
    """Subagents may be read on one night and what their parent notes on the next."""
    answer = [{"type": "text", "text": "x" * 3000}]
    note = finished_agent("a1", usage(1, 100), at=after(minutes=3), content=answer)
    files = {
        AGENT_FILE: transcript(reply("a", usage(1, 2), stop=None, **AGENT)),
        "p/s.jsonl": transcript(note),
    }
    for name in sorted(files, key=lambda name: name != gone):
        machine.write(machine.claude(name), files[name])
        machine.ingest()
        machine.claude(name).unlink()
    assert machine.billed() == {"a": (1, 0, 0, 0, 100)}


def test_a_note_is_never_a_request_of_its_own(machine):
    machine.write(machine.claude("p/s.jsonl"), transcript(finished_agent("a1", usage(9, 9))))
    machine.ingest()
    assert machine.rows().is_empty()


def test_an_agents_type_comes_from_the_note_beside_its_transcript(machine):
    path = machine.write(machine.claude(AGENT_FILE), transcript(reply("a", **AGENT)))
    meta = path.with_suffix(".meta.json")
    meta.write_text('{"agentType":"Explore","description":"x","model":null}')
    machine.ingest()
    assert (machine.row()["agent_type"], machine.row()["is_subagent"]) == ("Explore", True)


@pytest.mark.parametrize(
    "meta", ["", "{", "[]", '{"agentType":7}', '{"agentType":"\\ud83d"}', "{}"]
)
def test_a_note_beside_a_transcript_that_says_nothing_is_passed_over(machine, meta):
    path = machine.write(machine.claude(AGENT_FILE), transcript(reply("a", **AGENT)))
    path.with_suffix(".meta.json").write_text(meta)
    machine.ingest()
    assert machine.row()["agent_type"] is None


def test_an_agents_type_is_kept_when_the_note_beside_its_transcript_goes(machine):
    path = machine.write(machine.claude(AGENT_FILE), transcript(reply("a", **AGENT)))
    meta = path.with_suffix(".meta.json")
    meta.write_text('{"agentType":"Explore"}')
    machine.ingest()
    meta.unlink()
    machine.ingest(full=True)
    assert machine.row()["agent_type"] == "Explore"


def test_an_agents_type_is_learnt_when_the_note_beside_its_transcript_comes_late(machine):
    path = machine.write(machine.claude(AGENT_FILE), transcript(reply("a", **AGENT)))
    machine.ingest()
    path.with_suffix(".meta.json").write_text('{"agentType":"Explore"}')
    machine.ingest(full=True)
    assert machine.row()["agent_type"] == "Explore"


def test_an_agents_type_comes_from_its_parent_where_its_own_file_has_none(machine):
    note = finished_agent("a1", usage(0, 0), at=after(minutes=3))
    subagent(machine, reply("a", **AGENT), notes=[note])
    assert machine.row()["agent_type"] == "Explore"


def test_an_agents_type_comes_from_any_of_its_lines(machine):
    lines = [reply("a", **AGENT), reply("b", attributionAgent="Plan", **AGENT)]
    subagent(machine, *lines)
    assert machine.rows()["agent_type"].to_list() == ["Plan", "Plan"]


# Several machines


def test_a_transcript_on_two_machines_is_counted_once_and_for_the_same_one(two_machines):
    data = transcript(reply("a"), reply("b"))
    for host in ("laptop", "server"):
        two_machines.write(two_machines.claude("p/s.jsonl", host), data)
    two_machines.ingest()
    assert two_machines.billed() == dict.fromkeys("ab", (10, 0, 0, 0, 5))
    assert two_machines.rows()["host"].unique().to_list() == ["laptop"]


@pytest.mark.parametrize("first", ["laptop", "server"])
def test_the_machine_that_was_read_first_makes_no_difference(two_machines, first):
    second = {"laptop": "server", "server": "laptop"}[first]
    data = transcript(reply("a"), reply("b"))
    two_machines.write(two_machines.claude("p/s.jsonl", first), data)
    two_machines.ingest()
    two_machines.write(two_machines.claude("p/other.jsonl", second), data)
    two_machines.ingest()
    assert two_machines.rows()["host"].unique().to_list() == ["laptop"]
    assert list(two_machines.ledger_bytes()) == ["host=laptop/date=2026-06-01.parquet"]


def test_requests_of_different_machines_add_up(two_machines):
    two_machines.write(two_machines.claude("p/s.jsonl", "laptop"), transcript(reply("a")))
    two_machines.write(two_machines.claude("p/s.jsonl", "server"), transcript(reply("b")))
    two_machines.ingest()
    rows = two_machines.rows().select("message_id", "host").sort("message_id").rows()
    assert rows == [("a", "laptop"), ("b", "server")]


def test_a_rewritten_fork_on_another_machine_is_a_copy(two_machines):
    fork = reply(rewritten("a"), request_id="r", at=after(days=1))
    two_machines.write(two_machines.claude("p/s.jsonl", "laptop"), transcript(fork))
    original = reply("a", request_id="r")
    two_machines.write(two_machines.claude("p/s.jsonl", "server"), transcript(original))
    two_machines.ingest()
    assert (two_machines.row()["message_id"], two_machines.row()["host"]) == ("a", "server")
