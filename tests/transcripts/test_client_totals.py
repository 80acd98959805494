"""What a ``cost-state`` line says, and what it is not believed for; hostile values never raise."""

import json
from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_pipeline.transcripts.client_totals import client_totals
from fleet_pipeline.transcripts.reasons import MOST_TOKENS, Reason

from .claude_fixtures.lines import START, WRITTEN, cost_state, encoded, read, reply

MILLISECONDS = 1000


def said(line: object, *, latest: datetime = WRITTEN):
    data = line if isinstance(line, bytes) else encoded(line)
    return client_totals(data, file_id=7, offset=9, latest=latest)


def test_each_model_of_a_session_has_its_total_in_disjoint_classes():
    line = cost_state(
        {
            "claude-opus-4-8": {
                "inputTokens": 1,
                "outputTokens": 2,
                "thinkingTokens": 1,
                "cacheReadInputTokens": 3,
                "cacheCreationInputTokens": 9,
                "cacheCreationEphemeral1hInputTokens": 5,
                "cacheCreationEphemeral5mInputTokens": 3,
                "webSearchRequests": 6,
                "costUSD": 0.5,
            },
            "claude-haiku-4-5": {"inputTokens": 8},
        }
    )
    first, second = said(line)
    assert (first.file_id, first.offset, first.session_id) == (7, 9, line["sessionId"])
    assert (first.started_at, first.model) == (START, "claude-opus-4-8")
    assert (first.input_tokens, first.output_tokens, first.cache_read_tokens) == (1, 2, 3)
    assert (first.cache_write_5m_tokens, first.cache_write_1h_tokens) == (4, 5)
    assert first.web_search_requests == 6
    assert (second.model, second.input_tokens, second.output_tokens) == ("claude-haiku-4-5", 8, 0)


def test_a_model_with_a_long_context_has_the_name_that_its_replies_have():
    [total] = said(cost_state({"claude-sonnet-4-6[1m]": {"inputTokens": 1}}))
    assert total.model == "claude-sonnet-4-6"


@pytest.mark.parametrize("name", ["", "two words", "é", "a" * 101, "-", "a\nb", "[1m]"])
def test_what_has_not_the_form_of_a_model_is_no_name(name):
    [total] = said(cost_state({name: {"inputTokens": 1}}))
    assert (total.model, total.input_tokens) == (None, 1)


@pytest.mark.parametrize("more", [{"modelUsage": {}}, {"modelUsage": None}, {"sessionId": ""}])
def test_a_line_without_session_or_models_says_nothing(more):
    assert said(cost_state({"m": {"inputTokens": 1}}) | more) == []


@pytest.mark.parametrize("value", [-1, 1.5, True, "12", [], {}, MOST_TOKENS + 1, 10**40])
@pytest.mark.parametrize("name", ["inputTokens", "outputTokens", "cacheCreationInputTokens"])
def test_a_counter_that_cannot_be_is_not_believed(name, value):
    assert said(cost_state({"m": {name: value}})) == "bad_counter"


@pytest.mark.parametrize("usage", ["text", [], 7, {"m": 7}, {"m": []}])
def test_totals_of_another_shape_are_not_believed(usage):
    assert said(cost_state({}) | {"modelUsage": usage}) == "bad_counter"


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (None, "timestamp_missing"),
        ("2026-06-01", "timestamp_missing"),
        (True, "timestamp_missing"),
        ({}, "timestamp_missing"),
        (0, "timestamp_too_old"),
        (-1e300, "timestamp_too_old"),
        (1e300, "timestamp_in_future"),
        (10**30, "timestamp_in_future"),
        (WRITTEN.timestamp() * MILLISECONDS + 1, "timestamp_in_future"),
    ],
)
def test_a_start_that_cannot_be_is_not_believed(start, reason):
    assert said(cost_state({"m": {"inputTokens": 1}}) | {"startTime": start}) == reason


@given(st.binary(max_size=200) | st.text(max_size=80).map(str.encode))
def test_no_bytes_raise(data):
    assert said(data) == [] or said(data) in get_args(Reason)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=9,
    ),
    st.sampled_from(["sessionId", "startTime", "modelUsage"]),
)
def test_no_value_of_a_field_raises(value, name):
    found = said(json.dumps(cost_state({"m": {"inputTokens": 1}}) | {name: value}).encode())
    assert isinstance(found, list) or found in get_args(Reason)


@pytest.mark.parametrize("padding", ["", " " * 600])
def test_the_totals_of_a_transcript_are_read_from_long_and_short_lines(padding):
    line = cost_state({"claude-opus-4-8": {"inputTokens": 10, "outputTokens": 5}})
    transcript = read([reply(), line | {"note": padding}, reply("msg_02")])
    [total] = transcript.totals
    assert (total.input_tokens, total.output_tokens) == (10, 5)
    assert [event.message_id for event in transcript.events] == ["msg_01", "msg_02"]


def test_totals_that_are_not_believed_are_set_aside_by_reason():
    transcript = read([cost_state({"m": {"inputTokens": -1}}), cost_state({}), reply()])
    assert [line.reason for line in transcript.rejected] == ["bad_counter"]
    assert (transcript.totals, len(transcript.events)) == ([], 1)


def test_a_start_later_than_a_broken_clock_allows_is_no_start():
    late = datetime(2026, 6, 20, tzinfo=UTC).timestamp() * MILLISECONDS
    line = cost_state({"m": {"inputTokens": 1}}) | {"startTime": late}
    assert [rejected.reason for rejected in read([line]).rejected] == ["timestamp_in_future"]
