"""New record types and new fields of usage are noticed by name, and never by content."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_pipeline.transcripts.claude_lines import lines_to_decode
from fleet_pipeline.transcripts.drift import KNOWN_RECORDS, Drift

from .claude_fixtures.lines import after, read, reply, transcript, usage
from .codex_fixtures.rollouts import Rollout
from .codex_fixtures.rollouts import read as read_codex
from .codex_fixtures.rollouts import usage as codex_usage


def record_types(*lines):
    """Return what is not known among the lines that are worth decoding."""
    data = bytearray(transcript(*lines))
    extents, count = lines_to_decode(True)(data, 0, len(data))
    assert count == len(lines)
    return read([bytes(data[begin:end]) for begin, end in extents]).state.drift.record_types


def usage_fields(*lines):
    return read(lines).state.drift.usage_fields


@pytest.mark.parametrize("kind", sorted(KNOWN_RECORDS["claude"] - {"assistant", "cost-state"}))
def test_a_known_type_is_no_news(kind):
    assert record_types({"type": kind}, {"type": kind, "text": "x" * 999}) == {}


@pytest.mark.parametrize("length", [0, 5000])
def test_a_type_that_nobody_knows_is_counted_line_by_line(length):
    lines = [{"type": kind, "text": "x" * length} for kind in ("holo-note", "user_2", "holo-note")]
    assert record_types(*lines, reply()) == {"holo-note": 2, "user_2": 1}


@pytest.mark.parametrize("kind", ["", "two words", "é", "a" * 41, "a/b", "a\nb", "key=secret"])
def test_a_type_that_has_not_the_form_of_a_name_stays_nameless(kind):
    assert record_types({"type": kind}, {"type": kind, "text": "x" * 999}) == {"(other)": 2}


def silent(version, **message):
    line = reply()
    line["version"] = version
    del line["message"]["usage"]
    line["message"] |= message
    return line


def test_a_reply_without_usage_is_counted_under_its_clients_version():
    lines = [silent("2.1.400"), reply(), silent("2.1.400"), silent(None), silent("two words")]
    drift = read(lines).state.drift
    assert drift.silent_replies == {"2.1.400": 2, "(other)": 2}
    assert [(row.kind, row.name, row.lines) for row in drift.rows()] == [
        ("reply_without_usage", "(other)", 2), ("reply_without_usage", "2.1.400", 2),
    ]  # fmt: skip


def test_what_the_client_wrote_itself_is_no_reply():
    assert read([silent("2.1.400", model="<synthetic>")]).state.drift.silent_replies == {}


def test_known_usage_is_no_news():
    iterations = [{"type": "message", **usage()}, {"type": "compaction", "input_tokens": 1}]
    counters = usage(
        iterations=[{k: v for k, v in part.items() if k != "service_tier"} for part in iterations],
        output_tokens_details={"thinking_tokens": 1},
        server_tool_use={"web_search_requests": 0, "web_fetch_requests": 0},
        inference_geo="eu",
        speed="fast",
        fallback_credit=None,
    )
    assert usage_fields(reply(counters=counters)) == {}


def test_a_new_field_of_usage_is_named_with_its_place():
    split = {"ephemeral_5m_input_tokens": 1, "ephemeral_24h_input_tokens": 2}
    line = reply(counters=usage(image_tokens=5, cache_creation=split))
    assert usage_fields(line) == {"image_tokens": 1, "cache_creation.ephemeral_24h_input_tokens": 1}


@pytest.mark.parametrize("name", ["hunter2", "my secret_tokens", "Secret_tokens", "a" * 40, ""])
def test_a_field_that_does_not_read_as_a_measure_stays_nameless(name):
    assert usage_fields(reply(counters=usage(**{name: {"text": "x"}}))) == {"(other)": 1}


def test_one_line_of_each_client_version_is_looked_at():
    new = usage(image_tokens=5)
    lines = [
        reply(counters=new),
        reply("msg_02", new, at=after(minutes=1)),
        reply("msg_03", new, at=after(minutes=2), version="2.2.0"),
        reply("msg_04", new, at=after(minutes=3)),
    ]
    assert usage_fields(*lines) == {"image_tokens": 2}


def test_reading_on_gives_what_reading_at_once_gives():
    lines = [{"type": "holo-note"}, reply(counters=usage(a_tokens=1)), {"type": "holo-note"}]
    lines.append(reply("msg_02", usage(b_tokens=1), at=after(minutes=1)))
    at_once = read(lines).state
    first = read(lines[:2]).state
    before = first.drift.copy()
    assert read(lines[2:], state=first).state == at_once
    assert first.drift == before, "the state that was handed in has changed"


@given(st.lists(st.text(alphabet="ab-_ é", max_size=3), max_size=400))
def test_however_many_names_there_are_only_a_hundred_are_kept(names):
    drift = Drift()
    for name in [*names, *(f"n{number}" for number in range(300))]:
        drift.see_record(name)
    assert len(drift.record_types) <= 101
    assert sum(drift.record_types.values()) == len(names) + 300


def test_what_codex_writes_of_tools_and_patches_is_no_news():
    rollout = Rollout().own_turn()
    for item in ("function_call", "local_shell_call", "web_search_call", "tool_search_call"):
        rollout.say("response_item", type=item)
    for event in ("patch_apply_end", "mcp_tool_call_end", "web_search_end", "thread_rolled_back"):
        rollout.event(event)
    assert read_codex(rollout).state.drift.record_types == {}


def test_a_rollouts_new_records_events_and_fields_are_noticed():
    rollout = Rollout().own_turn().event("user_message", message="hello")
    rollout.event("token_count", info=None, rate_limits={"limit_id": "codex"})
    rollout.say("hologram", text="secret").event("hologram_shown", text="secret")
    rollout.request(codex_usage(100) | {"video_tokens": 3})
    assert [(row.kind, row.name, row.lines) for row in read_codex(rollout).state.drift.rows()] == [
        ("record_type", "hologram", 1),
        ("record_type", "hologram_shown", 1),
        ("usage_field", "video_tokens", 1),
    ]
