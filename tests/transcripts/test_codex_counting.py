"""Which statements of Codex rollouts are billed requests."""

from random import Random

import polars as pl
import pytest

from fleet_pipeline.ledger.codex_rules import count_codex
from fleet_pipeline.ledger.columns import USAGE
from fleet_pipeline.ledger.evidence import CODEX
from fleet_pipeline.transcripts.codex import CodexEvent

from .codex_fixtures.rollouts import (
    START,
    Rollout,
    added,
    billed,
    classes,
    encoded,
    evidence,
    usage,
    uuid7,
)


def test_evidence_holds_every_field_of_a_statement():
    assert tuple(CODEX) == CodexEvent.__struct_fields__
    assert evidence(Rollout().own_turn().request(usage(5, 7))).drop("host").schema == CODEX


def test_no_evidence_makes_an_empty_ledger():
    ledger = count_codex(evidence(Rollout()))
    assert ledger.schema == USAGE
    assert ledger.is_empty()


def test_a_ledger_row_holds_disjoint_tokens():
    rollout = Rollout().own_turn().request(usage(fresh=5, read=3, write=2, output=8))
    [row] = count_codex(evidence(rollout)).rows(named=True)
    assert (row["input_tokens"], row["cache_read_tokens"]) == (5, 3)
    assert (row["cache_write_5m_tokens"], row["cache_write_1h_tokens"]) == (2, 0)
    assert (row["output_tokens"], row["reasoning_tokens"]) == (8, 4)
    assert (row["client"], row["output_is_final"], row["model"]) == ("codex", True, "gpt-5.5")
    assert row["session_id"] == rollout.thread_id
    assert row["web_search_requests"] == 0, "Codex tells of none"


def test_counts_that_come_two_or_three_times_are_one_request():
    assert billed(Rollout().turn().request(usage(5), times=2).request(usage(6), times=3)) == [
        (5, 0, 10),
        (6, 0, 10),
    ]


def test_a_spark_request_counted_for_both_limits_is_one_request():
    rollout = Rollout().turn(model="gpt-5.3-codex-spark")
    for limit in ("codex", "codex_bengalfox"):
        window = {"used_percent": 1, "window_minutes": 300}
        rollout.count(usage(5), usage(5), {"limit_id": limit, "primary": window})
    assert billed(rollout) == [(5, 0, 10)]


def test_equal_requests_of_one_thread_are_all_billed():
    assert billed(Rollout().turn().request(usage(5)).request(usage(5))) == [(5, 0, 10)] * 2


def test_requests_before_and_after_a_restart_of_the_total_are_billed():
    rollout = Rollout().turn().request(usage(5)).request(usage(5))
    rollout.total = {}
    rollout.turn().request(usage(5)).request(usage(5))
    assert billed(rollout) == [(5, 0, 10)] * 4


def test_the_estimate_after_a_compaction_bills_nothing():
    rollout = Rollout().turn().request(usage(5))
    rollout.count({"total_tokens": 7000}, {"total_tokens": 7000})
    assert billed(rollout) == [(5, 0, 10)]


# Records and counts


def with_records(rollout: Rollout, *requests: tuple[str, dict[str, int]]) -> Rollout:
    """Let a client of 0.169 answer: each request is recorded and then counted too."""
    turn_id = uuid7(rollout.now, 50)
    rollout.turn(turn_id)
    for response_id, last in requests:
        rollout.record(response_id, last, turn_id=turn_id)
        rollout.total = added(rollout.total, last)
        rollout.count(rollout.total, last)
    return rollout


def test_a_recorded_request_is_not_counted_again():
    rollout = with_records(Rollout(), ("resp_1", usage(5)), ("resp_2", usage(5)))
    ledger = count_codex(evidence(rollout))
    assert ledger["message_id"].to_list() == ["resp_1", "resp_2"]


def test_a_request_that_was_only_recorded_is_billed():
    rollout = with_records(Rollout(), ("resp_1", usage(5)))
    rollout.record("resp_compaction", usage(900), turn_id=uuid7(START, 50))
    assert billed(rollout) == [(5, 0, 10), (900, 0, 10)]


@pytest.mark.parametrize("named_turns", [True, False])
def test_turns_of_an_older_client_keep_their_counts_beside_the_records_of_a_newer(named_turns):
    rollout = Rollout()
    (rollout.own_turn() if named_turns else rollout.turn()).request(usage(1)).request(usage(2))
    with_records(rollout.wait(days=1), ("resp_1", usage(3)))
    assert billed(rollout) == [(1, 0, 10), (2, 0, 10), (3, 0, 10)]


def test_an_older_client_may_go_on_after_a_newer():
    rollout = with_records(Rollout(), ("resp_1", usage(3)))
    rollout.wait(days=1).own_turn().request(usage(4), times=2)
    assert billed(rollout) == [(3, 0, 10), (4, 0, 10)]


@pytest.mark.parametrize("count_first", [True, False])
def test_records_are_preferred_where_no_turn_is_named(count_first):
    rollout = Rollout()
    if count_first:
        rollout.request(usage(5)).record("resp_1", usage(5))
    else:
        rollout.record("resp_1", usage(5)).request(usage(5))
    assert count_codex(evidence(rollout))["message_id"].to_list() == ["resp_1"]


def test_a_count_after_a_record_is_no_request_where_no_turn_is_named():
    rollout = Rollout().record("resp_1", usage(5)).request(usage(6))
    assert billed(rollout) == [(5, 0, 10)]
    assert billed(rollout.record("resp_2", usage(7))) == [(5, 0, 10), (7, 0, 10)]


@pytest.mark.parametrize("keep_times", [True, False])
def test_a_response_recorded_in_two_threads_belongs_to_the_one_that_asked(keep_times):
    parent = with_records(Rollout(1), ("resp_1", usage(5)))
    fork = Rollout(2, parent.wait(seconds=1).now, forked_from_id=parent.thread_id)
    fork.replay(parent, keep_times=keep_times)
    with_records(fork, ("resp_2", usage(6)))
    ledger = count_codex(evidence(fork, parent))
    assert ledger["message_id"].to_list() == ["resp_1", "resp_2"]
    assert ledger["session_id"].to_list() == [parent.thread_id, fork.thread_id]


def test_a_record_without_response_id_is_billed_once():
    rollout = Rollout().record(None, usage(5)).record(None, usage(5))
    assert billed(rollout, rollout) == [(5, 0, 10)] * 2


def test_a_record_without_response_id_at_the_moment_of_its_count_is_billed():
    rollout = Rollout().own_turn().request(usage(5)).wait(milliseconds=-1)
    rollout.say("token_usage_record", usage=usage(5), thread_token_usage=rollout.total)
    assert billed(rollout) == [(5, 0, 10)]


# Forks


def forked(own_turns: bool) -> tuple[Rollout, Rollout]:
    """Return a parent and its fork; both go on after the fork with equal requests."""
    parent = Rollout(1)
    (parent.own_turn(1) if own_turns else parent.turn()).request(usage(5)).request(usage(5))
    fork = parent.wait(seconds=30).fork(2)
    for thread in (parent, fork):
        thread.wait(seconds=9)
        (thread.own_turn(3) if own_turns else thread.turn()).request(usage(5)).request(usage(7))
    return parent, fork


@pytest.mark.parametrize("own_turns", [True, False])
def test_a_fork_bills_only_what_it_asked_itself(own_turns):
    parent, fork = forked(own_turns)
    ledger = count_codex(evidence(parent, fork))
    by_thread = ledger.group_by("session_id").len().rows()
    assert sorted(by_thread) == sorted([(parent.thread_id, 4), (fork.thread_id, 2)])


@pytest.mark.parametrize("own_turns", [True, False])
def test_a_fork_whose_parent_is_unknown_bills_only_what_it_asked_itself(own_turns):
    _, fork = forked(own_turns)
    assert billed(fork) == [(5, 0, 10), (7, 0, 10)]


def test_a_fork_that_kept_the_old_times_bills_only_what_it_asked_itself():
    parent = Rollout(1).turn().request(usage(5)).request(usage(6))
    fork = Rollout(2, parent.wait(seconds=30).now, forked_from_id=parent.thread_id)
    fork.replay(parent, keep_times=True).wait(seconds=9).turn().request(usage(7))
    assert billed(parent, fork) == [(5, 0, 10), (6, 0, 10), (7, 0, 10)]
    assert billed(fork) == [(7, 0, 10)]


def test_a_fork_made_after_the_clock_was_set_back_bills_only_what_it_asked_itself():
    parent = Rollout(1).own_turn(5).request(usage(5)).wait(hours=2).own_turn(6).request(usage(6))
    fork = parent.wait(hours=-1).fork(2).wait(seconds=9).own_turn(7).request(usage(7))
    by_time = [(5, 0, 10), (7, 0, 10), (6, 0, 10)]
    assert billed(parent, fork) == by_time


def test_a_fork_whose_clock_was_set_back_afterwards_bills_what_it_asked_itself():
    parent = Rollout(1).own_turn(5).request(usage(5)).wait(hours=1)
    fork = parent.fork(2).wait(minutes=-30).own_turn(7).request(usage(7))
    grandchild = fork.wait(minutes=1).fork(3).wait(minutes=-1, seconds=-30)
    grandchild.own_turn(8).request(usage(8))
    by_time = [(5, 0, 10), (7, 0, 10), (8, 0, 10)]
    assert sorted(billed(parent, fork, grandchild)) == by_time


def test_the_repeat_with_which_a_copy_of_the_last_turns_begins_is_not_billed():
    parent = Rollout(1).own_turn(5).request(usage(5)).wait(seconds=5).own_turn(6)
    parent.count(parent.total, usage(5))
    fork = Rollout(2, parent.wait(seconds=30).now, forked_from_id=parent.thread_id)
    fork.records += [
        line | {"timestamp": fork.records[0]["timestamp"]} for line in parent.records[-2:]
    ]
    fork.total = dict(parent.total)
    fork.wait(seconds=9).own_turn(7).request(usage(7))
    assert billed(parent, fork) == [(5, 0, 10), (7, 0, 10)]


def test_a_fork_of_a_thread_whose_clock_was_set_back_bills_only_what_it_asked_itself():
    parent = Rollout(1).turn().request(usage(5)).wait(hours=1).request(usage(6))
    parent.wait(minutes=-30).request(usage(7))
    fork = parent.wait(hours=1).fork(2).wait(seconds=9).turn().request(usage(8))
    by_time = [(5, 0, 10), (7, 0, 10), (6, 0, 10), (8, 0, 10)]
    assert billed(parent, fork) == by_time


@pytest.mark.parametrize("own_turns", [True, False])
def test_a_fork_of_a_fork_bills_only_what_it_asked_itself(own_turns):
    parent, fork = forked(own_turns)
    grandchild = fork.wait(seconds=30).fork(3).wait(seconds=9)
    (grandchild.own_turn(4) if own_turns else grandchild.turn()).request(usage(8))
    ledger = count_codex(evidence(grandchild, parent, fork))
    assert sorted(ledger["input_tokens"].to_list()) == [5, 5, 5, 5, 7, 7, 8]
    assert ledger.filter(session_id=grandchild.thread_id)["input_tokens"].to_list() == [8]


def test_a_fork_that_was_copied_slowly_bills_only_what_it_asked_itself():
    parent = Rollout(1).turn().request(usage(5)).request(usage(6))
    fork = Rollout(2, parent.wait(seconds=30).now, forked_from_id=parent.thread_id)
    last_count = parent.records.pop()
    fork.replay(parent).wait(milliseconds=400)
    parent.records.append(last_count)
    fork.say("event_msg", **last_count["payload"])
    fork.total = dict(parent.total)
    fork.turn().request(usage(7))
    assert billed(parent, fork) == [(5, 0, 10), (6, 0, 10), (7, 0, 10)]


def test_a_thread_that_names_itself_as_its_origin_is_billed():
    itself = uuid7(START, 1)
    assert billed(Rollout(1, forked_from_id=itself).turn().request(usage(5))) == [(5, 0, 10)]


def test_a_fork_that_only_continues_the_total_loses_nothing():
    parent = Rollout(1).turn().request(usage(5))
    fork = Rollout(2, parent.wait(seconds=9).now, forked_from_id=parent.thread_id)
    fork.total = dict(parent.total)
    fork.turn().request(usage(6))
    assert billed(parent, fork) == [(5, 0, 10), (6, 0, 10)]


def test_a_subagent_that_starts_like_its_parent_is_billed():
    parent = Rollout(1).turn().request(usage(5))
    spawn = {"subagent": {"thread_spawn": {"parent_thread_id": parent.thread_id}}}
    child = Rollout(2, parent.now, source=spawn).turn().request(usage(5))
    ledger = count_codex(evidence(parent, child))
    assert classes(ledger) == [(5, 0, 10)] * 2
    assert ledger["session_id"].unique().to_list() == [parent.thread_id]
    assert ledger["agent_id"].to_list() == [None, child.thread_id]


# Reviews


def reviewed(at_once: bool = True) -> tuple[Rollout, Rollout]:
    """Return a parent that echoes its review (as 0.74 does) and the thread of that review."""
    parent = Rollout(1).turn().request(usage(50)).event("entered_review_mode")
    review = Rollout(2, parent.now, source={"subagent": "review"}).turn()
    review.request(usage(5), times=2).request(usage(6))
    echoes = [record for record in review.records if "info" in record["payload"]]
    parent.wait(seconds=6 if at_once else 600)
    for echo in echoes:
        parent.say("event_msg", **echo["payload"])
    parent.event("exited_review_mode").count(dict(parent.total), usage(50))
    return parent.request(usage(60)), review


def test_a_review_is_billed_once_to_its_own_thread():
    parent, review = reviewed()
    ledger = count_codex(evidence(parent, review))
    assert ledger["input_tokens"].to_list() == [50, 5, 6, 60]
    assert ledger.filter(agent_type="review")["input_tokens"].to_list() == [5, 6]


def test_a_subagent_that_asks_the_same_as_a_review_is_billed_beside_it():
    parent, review = reviewed()
    spawn = {"subagent": {"thread_spawn": {"parent_thread_id": parent.thread_id}}}
    child = Rollout(3, review.now, source=spawn).turn().request(usage(5)).request(usage(6))
    assert sorted(billed(parent, child)) == sorted(billed(parent) + billed(child))


def test_a_review_without_a_file_of_its_own_is_billed_to_its_parent():
    parent, _ = reviewed()
    assert billed(parent) == [(50, 0, 10), (5, 0, 10), (6, 0, 10), (60, 0, 10)]


def test_an_equal_review_at_another_time_is_another_review():
    parent, review = reviewed(at_once=False)
    assert len(billed(parent, review)) == 6


def test_equal_requests_outside_a_review_are_no_echoes():
    parent = Rollout(1).turn().request(usage(5))
    review = Rollout(2, source={"subagent": "review"}).turn().request(usage(5))
    assert billed(parent, review) == [(5, 0, 10)] * 2


# Copies


@pytest.mark.parametrize(("tokens", "bills"), [(0, []), (1, [(1, 0, 0)])])
def test_a_request_of_a_single_token_is_billed_and_one_of_none_is_not(tokens, bills):
    assert billed(Rollout().own_turn().request(usage(tokens, output=0))) == bills


@pytest.mark.parametrize("recorded", [True, False])
def test_copies_of_a_rollout_are_billed_once_wherever_they_lie(recorded):
    rollout = Rollout().own_turn().request(usage(5)).request(usage(5))
    if recorded:
        with_records(rollout, ("resp_1", usage(5)))
    archived = encoded(rollout)[:-2]
    copies = [
        evidence(rollout, rollout, host="b"),
        evidence(archived, host="c"),
        evidence(archived, rollout, host="a"),
    ]
    alone, together = count_codex(evidence(rollout)), count_codex(pl.concat(copies))
    assert together["message_id"].to_list() == alone["message_id"].to_list()
    assert together["host"].unique().to_list() == ["a"]


def test_a_thread_that_went_on_in_two_places_is_billed_in_both():
    here = Rollout().turn().request(usage(5))
    there = Rollout()
    there.records, there.now, there.total = [*here.records], here.now, dict(here.total)
    here.request(usage(6))
    there.wait(hours=1).request(usage(6))
    ledger = count_codex(pl.concat([evidence(here, host="a"), evidence(there, host="b")]))
    assert classes(ledger) == [(5, 0, 10), (6, 0, 10), (6, 0, 10)]


def test_two_damaged_files_without_a_thread_id_stay_apart():
    lines = [b"\x00", *encoded(Rollout().turn().request(usage(5)))[1:]]
    assert billed(lines, lines) == [(5, 0, 10)] * 2


def test_the_ledger_depends_on_the_set_of_rows_and_not_on_their_order():
    parent, fork = forked(own_turns=False)
    reviewer, review = reviewed()
    rollouts = [parent, fork, reviewer, review, with_records(Rollout(8), ("resp_1", usage(5)))]
    rows = pl.concat([evidence(*rollouts, host="a"), evidence(*rollouts[::-1], host="b")])
    expected = count_codex(rows)
    for seed in range(5):
        places = Random(seed).sample(range(len(rows)), len(rows))
        assert count_codex(rows[places]).equals(expected)
    assert count_codex(pl.concat([rows, rows])).equals(expected)


def test_a_file_that_grows_keeps_the_ids_of_what_was_counted():
    rollout = Rollout().turn().request(usage(5)).request(usage(6))
    earlier = set(count_codex(evidence(rollout))["message_id"])
    rollout.wait(seconds=9).turn().request(usage(7))
    assert earlier < set(count_codex(evidence(rollout))["message_id"])
