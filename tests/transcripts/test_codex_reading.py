"""What a Codex rollout is read as: statements, quota readings, and the lines not believed."""

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_pipeline.transcripts.codex import CodexState, read_rollout
from fleet_pipeline.transcripts.reasons import MOST_TOKENS

from .codex_fixtures.rollouts import (
    START,
    WRITTEN,
    Rollout,
    added,
    encoded,
    located,
    read,
    stamp,
    usage,
    uuid7,
)


def test_a_statement_carries_the_thread_turn_and_settings_it_was_made_under():
    rollout = Rollout(originator="codex_exec").own_turn()
    turn_id = rollout.records[-1]["payload"]["turn_id"]
    rollout.request(usage(5, read=3, output=2))
    [event] = read(rollout).events
    assert (event.kind, event.order, event.thread_id) == ("count", 0, rollout.thread_id)
    assert (event.turn_id, event.turn_is_own) == (turn_id, True)
    assert (event.model, event.cwd, event.client_version) == ("gpt-5.5", "/work/forge", "0.1")
    assert (event.entrypoint, event.is_subagent) == ("codex_exec", False)
    assert (event.input_tokens, event.cached_input_tokens, event.output_tokens) == (8, 3, 2)
    assert event.cumulative_total_tokens == 10
    assert event.ts == START + timedelta(seconds=2, milliseconds=2)


def test_a_count_that_repeats_the_total_is_a_duplicate():
    rollout = Rollout().turn().request(usage(5), times=3).request(usage(5))
    file = read(rollout)
    assert [event.order for event in file.events] == [0, 1]
    assert (file.request_lines, file.duplicates) == (4, 2)


def test_a_total_that_restarts_is_a_new_request():
    rollout = Rollout().turn().request(usage(5)).request(usage(6))
    rollout.total = {}
    rollout.turn().request(usage(4))
    assert [event.input_tokens for event in read(rollout).events] == [5, 6, 4]


def test_a_record_keeps_its_response_and_only_top_level_records_count():
    rollout = Rollout().record("resp_1", usage(5), turn_id="turn", thread_token_usage=usage(5))
    inner = rollout.records[-1]
    rollout.say("compacted", message="short", replacement_history=[inner], token_usage_record=inner)
    [event] = read(rollout).events
    assert (event.kind, event.response_id, event.turn_id) == ("record", "resp_1", "turn")
    assert event.cumulative_input_tokens == 5


def test_usage_that_is_only_quoted_in_text_is_not_read():
    quoted = json.dumps(Rollout().request(usage(5)).records[-1])
    rollout = Rollout().event("agent_message", message=quoted).say("response_item", text=quoted)
    file = read(rollout)
    assert (file.events, file.rejected, file.request_lines) == ([], [], 0)


@pytest.mark.parametrize("separators", [(",", ":"), (" , ", " : ")])
def test_spaced_and_reordered_json_reads_the_same(separators):
    rollout = Rollout(forked_from_id="other").own_turn().request(usage(5)).record("r", usage(6))
    lines = [
        json.dumps(dict(reversed(record.items())), separators=separators).encode()
        for record in rollout.records
    ]
    same = [msgspec.structs.replace(event, offset=0) for event in read(rollout).events]
    assert [msgspec.structs.replace(event, offset=0) for event in read(lines).events] == same


def test_a_missing_or_null_counter_is_zero():
    rollout = Rollout().count({"input_tokens": 7}, {"input_tokens": 7, "output_tokens": None})
    [event] = read(rollout).events
    assert (event.input_tokens, event.output_tokens, event.cumulative_output_tokens) == (7, 0, 0)


@pytest.mark.parametrize("bad", [-1, 1.5, 2.0, True, "12", MOST_TOKENS + 1, 10**40, [1], {}])
@pytest.mark.parametrize("name", ["input_tokens", "reasoning_output_tokens"])
def test_a_counter_that_cannot_be_is_quarantined(bad, name):
    for rollout in (
        Rollout().count(usage(5), usage(5) | {name: bad}),
        Rollout().count(usage(5) | {name: bad}, usage(5)),
        Rollout().record("resp_1", usage(5) | {name: bad}),
    ):
        file = read(rollout)
        assert [line.reason for line in file.rejected] == ["bad_counter"]
        assert (file.events, file.request_lines) == ([], 0)


def test_more_cache_than_input_is_quarantined():
    impossible = usage(5) | {"cached_input_tokens": 6}
    assert [line.reason for line in read(Rollout().record("r", impossible)).rejected] == [
        "bad_counter"
    ]


def test_a_count_without_both_vectors_is_quarantined():
    rollout = Rollout().event("token_count", info={"last_token_usage": usage(5)})
    rollout.event("token_count", info="much").say("token_usage_record", response_id="r")
    assert [line.reason for line in read(rollout).rejected] == ["bad_counter"] * 3


@pytest.mark.parametrize(
    ("timestamp", "reason"),
    [
        (None, "timestamp_missing"),
        (1780304400, "timestamp_missing"),
        ("yesterday", "timestamp_missing"),
        ("2026-06-01T09:00:00", "timestamp_without_zone"),
        ("2022-12-31T23:59:59Z", "timestamp_too_old"),
        ("0001-01-01T00:00:00+14:00", "timestamp_too_old"),
        ("2026-06-11T00:00:00.001Z", "timestamp_in_future"),
        ("9999-12-31T23:59:59-14:00", "timestamp_in_future"),
    ],
)
def test_a_statement_whose_time_cannot_be_is_quarantined(timestamp, reason):
    rollout = Rollout().request(usage(5))
    rollout.records[-1]["timestamp"] = timestamp
    file = read(rollout)
    assert ([line.reason for line in file.rejected], file.events) == ([reason], [])


def test_a_quarantined_count_is_made_good_by_its_repetition():
    rollout = Rollout().turn().request(usage(5), times=2)
    rollout.records[-2]["timestamp"] = None
    file = read(rollout)
    assert (len(file.rejected), len(file.events), file.duplicates) == (1, 1, 0)


def test_times_in_other_zones_are_read_as_utc():
    rollout = Rollout().request(usage(5))
    rollout.records[-1]["timestamp"] = "2026-06-01T02:00:00+02:00"
    assert read(rollout).events[0].ts == datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "line",
    [
        b"\x00" * 40,
        b'\x00{"type":"x"}',
        b"[]",
        b"7",
        b'{"type":"event_msg"',
        b"{}{}",
        b"{1}",
        b'{"payload":NaN}',
        b'{"payload":NaN,"note":"\\ud83d"}',
        b"[" * 50_000,
        b'{"payload":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    ],
)
def test_a_broken_line_of_any_kind_is_unreadable_and_harms_no_other(line):
    before, after = encoded(Rollout().turn()), encoded(Rollout().request(usage(5)))[1:]
    file = read([*before, line, *after])
    assert [(bad.reason, bad.length) for bad in file.rejected] == [("unreadable", len(line))]
    assert len(file.events) == 1


@pytest.mark.parametrize("bad", [b"\\ud83d", b"\\ude00 \\ud83d", b"\xff\xfe", b"\x00", b"\x01\t"])
def test_bad_text_does_not_disqualify_a_line(bad):
    lines = encoded(Rollout().turn().request(usage(5)))
    unread = [line.replace(b'"payload":{', b'"payload":{"note":"%b",' % bad) for line in lines]
    in_the_folder = [line.replace(b"/work", b"/work" + bad) for line in lines]
    for damaged in (unread, in_the_folder):
        assert damaged != lines
        file = read(damaged)
        assert (len(file.events), file.rejected) == (1, [])
        assert file.events[0].cwd.encode().startswith(b"/work")


def test_a_file_whose_first_line_is_lost_goes_by_its_name():
    rollout = Rollout().turn().request(usage(5))
    lines = located([b"\x00" * 9, *encoded(rollout)[1:]])
    named = read_rollout(lines, file_id=1, written=WRITTEN, named=rollout.thread_id)
    nameless = read_rollout(lines, file_id=1, written=WRITTEN)
    assert [event.thread_id for event in named.events] == [rollout.thread_id]
    assert [event.thread_id for event in nameless.events] == [None]


def test_the_first_line_says_whose_file_it_is_and_a_later_one_whose_history_was_copied():
    parent = Rollout(1).turn().request(usage(5))
    fork = parent.fork(2).wait(seconds=5).turn().request(usage(6))
    copied, own = read(fork).events
    assert (copied.thread_id, copied.forked_from) == (fork.thread_id, parent.thread_id)
    assert (copied.replayed, own.replayed) == (True, False)


def test_a_turn_older_than_the_thread_was_copied():
    parent = Rollout(1).own_turn(1).request(usage(5))
    fork = parent.wait(seconds=1).fork(2).own_turn(2).request(usage(6))
    copied, own = read(fork).events
    assert (copied.turn_is_own, copied.replayed) == (False, True)
    assert (own.turn_is_own, own.replayed) == (True, False)


def test_the_ordinal_that_a_client_names_ends_the_copied_history():
    parent = Rollout(1).turn().request(usage(5))
    fork = Rollout(2, parent.now, subagent_history_start_ordinal=4).replay(parent)
    fork.turn().count(usage(6), usage(6))
    for ordinal, record in enumerate(fork.records):
        record["ordinal"] = ordinal
    copied, own = read(fork).events
    assert (copied.replayed, own.replayed) == (True, False)


def test_a_record_of_another_thread_was_copied():
    rollout = Rollout().say("token_usage_record", thread_id="other", usage=usage(5))
    [event] = read(rollout).events
    assert event.replayed


def test_a_turn_id_that_carries_no_time_says_nothing():
    [event] = read(Rollout().turn("turn-1").request(usage(5))).events
    assert (event.turn_id, event.turn_is_own) == ("turn-1", None)


def test_a_subagent_says_its_parent_and_role():
    spawn = {"parent_thread_id": "p", "depth": 1, "agent_role": "explorer"}
    by_source = Rollout(source={"subagent": {"thread_spawn": spawn}}).request(usage(5))
    review = Rollout(source={"subagent": "review"}, parent_thread_id="p").request(usage(5))
    [spawned], [reviewing] = read(by_source).events, read(review).events
    assert (spawned.is_subagent, spawned.agent_type) == (True, "explorer")
    assert (reviewing.is_subagent, reviewing.agent_type) == (True, "review")
    assert spawned.parent_thread_id == reviewing.parent_thread_id == "p"
    assert spawned.forked_from is None


WINDOWS = {
    "primary": {"used_percent": 3.5, "window_minutes": 300, "resets_at": 1780308000},
    "secondary": {"used_percent": 8, "window_minutes": 10080, "resets_in_seconds": 60},
}


def test_quota_windows_are_read_even_where_nothing_was_used():
    rollout = Rollout().event("token_count", info=None, rate_limits=WINDOWS | {"plan_type": "pro"})
    short, long = read(rollout).quota
    assert (short.limit_id, short.window_minutes, short.used_percent) == ("codex", 300, 3.5)
    assert (short.plan_type, short.limit_name) == ("pro", None)
    assert short.resets_at == datetime(2026, 6, 1, 10, tzinfo=UTC)
    assert long.resets_at == long.ts + timedelta(seconds=60)


def test_each_limit_has_windows_of_its_own_and_empty_snapshots_have_none():
    spark = WINDOWS | {"limit_id": "codex_bengalfox", "limit_name": "GPT-5.3-Codex-Spark"}
    rollout = Rollout().request(usage(5)).count(usage(5), usage(5), spark)
    rollout.count(usage(5), usage(5), {"limit_id": "codex", "primary": None, "secondary": None})
    file = read(rollout)
    assert {reading.limit_id for reading in file.quota} == {"codex_bengalfox"}
    assert {reading.limit_name for reading in file.quota} == {"GPT-5.3-Codex-Spark"}
    assert len(file.events) == 1


def test_a_reading_is_repeated_only_when_a_minute_has_passed_or_it_changed():
    rollout = Rollout()
    limits = {"primary": {"used_percent": 3, "window_minutes": 300}}
    for seconds, used in ((0, 3), (1, 3), (60, 3), (1, 4)):
        limits["primary"]["used_percent"] = used
        rollout.wait(seconds=seconds)
        rollout.event("token_count", info=None, rate_limits=json.loads(json.dumps(limits)))
    assert [reading.used_percent for reading in read(rollout).quota] == [3, 3, 4]


def test_readings_that_a_fork_copied_are_not_taken_for_fresh_ones():
    parent = Rollout(1).turn().count(usage(5), usage(5), WINDOWS)
    fork = parent.wait(days=1).fork(2)
    assert read(fork).quota == []


@pytest.mark.parametrize("junk", ["x", [], 5, {"primary": 5}, {"primary": {"used_percent": True}},
    {"primary": {"used_percent": -1, "window_minutes": 300}},
    {"primary": {"used_percent": 1, "window_minutes": "300"}}])  # fmt: skip
def test_a_quota_snapshot_that_makes_no_sense_costs_no_request(junk):
    file = read(Rollout().count(usage(5), usage(5), junk))
    assert (len(file.events), file.quota, file.rejected) == (1, [], [])


def test_a_reset_beyond_the_calendar_is_unknown():
    window = {"used_percent": 1, "window_minutes": 300, "resets_at": 1e30}
    [reading] = read(Rollout().count(usage(5), usage(5), {"primary": window})).quota
    assert reading.resets_at is None


@pytest.mark.parametrize("end", ["exited_review_mode", "turn_aborted"])
def test_after_a_review_the_total_from_before_is_no_new_request(end):
    rollout = Rollout().turn().request(usage(50))
    before = dict(rollout.total)
    rollout.event("entered_review_mode").count(usage(7), usage(7))
    rollout.event(end).count(before, usage(50))
    rollout.request(usage(60))
    events = read(rollout).events
    assert [event.input_tokens for event in events] == [50, 7, 60]
    assert [event.in_review for event in events] == [False, True, False]


def test_a_total_that_restarts_long_after_a_review_is_a_new_request():
    rollout = Rollout().turn().request(usage(50)).event("entered_review_mode")
    rollout.event("exited_review_mode").request(usage(60))
    rollout.total = {}
    assert [event.input_tokens for event in read(rollout.request(usage(50))).events] == [50, 60, 50]


STEPS = st.sampled_from(
    [
        lambda r: r.turn(),
        lambda r: r.own_turn(7),
        lambda r: r.turn(uuid7(START - timedelta(days=1), 3)),
        lambda r: r.event("task_started", turn_id=uuid7(r.now, 9)),
        lambda r: r.request(usage(5, read=3, write=1), times=2),
        lambda r: r.request(usage(5)),
        lambda r: r.count(added(r.total, usage(1)), usage(1), WINDOWS),
        lambda r: r.event("token_count", info=None, rate_limits=WINDOWS),
        lambda r: r.record(f"resp_{len(r.records)}", usage(6), turn_id="turn"),
        lambda r: r.count(usage(-5), usage(5)),
        lambda r: r.event("entered_review_mode"),
        lambda r: r.event("exited_review_mode"),
        lambda r: r.say("session_meta", id="another thread"),
        lambda r: r.say("session_meta", id=r.thread_id, cli_version="0.2"),
        lambda r: r.say("response_item", text="token_count"),
        lambda r: r.total.clear() or r,
        lambda r: r.wait(seconds=30),
        lambda r: r.wait(milliseconds=99),
    ]
)


@st.composite
def rollout_lines(draw):
    rollout = Rollout(forked_from_id=draw(st.sampled_from([None, "another thread"])))
    for step in draw(st.lists(STEPS, max_size=25)):
        step(rollout)
    lines = encoded(rollout)
    for place in draw(st.lists(st.integers(0, len(lines) - 1), max_size=3)):
        cut = draw(st.integers(0, len(lines[place])))
        lines[place] = lines[place][:cut] + draw(st.binary(max_size=4)) + lines[place][cut + 1 :]
    return lines


@settings(max_examples=150, deadline=None)
@given(lines=rollout_lines(), data=st.data())
def test_reading_in_parts_gives_what_reading_at_once_gives(lines, data):
    whole = read(lines)
    cut = data.draw(st.integers(0, len(lines)))
    places = located(lines)
    first = read_rollout(places[:cut], file_id=1, written=WRITTEN)
    stored = msgspec.json.decode(msgspec.json.encode(first.state), type=CodexState)
    second = read_rollout(places[cut:], file_id=1, written=WRITTEN, state=stored)
    assert first.events + second.events == whole.events
    assert first.quota + second.quota == whole.quota
    assert first.rejected + second.rejected == whole.rejected
    assert first.request_lines + second.request_lines == whole.request_lines
    assert first.duplicates + second.duplicates == whole.duplicates
    assert second.state == whole.state


def test_reading_on_leaves_the_earlier_state_as_it_was():
    first = read(Rollout().turn().count(usage(5), usage(5), WINDOWS))
    kept = msgspec.json.encode(first.state)
    read(Rollout().count(usage(9), usage(9), WINDOWS | {"limit_id": "x"}), state=first.state)
    assert msgspec.json.encode(first.state) == kept


@settings(max_examples=300, deadline=None)
@given(lines=st.lists(st.binary(max_size=80), max_size=5))
def test_no_bytes_raise(lines):
    file = read(lines)
    assert file.events == []
    assert file.lines == len(lines)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from([stamp(START), "subagent", "review", uuid7(START)]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["subagent", "thread_spawn", "input_tokens", "primary", "used_percent"]),
        inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_value_of_any_type_in_any_field_raises(data):
    rollout = Rollout(source={"subagent": {"thread_spawn": {}}}, thread_source="user")
    rollout.own_turn().count(usage(5), usage(5), WINDOWS).record("r", usage(6), turn_id="t")
    record = data.draw(st.sampled_from(rollout.records))
    holder = data.draw(st.sampled_from([record, record["payload"]]))
    holder[data.draw(st.sampled_from(sorted(holder)))] = data.draw(JSON)
    file = read([json.dumps(record).encode("utf-8") for record in rollout.records])
    assert len(file.events) + len(file.rejected) <= 3
    assert file.lines == 4
