"""What one Claude Code transcript says about billed requests: one test for each rule.

Token classes are always (fresh input, cache write 5m, cache write 1h, cache read, output).
"""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_pipeline.transcripts.claude import OfAgent

from .claude_fixtures.lines import (
    START,
    WRITTEN,
    after,
    billed,
    encoded,
    finished_agent,
    in_old_order,
    read,
    reasons,
    reply,
    stamp,
    transcript,
    usage,
)


def only(*lines, **options):
    """Return the only event of a transcript."""
    [event] = read(lines, **options).events
    return event


# A request's lines: which one counts


def test_several_lines_of_one_request_are_one_request():
    lines = [reply(content=[{"type": kind}]) for kind in ("thinking", "text", "tool_use")]
    assert billed(*lines) == {"msg_01": (10, 0, 0, 0, 5)}
    assert read(lines).request_lines == 3


def test_the_line_with_a_stop_reason_counts_even_if_others_say_more():
    final = reply(counters=usage(2, 7), stop="tool_use")
    placeholder = reply(counters=usage(900, 900), stop=None)
    for lines in ([final, placeholder], [placeholder, final], [placeholder, final, placeholder]):
        assert billed(*lines) == {"msg_01": (2, 0, 0, 0, 7)}
        assert only(*lines).stop_reason == "tool_use"


def test_an_empty_stop_reason_is_none():
    placeholder = reply(counters=usage(900, 900), stop="")
    assert only(placeholder).stop_reason is None
    final = reply(counters=usage(2, 7))
    for lines in ([final, placeholder], [placeholder, final]):
        assert billed(*lines) == {"msg_01": (2, 0, 0, 0, 7)}


def test_of_equally_final_lines_the_one_with_more_output_counts():
    for stop in (None, "end_turn"):
        less, more = reply(counters=usage(9, 1), stop=stop), reply(counters=usage(1, 8), stop=stop)
        assert billed(less, more) == billed(more, less) == {"msg_01": (1, 0, 0, 0, 8)}


def test_of_lines_with_equal_output_the_one_with_more_input_counts():
    less, more = reply(counters=usage(3, 5)), reply(counters=usage(2, 5, read=2))
    assert billed(less, more) == billed(more, less) == {"msg_01": (2, 0, 0, 2, 5)}


def test_counters_of_two_lines_are_never_mixed():
    one, other = usage(100, 1, read=5), usage(1, 9, write_1h=7)
    assert billed(reply(counters=one), reply(counters=other)) == {"msg_01": (1, 0, 7, 0, 9)}


def test_a_requests_first_line_says_when_and_where_it_was_made():
    first = reply(at=after(seconds=1), stop=None, cwd="/work/forge", version="2.1.76")
    best = reply(at=after(seconds=9), counters=usage(1, 99), cwd="/work/sage", version="2.1.80")
    event = only(first, best)
    assert (event.ts, event.cwd, event.client_version) == (
        after(seconds=1),
        "/work/forge",
        "2.1.76",
    )
    assert event.output_tokens == 99


def test_lines_of_one_request_may_have_lines_of_others_between_them():
    lines = [reply("a"), reply("b"), reply("a", usage(1, 20)), reply("b", usage(1, 30))]
    assert billed(*lines) == {"a": (1, 0, 0, 0, 20), "b": (1, 0, 0, 0, 30)}


def test_a_request_without_a_message_id_is_known_by_its_request_id():
    event = only(reply(None, request_id="req_1"), reply(None, usage(1, 9), request_id="req_1"))
    assert (event.message_id, event.request_id, event.output_tokens) == (None, "req_1", 9)


def test_a_request_without_any_id_is_known_by_its_line():
    event = only(reply(None, uuid="line-1"))
    assert (event.message_id, event.request_id, event.line_id) == (None, None, "line-1")
    assert len(read([reply(None, uuid="line-1"), reply(None, uuid="line-2")]).events) == 2


def test_an_empty_id_is_no_id():
    event = only(reply("", request_id="", uuid="line-1"))
    assert (event.message_id, event.request_id, event.line_id) == (None, None, "line-1")


@pytest.mark.parametrize("known_first", [True, False])
def test_a_request_id_that_only_some_lines_carry_is_kept(known_first):
    lines = [reply(stop=None), reply(request_id="req_1")]
    event = only(*lines[:: -1 if known_first else 1])
    assert (event.message_id, event.request_id) == ("msg_01", "req_1")


# Token classes


def test_the_four_classes_of_input_are_disjoint():
    assert billed(reply(counters=usage(1, 2, write_5m=4, write_1h=8, read=16))) == {
        "msg_01": (1, 4, 8, 16, 2)
    }


def test_a_cache_write_that_the_log_does_not_split_counts_as_5m():
    assert billed(reply(counters=usage(write_5m=3, write_1h=4, unsplit=5))) == {
        "msg_01": (10, 8, 4, 0, 5)
    }
    unsplit = usage(unsplit=7)
    for split in (None, {}, {"ephemeral_5m_input_tokens": None}):
        counters = unsplit | {"cache_creation": split}
        assert billed(reply(counters=counters)) == {"msg_01": (10, 7, 0, 0, 5)}
    del unsplit["cache_creation"]
    assert billed(reply(counters=unsplit)) == {"msg_01": (10, 7, 0, 0, 5)}


def test_a_split_that_is_larger_than_its_total_is_believed():
    counters = usage(write_5m=3, write_1h=4) | {"cache_creation_input_tokens": 2}
    assert billed(reply(counters=counters)) == {"msg_01": (10, 3, 4, 0, 5)}


def test_iterations_of_the_message_itself_are_not_added():
    counters = usage(1, 2, read=3, iterations=[{"type": "message"} | usage(1, 2, read=3)])
    assert billed(reply(counters=counters)) == {"msg_01": (1, 0, 0, 3, 2)}


@pytest.mark.parametrize("kind", ["compaction", "advisor_message", "a later invention"])
def test_iterations_of_any_other_type_are_billed_on_top(kind):
    more = {"type": kind} | usage(100, 20, write_5m=7, write_1h=8, read=40)
    counters = usage(1, 2, iterations=[more, {"type": "message"} | usage(1, 2), more])
    assert billed(reply(counters=counters)) == {"msg_01": (201, 14, 16, 80, 42)}


def test_iterations_decide_which_line_is_larger():
    """The compaction is billed, so a line that names it says more than one that does not."""
    compaction = usage(1, 10, iterations=[{"type": "compaction"} | usage(5, 100)])
    more, less = reply(counters=compaction), reply(counters=usage(2, 20))
    assert billed(more, less) == billed(less, more) == {"msg_01": (6, 0, 0, 0, 110)}


def test_thinking_is_a_part_of_output():
    event = only(reply(counters=usage(1, 9, output_tokens_details={"thinking_tokens": 4})))
    assert (event.output_tokens, event.reasoning_tokens) == (9, 4)


def test_web_searches_are_counted():
    tools = {"web_search_requests": 3, "web_fetch_requests": 8}
    assert only(reply(counters=usage(server_tool_use=tools))).web_search_requests == 3


@pytest.mark.parametrize("absent", [None, "left out"])
def test_a_counter_that_is_null_or_absent_is_zero(absent):
    counters = {"output_tokens": 5, "service_tier": None}
    names = (
        "input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "cache_creation",
        "output_tokens_details", "server_tool_use", "iterations", "speed", "inference_geo",
    )  # fmt: skip
    if absent is None:
        counters |= dict.fromkeys(names)
    assert billed(reply(counters=counters)) == {"msg_01": (0, 0, 0, 0, 5)}
    assert billed(reply(counters={})) == {"msg_01": (0, 0, 0, 0, 0)}


def test_what_a_line_says_about_its_service_is_kept():
    event = only(reply(counters=usage(speed="fast", inference_geo="eu", service_tier="priority")))
    assert (event.speed, event.inference_geo, event.service_tier) == ("fast", "eu", "priority")


# What is a request and what is not


def test_an_unknown_model_keeps_its_tokens():
    event = only(reply(model="glm-4.7:cloud", counters=usage(1, 2)))
    assert (event.model, event.input_tokens, event.output_tokens) == ("glm-4.7:cloud", 1, 2)


def test_a_request_without_a_model_keeps_its_tokens():
    assert only(reply(model=None, counters=usage(1, 2))).input_tokens == 1


def test_lines_that_the_client_wrote_itself_are_no_requests():
    synthetic = reply("9c1b", usage(0, 0), model="<synthetic>", isApiErrorMessage=False)
    file = read([synthetic, reply()])
    assert ([event.message_id for event in file.events], file.request_lines) == (["msg_01"], 1)
    assert file.rejected == []


def test_a_reply_without_usage_is_no_request():
    line = reply()
    del line["message"]["usage"]
    for silent in (line, reply(message="text"), reply(message=None), {"type": "assistant"}):
        found = read([silent])
        assert (found.events, found.rejected, found.request_lines) == ([], [], 0)


def test_the_echo_of_a_subagents_message_in_a_progress_line_is_not_counted():
    echo = {"type": "assistant", "message": reply("msg_02")["message"], "timestamp": stamp(START)}
    line = {"type": "progress", "data": {"type": "agent_progress", "message": echo}}
    line |= {"uuid": "1", "timestamp": stamp(START), "sessionId": "s"}
    assert read([line, reply()]).events == read([b" " * (len(encoded(line))), reply()]).events


def test_the_usage_in_a_tools_result_is_not_a_request():
    note = finished_agent("a1", usage(5, 6))
    assert [event.kind for event in read([note]).events] == ["repair"]
    assert read([note]).request_lines == 0


def test_a_tool_input_named_usage_is_not_counted():
    tool = {"type": "tool_use", "name": "Write", "input": {"usage": usage(999, 999), "model": "x"}}
    assert billed(reply(content=[tool])) == {"msg_01": (10, 0, 0, 0, 5)}


def test_text_that_quotes_a_transcript_is_not_counted():
    quoted = json.dumps(reply("msg_99", usage(999, 999)))
    content = [{"type": "text", "text": quoted + "\n" + quoted}]
    user = {"type": "user", "message": {"role": "user", "content": quoted}, "toolUseResult": quoted}
    assert billed(reply(content=content), user) == {"msg_01": (10, 0, 0, 0, 5)}
    assert reasons(reply(content=content), user) == []


@pytest.mark.parametrize("result", ["text", ["text", {"usage": {}}], 7, None, {"usage": "text"}])
def test_a_tools_result_may_have_any_shape(result):
    line = {"type": "user", "timestamp": stamp(START), "toolUseResult": result}
    assert read([line]) == read([])
    assert billed(reply(toolUseResult=result)) == {"msg_01": (10, 0, 0, 0, 5)}


@pytest.mark.parametrize("message", ["text", ["text"], 7, True, {str(n): "t" for n in range(99)}])
def test_a_message_may_have_any_shape(message):
    lines = [{"type": kind, "message": message} for kind in ("assistant", "user", "system")]
    assert read(lines) == read([])


def test_lines_of_unknown_types_are_passed_over():
    kinds = ("cost-state", "relocated", "holo-note", "", None, 7)
    found = read([{"type": kind, "usage": usage()} for kind in kinds])
    assert (found.events, found.totals, found.rejected) == ([], [], [])
    assert found.state.drift.record_types == {"holo-note": 1, "(other)": 1}


# Where a request was made


@pytest.mark.parametrize("in_agent_file", [True, False])
@pytest.mark.parametrize("is_sidechain", [True, False])
def test_a_request_is_a_subagents_if_its_line_or_its_file_says_so(in_agent_file, is_sidechain):
    event = only(reply(isSidechain=is_sidechain), agent=OfAgent() if in_agent_file else None)
    assert event.is_subagent == (in_agent_file or is_sidechain)


def test_the_line_names_the_type_of_its_agent_before_the_file_does():
    beside = OfAgent("Explore")
    assert only(reply(attributionAgent="Plan"), agent=beside).agent_type == "Plan"
    assert only(reply(), agent=beside).agent_type == "Explore"


def test_what_a_line_says_of_its_session_is_kept():
    event = only(
        reply(agentId="a1", effort="high", promptId="p1", entrypoint="cli", request_id="req_1")
    )
    assert (event.agent_id, event.effort, event.turn_id, event.entrypoint, event.request_id) == (
        "a1",
        "high",
        "p1",
        "cli",
        "req_1",
    )


# What a parent knows of its subagents


def test_a_parent_notes_the_final_usage_of_a_finished_subagent():
    note = only(finished_agent("a1", usage(1, 9, write_1h=3, read=5), at=after(minutes=1)))
    assert (note.kind, note.agent_id, note.agent_type) == ("repair", "a1", "Explore")
    assert note.ts == after(minutes=1)
    assert (note.input_tokens, note.cache_write_1h_tokens) == (1, 3)
    assert (note.cache_read_tokens, note.output_tokens) == (5, 9)


@pytest.mark.parametrize(
    "result", [{"status": "aborted"}, {"status": None}, {"agentId": None}, {"usage": None}]
)
def test_a_parent_that_cannot_know_notes_nothing(result):
    assert read([finished_agent("a1", usage(1, 9), **result)]).events == []


# One meaning, many spellings


def test_old_and_new_field_order_say_the_same():
    lines = [
        reply("a", request_id="r"),
        reply("b", usage(7, 8, write_1h=3)),
        finished_agent("c", {}),
    ]
    for line in lines:
        assert list(in_old_order(line)) != list(line)
        assert same(read([in_old_order(line)])) == same(read([line]))


def same(file):
    return [event._replace(offset=0, first_offset=0) for event in file.events], file.rejected


@given(
    order=st.randoms(use_true_random=False), spaced=st.booleans(), size=st.sampled_from([0, 3000])
)
def test_spaces_and_the_order_of_fields_change_nothing(order, spaced, size):
    def shuffled(value):
        if isinstance(value, list):
            return [shuffled(item) for item in value]
        if not isinstance(value, dict):
            return value
        names = list(value)
        order.shuffle(names)
        return {name: shuffled(value[name]) for name in names}

    content = [{"type": "text", "text": "x" * size}]
    counters = usage(1, 2, write_5m=3, iterations=[{"type": "compaction"} | usage(5, 6)])
    for line in (
        reply("a", counters, request_id="r", content=content, agentId="a1"),
        finished_agent("a1", counters, content=content),
        {"type": "user", "message": {"content": content}, "timestamp": stamp(START)},
    ):
        again = encoded(shuffled(line), spaced=spaced)
        assert same(read([again])) == same(read([line]))


def test_windows_line_ends_and_blank_lines_change_nothing():
    lines = [encoded(reply("a")), encoded(reply("b", usage(3, 4)))]
    data = b"\r\n \n".join(lines) + b"\r\n\n\n"
    assert same(read(data)) == same(read(lines))


def test_a_byte_order_mark_before_the_first_line_changes_nothing():
    assert same(read(b"\xef\xbb\xbf" + transcript(reply()))) == same(read([reply()]))


def test_a_last_line_without_its_newline_is_pending():
    pending = encoded(reply("b"))
    for length in (1, len(pending) // 2, len(pending)):
        file = read(transcript(reply("a")) + pending[:length])
        assert ([event.message_id for event in file.events], file.rejected) == (["a"], [])


# Text that nobody reads may be anything


UNREAD = b"UNREAD"


def with_text(text: bytes, line=None) -> bytes:
    line = line or reply(content=[{"type": "text", "text": UNREAD.decode()}])
    return encoded(line).replace(UNREAD, text)


STRANGE = {
    "a lone surrogate": rb"\ud83d",
    "a low surrogate": rb"\udc00 \ud83d x",
    "bad UTF-8": b"\xff\xfe \xc3",
    "a NUL": b"\0\0",
    "control characters": b"\x01 \x1b[0m \t",
    "other line ends": b"\r \x0b \x0c \xc2\x85 \xe2\x80\xa8",
    "escapes": rb"\u0000 \\ \" \/ \n",
}


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE)
def test_strange_text_that_nobody_reads_does_not_disqualify_a_request(text):
    assert billed(with_text(text)) == {"msg_01": (10, 0, 0, 0, 5)}
    assert reasons(with_text(text)) == []


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE)
def test_strange_text_that_nobody_reads_does_not_disqualify_a_parents_note(text):
    note = with_text(text, finished_agent("a1", usage(1, 9), prompt=UNREAD.decode()))
    assert [event.output_tokens for event in read([note]).events] == [9]


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE)
def test_strange_text_in_a_field_that_is_read_is_mended(text):
    line = with_text(text, reply(cwd="/work/UNREAD", effort="UNREAD"))
    event = only(line)
    assert event.cwd.startswith("/work/")
    assert event.cwd.encode().decode() == event.cwd
    assert (event.message_id, event.output_tokens) == ("msg_01", 5)


@pytest.mark.parametrize(
    "field", ["effort", "version", "cwd", "promptId", "isSidechain", "agentId"]
)
@pytest.mark.parametrize("value", [7, True, ["x"], {"x": 1}, 1.5])
def test_a_description_of_the_wrong_type_does_not_disqualify_a_request(field, value):
    assert billed(reply(**{field: value})) == {"msg_01": (10, 0, 0, 0, 5)}


@pytest.mark.parametrize("field", ["service_tier", "speed", "inference_geo"])
def test_a_service_of_the_wrong_type_does_not_disqualify_a_request(field):
    assert billed(reply(counters=usage(**{field: {"name": "x"}}))) == {"msg_01": (10, 0, 0, 0, 5)}


def test_long_numbers_that_nobody_reads_are_legal():
    line = with_text(b'x","size":' + b"9" * 5000 + b',"y":"')
    assert billed(line) == {"msg_01": (10, 0, 0, 0, 5)}


def test_the_last_of_two_fields_with_one_name_counts():
    line = encoded(reply()).replace(b'"output_tokens":5', b'"output_tokens":4,"output_tokens":6')
    assert billed(line) == {"msg_01": (10, 0, 0, 0, 6)}


# Lines that are not believed


def broken_lines():
    whole = encoded(reply())
    return {
        "cut": whole[:-20],
        "cut at the start": whole[20:],
        "plain text": b"Error: something went wrong",
        "two objects": whole + whole,
        "a trailing comma": whole[:-1] + b",}",
        "single quotes": whole.replace(b'"', b"'"),
        "NaN": whole.replace(b'"output_tokens":5', b'"output_tokens":NaN'),
        "Infinity": whole.replace(b'"output_tokens":5', b'"output_tokens":-Infinity'),
        "NaN nearby": with_text(b'x","score":NaN,"y":"'),
        "an unknown escape": with_text(rb"\x41"),
        "NUL bytes": b"\0" * 700,
        "NUL bytes before a line": b"\0" * 9 + whole,
        "deep nesting": with_text(b'x","y":' + b"[" * 100_000 + b"]" * 100_000 + b',"z":"'),
        "a list": b"[" + whole + b"]",
        "a number": b"7",
        "null": b"null",
        "a text": b'"text"',
        "an empty list": b"[]",
    }


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("broken", broken_lines().values(), ids=broken_lines())
def test_a_broken_line_is_unreadable_and_takes_no_other_line_with_it(broken, place):
    good = [reply("a"), reply("b")]
    lines = [*good[:place], broken, *good[place:]]
    assert reasons(*lines) == ["unreadable"]
    assert billed(*lines) == dict.fromkeys("ab", (10, 0, 0, 0, 5))


@pytest.mark.parametrize("kind", ["user", "system", "attachment", "progress", "assistant"])
@pytest.mark.parametrize("fault", [b"}", b'{"type":"user"}', b",,"])
def test_a_broken_line_of_any_kind_is_unreadable(kind, fault):
    line = encoded({"type": kind, "message": {"content": "x"}})
    assert reasons(line + fault) == ["unreadable"]
    assert reasons(line[:-1] + fault + b"}") == ["unreadable"]


IMPOSSIBLE = {
    "negative": "-1",
    "fractional": "1.5",
    "true": "true",
    "false": "false",
    "text": '"5"',
    "more than a million million": str(10**12 + 1),
    "forty digits": "9" * 40,
    "five thousand digits": "9" * 5000,
    "a list": "[5]",
    "an object": '{"tokens":5}',
}
COUNTERS = (
    "input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens",
    "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens", "thinking_tokens",
    "web_search_requests",
)  # fmt: skip


@pytest.mark.parametrize("value", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
@pytest.mark.parametrize("counter", COUNTERS)
def test_an_impossible_counter_is_bad(counter, value):
    counters = usage(
        output_tokens_details={"thinking_tokens": 0}, server_tool_use={"web_search_requests": 0}
    )
    line = encoded(reply(counters=replaced(counters, counter, "@"))).replace(b'"@"', value.encode())
    assert b"@" not in line
    assert reasons(line, reply("b")) == ["bad_counter"]
    assert billed(line, reply("b")) == {"b": (10, 0, 0, 0, 5)}


def replaced(counters, name, value):
    """Return the counters with one of them, on whichever level, set to ``value``."""
    return {
        key: value if key == name else replaced(old, name, value) if isinstance(old, dict) else old
        for key, old in counters.items()
    }


@pytest.mark.parametrize("value", ["-1", "1.5", "true"])
def test_an_impossible_counter_in_an_iteration_is_bad(value):
    counters = usage(iterations=[{"type": "compaction", "input_tokens": "@"}])
    line = encoded(reply(counters=counters)).replace(b'"@"', value.encode())
    assert reasons(line) == ["bad_counter"]


@pytest.mark.parametrize("counters", ["text", [], 7, True, [usage()]])
def test_usage_that_is_no_object_is_bad(counters):
    assert reasons(reply(counters=counters)) == ["bad_counter"]


def test_a_million_million_tokens_are_believed():
    assert billed(reply(counters=usage(10**12, 0))) == {"msg_01": (10**12, 0, 0, 0, 0)}


def test_an_impossible_counter_beside_strange_text_is_still_bad():
    line = with_text(rb"\ud83d").replace(b'"output_tokens":5', b'"output_tokens":-5')
    assert reasons(line) == ["bad_counter"]


@pytest.mark.parametrize(
    ("timestamp", "reason"),
    [
        (None, "timestamp_missing"),
        ("", "timestamp_missing"),
        ("yesterday", "timestamp_missing"),
        (1780304400, "timestamp_missing"),
        (1780304400.5, "timestamp_missing"),
        (True, "timestamp_missing"),
        (["2026-06-01T09:00:00Z"], "timestamp_missing"),
        ("2026-06-31T09:00:00Z", "timestamp_missing"),
        ("2026-06-01T09:00:00", "timestamp_without_zone"),
        ("2026-06-01", "timestamp_without_zone"),
        ("2022-12-31T23:59:59.999Z", "timestamp_too_old"),
        ("1970-01-01T00:00:00Z", "timestamp_too_old"),
        ("0001-01-01T00:00:00+14:00", "timestamp_too_old"),
        (stamp(WRITTEN + timedelta(days=1, milliseconds=1)), "timestamp_in_future"),
        ("9999-12-31T23:59:59-14:00", "timestamp_in_future"),
    ],
)
def test_an_unbelievable_timestamp_is_named(timestamp, reason):
    line = reply()
    line["timestamp"] = timestamp
    assert reasons(line, reply("b")) == [reason]
    assert list(billed(line, reply("b"))) == ["b"]
    if timestamp is None:
        del line["timestamp"]
        assert reasons(line) == [reason]


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2023, 1, 1, tzinfo=UTC),
        WRITTEN + timedelta(days=1),
        datetime(2026, 6, 1, 9, tzinfo=timezone(timedelta(hours=-7))),
        datetime(2024, 2, 29, 23, 59, 59, 999000, tzinfo=timezone(timedelta(hours=5, minutes=45))),
    ],
)
def test_a_believable_timestamp_is_the_same_moment_in_any_zone(moment):
    line = reply()
    line["timestamp"] = moment.isoformat()
    assert only(line).ts == moment


def test_a_line_without_usage_needs_no_timestamp():
    lines = [{"type": "summary", "summary": "x"}, reply(model="<synthetic>", timestamp="never")]
    assert read(lines) == read([])


def test_a_rejected_line_is_known_by_its_place_and_not_by_its_content():
    secret = encoded(reply(counters=usage(-1), content=[{"type": "text", "text": "hunter2"}]))
    [rejected] = read([reply(), secret]).rejected
    assert (rejected.offset, rejected.length) == (len(transcript(reply())), len(secret))
    assert "hunter2" not in repr(rejected)


# Whatever comes


@given(data=st.binary(max_size=300))
def test_no_bytes_end_a_reading(data):
    file = read(data + b"\n" + transcript(reply()))
    assert [event.message_id for event in file.events][-1:] == ["msg_01"]


texts = st.text(max_size=5) | st.sampled_from(["\ud83d", "\0", "assistant", "completed"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@given(data=st.data(), value=values, is_note=st.booleans())
def test_no_value_of_any_type_in_any_field_ends_a_reading(data, value, is_note):
    """And all that is read of it fits into the columns of the lake."""
    counters = usage(1, 2, iterations=[{"type": "compaction"} | usage(3, 4)])
    counters |= {"output_tokens_details": {"thinking_tokens": 1}}
    counters |= {"server_tool_use": {"web_search_requests": 1}}
    line = finished_agent("a1", counters) if is_note else reply("a", counters, agentId="a1")
    place = line
    while True:
        name = data.draw(st.sampled_from(sorted(place)))
        inner = place[name]
        if not isinstance(inner, dict) or not data.draw(st.booleans()):
            break
        place = inner
    place[name] = value
    file = read([json.dumps(line).encode(), encoded(reply("z"))])
    assert file.events[-1].message_id == "z" or file.events[0].message_id == "z"
    for event in file.events:
        for field in event:
            if isinstance(field, str):
                assert field.encode().decode() == field
            if isinstance(field, int):
                assert 0 <= field < 2**63


@given(
    place=st.integers(0, 10**4),
    gone=st.integers(0, 40),
    new=st.binary(max_size=40).map(lambda new: new.replace(b"\n", b"")),
)
def test_damage_inside_one_line_never_reaches_the_others(place, gone, new):
    """Every line is a request, is rejected, or is no longer a reply: none is lost twice."""
    line = encoded(reply("b", usage(7, 8, iterations=[]), request_id="req"))
    cut = place % len(line)
    damaged = (line[:cut] + new + line[cut + gone :]) or b"x"
    file = read([reply("a"), damaged, reply("c")])
    ids = [event.message_id for event in file.events]
    assert (ids[0], ids[-1]) == ("a", "c")
    assert len(file.events) + len(file.rejected) in (2, 3)
    assert file.request_lines == len(file.events)
