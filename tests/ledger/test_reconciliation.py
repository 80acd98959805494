"""The ledger beside what the clients themselves say that they were billed, session by session."""

import shutil

import pytest

from fleet_pipeline.ledger import sessions

from ..transcripts.claude_fixtures.lines import (
    SESSION,
    after,
    cost_state,
    reply,
    rewritten,
    transcript,
    usage,
)
from ..transcripts.codex_fixtures.rollouts import Rollout, added
from ..transcripts.codex_fixtures.rollouts import encoded as rollout_lines
from ..transcripts.codex_fixtures.rollouts import usage as codex_usage
from .machine import Machine

FORK = "f0f0f0f0-0000-4000-8000-000000000002"
OPUS = "claude-opus-4-8"
HAIKU = "claude-haiku-4-5"


def told(fresh: int, output: int, **more: int) -> dict[str, int]:
    return {"inputTokens": fresh, "outputTokens": output, **more}


def statuses(machine) -> dict[str, str]:
    return dict(sessions(machine.home).select("session_id", "status").rows())


def unlogged(machine) -> dict[tuple[str, str], tuple[int, int]]:
    """Return (fresh input, output) that was billed beyond the ledger, by session and model."""
    return {
        (row["session_id"], row["model"]): (
            row["billed_input_tokens"] - row["logged_input_tokens"],
            row["billed_output_tokens"] - row["logged_output_tokens"],
        )
        for row in sessions(machine.home).to_dicts()
    }


def take_in(machine, name: str, *lines, host: str | None = None) -> None:
    machine.write(machine.claude(f"p/{name}.jsonl", host), transcript(*lines))
    machine.ingest()


def test_a_session_whose_total_the_ledger_meets_in_every_class_agrees(machine):
    counters = usage(1, 2, read=3, write_5m=4, write_1h=5)
    total = told(
        1,
        2,
        cacheReadInputTokens=3,
        cacheCreationInputTokens=9,
        cacheCreationEphemeral5mInputTokens=4,
        cacheCreationEphemeral1hInputTokens=5,
    )
    take_in(machine, "s", reply("a", counters), cost_state({OPUS: total}))
    [row] = sessions(machine.home).to_dicts()
    assert (row["session_id"], row["model"], row["status"]) == (SESSION, OPUS, "agrees")
    assert (row["requests"], row["requests_without_totals"], row["last_ts"]) == (1, 0, after())
    for side in ("logged", "billed"):
        found = [row[f"{side}_{name}_tokens"] for name in ("input", "cache_read", "output")]
        assert found == [1, 3, 2]
        assert [row[f"{side}_cache_write_{age}_tokens"] for age in ("5m", "1h")] == [4, 5]


def test_a_session_without_a_total_is_not_comparable_and_never_agrees(machine):
    take_in(machine, "s", reply("a"))
    [row] = sessions(machine.home).to_dicts()
    assert (row["status"], row["requests"], row["requests_without_totals"]) == (
        "not_comparable",
        0,
        1,
    )
    assert row["billed_input_tokens"] is None
    assert machine.sources()["reconciliation"]["claude"]["agreeing"] == 0
    assert machine.sources()["reconciliation"]["claude"]["completeness_share"] is None


def test_what_was_billed_and_never_logged_is_told_by_model_and_class(machine):
    total = cost_state({OPUS: told(110, 5), HAIKU: told(7, 1)})
    take_in(machine, "s", reply("a"), total)
    assert statuses(machine) == {SESSION: "billed_more"}
    assert unlogged(machine) == {(SESSION, OPUS): (100, 0), (SESSION, HAIKU): (7, 1)}
    short = machine.sources()["reconciliation"]["claude"]
    assert (short["billed_tokens"], short["logged_tokens"]) == (123, 15)
    assert short["completeness_share"] == pytest.approx(15 / 123)


def test_a_ledger_beyond_the_total_is_no_agreement_even_if_another_class_makes_up_for_it(machine):
    take_in(machine, "s", reply("a", usage(20, 5)), cost_state({OPUS: told(10, 15)}))
    assert statuses(machine) == {SESSION: "logged_more"}
    short = machine.sources()["reconciliation"]["claude"]
    assert (short["only_logged_tokens"], short["only_billed_tokens"]) == (10, 10)


def test_an_answer_that_was_cut_short_may_be_beyond_the_total(machine):
    cut = reply("b", usage(30, 1), stop=None, at=after(minutes=1))
    take_in(machine, "s", reply("a"), cut, cost_state({OPUS: told(10, 5)}))
    assert statuses(machine) == {SESSION: "unfinished"}


def test_an_answer_cut_short_that_was_written_after_the_total_is_part_of_it(machine):
    cut = reply("b", usage(30, 1), stop=None, at=after(minutes=1))
    take_in(machine, "s", reply("a"), cost_state({OPUS: told(40, 6)}), cut)
    assert statuses(machine) == {SESSION: "agrees"}


def test_the_last_total_of_a_resumed_session_speaks_of_all_of_it(machine):
    lines = [
        reply("a"),
        cost_state({OPUS: told(10, 5)}),
        reply("b", at=after(hours=9)),
        cost_state({OPUS: told(20, 10)}),
        cost_state({OPUS: told(20, 10)}),
    ]
    take_in(machine, "s", *lines)
    assert statuses(machine) == {SESSION: "agrees"}
    assert machine.sources()["reconciliation"]["claude"]["billed_tokens"] == 30


def test_requests_behind_the_last_total_are_not_held_against_it(machine):
    """The session runs on, or was killed: there is no total of its end."""
    total = cost_state({OPUS: told(10, 5)})
    take_in(machine, "s", reply("a"), total, reply("b", at=after(hours=9)))
    [row] = sessions(machine.home).to_dicts()
    assert (row["status"], row["requests"], row["requests_without_totals"]) == ("agrees", 1, 1)


def test_requests_before_the_start_of_a_total_are_not_held_against_it(machine):
    """The session was killed, which leaves no total; the resumed one sums up only itself."""
    resumed = cost_state({OPUS: told(10, 5)}, at=after(hours=8))
    take_in(machine, "s", reply("a"), reply("b", at=after(hours=9)), resumed)
    [row] = sessions(machine.home).to_dicts()
    assert (row["status"], row["requests"], row["requests_without_totals"]) == ("agrees", 1, 1)


def test_two_totals_with_starts_of_their_own_add_up(machine):
    lines = [
        reply("a"),
        cost_state({OPUS: told(10, 5)}),
        reply("b", at=after(hours=1)),
        reply("c", at=after(hours=9)),
        cost_state({OPUS: told(10, 5)}, at=after(hours=8)),
    ]
    take_in(machine, "s", *lines)
    [row] = sessions(machine.home).to_dicts()
    assert (row["status"], row["requests"], row["requests_without_totals"]) == ("agrees", 2, 1)
    assert row["billed_input_tokens"] == 20


def forked(*lines, **total) -> list[dict]:
    """Return the lines of a fork: its parent's, its own, and its total since the parent's start."""
    copies = [line | {"sessionId": FORK} for line in lines]
    own = reply("f", usage(3, 3), at=after(hours=2), sessionId=FORK)
    return [*copies, own, cost_state({OPUS: total}, sessionId=FORK)]


@pytest.mark.parametrize("names", ["sf", "fs", "ab", "ba", "cd", "dc"])
def test_a_forks_total_has_its_parents_in_it_which_is_not_compared_twice(machine, names):
    """With it comes what the parent was billed and never logged: it is the parent's.

    Whichever of the two the ledger gives the copied requests to.
    """
    lines = [reply("a"), reply("b", at=after(minutes=1))]
    take_in(machine, names[0], *lines, cost_state({OPUS: told(120, 10)}))
    take_in(machine, names[1], *forked(*lines, inputTokens=123, outputTokens=13))
    assert statuses(machine) == {SESSION: "billed_more", FORK: "agrees"}
    assert unlogged(machine) == {(SESSION, OPUS): (100, 0), (FORK, OPUS): (0, 0)}
    assert machine.sources()["reconciliation"]["claude"]["billed_tokens"] == 136


def test_a_fork_of_a_fork_began_with_what_the_last_one_was_billed(machine):
    lines = [reply("a")]
    take_in(machine, "s", *lines, cost_state({OPUS: told(11, 5)}))
    fork = forked(*lines, inputTokens=14, outputTokens=8)
    take_in(machine, "f", *fork)
    copies = [line | {"sessionId": "third"} for line in fork[:-1]]
    own = reply("g", usage(2, 2), at=after(hours=4), sessionId="third")
    total = cost_state({OPUS: told(16, 10)}, sessionId="third")
    take_in(machine, "g", *copies, own, total)
    assert statuses(machine) == {SESSION: "billed_more", FORK: "agrees", "third": "agrees"}
    assert machine.sources()["reconciliation"]["claude"]["billed_tokens"] == 26


def test_a_fork_in_which_nothing_was_asked_adds_nothing(machine):
    lines = [reply("a")]
    take_in(machine, "s", *lines, cost_state({OPUS: told(11, 5)}))
    copies = [line | {"sessionId": FORK} for line in lines]
    take_in(machine, "f", *copies, cost_state({OPUS: told(11, 5)}, sessionId=FORK))
    assert machine.sources()["reconciliation"]["claude"]["billed_tokens"] == 16
    assert sum(sessions(machine.home)["requests"]) == 1


def test_copies_whose_message_ids_were_rewritten_are_known_by_their_request_id(machine):
    line = reply("msg_1", request_id="req_1")
    take_in(machine, "s", line, cost_state({OPUS: told(10, 5)}))
    copy = reply(rewritten("x"), request_id="req_1")
    take_in(machine, "f", *forked(copy, inputTokens=13, outputTokens=8))
    assert statuses(machine) == {SESSION: "agrees", FORK: "agrees"}


def test_what_a_parent_was_billed_after_the_fork_is_not_in_the_forks_total(machine):
    lines = [reply("a")]
    later = [reply("z", at=after(hours=5)), cost_state({OPUS: told(22, 10)})]
    take_in(machine, "s", *lines, cost_state({OPUS: told(12, 5)}), *later)
    take_in(machine, "f", *forked(*lines, inputTokens=15 + 900, outputTokens=8 + 900))
    assert statuses(machine) == {SESSION: "billed_more", FORK: "billed_more"}
    assert unlogged(machine) == {(SESSION, OPUS): (2, 0), (FORK, OPUS): (900, 900)}


def test_a_total_since_before_the_copied_lines_speaks_of_them_if_their_own_session_has_none(
    machine,
):
    lines = [reply("a"), reply("b", at=after(minutes=1))]
    take_in(machine, "s", *lines)
    take_in(machine, "f", *forked(*lines, inputTokens=23, outputTokens=13))
    assert statuses(machine)[FORK] == "agrees"
    assert sum(sessions(machine.home)["requests"]) == 3
    assert sum(sessions(machine.home)["requests_without_totals"]) == 0


def test_copies_of_a_session_are_compared_once(tmp_path):
    machine = Machine(tmp_path, "laptop", "desk")
    lines = [reply("a"), cost_state({OPUS: told(10, 5)})]
    take_in(machine, "s", *lines)
    take_in(machine, "copy", *lines)
    take_in(machine, "s", *lines, host="desk")
    shutil.rmtree(tmp_path / "desk" / ".claude")
    machine.ingest()
    assert statuses(machine) == {SESSION: "agrees"}
    short = machine.sources()["reconciliation"]["claude"]
    assert (short["sessions"], short["billed_tokens"], short["logged_tokens"]) == (1, 15, 15)


def test_an_older_copy_does_not_hide_that_a_session_went_on(machine):
    lines = [reply("a"), cost_state({OPUS: told(10, 5)})]
    take_in(machine, "copy", *lines)
    take_in(machine, "s", *lines, reply("b", at=after(hours=9)))
    [row] = sessions(machine.home).to_dicts()
    assert (row["status"], row["requests"], row["requests_without_totals"]) == ("agrees", 1, 1)


def test_a_subagents_requests_are_part_of_its_sessions_total(machine):
    agent = reply("b", at=after(minutes=1), agentId="a1", isSidechain=True)
    machine.write(machine.claude(f"p/{SESSION}/subagents/agent-a1.jsonl"), transcript(agent))
    take_in(machine, SESSION, reply("a"), cost_state({OPUS: told(20, 10)}))
    assert statuses(machine) == {SESSION: "agrees"}


def test_a_session_that_left_nothing_but_its_total_is_told(machine):
    take_in(machine, "s", cost_state({OPUS: told(10, 5)}))
    [row] = sessions(machine.home).to_dicts()
    assert (row["status"], row["requests"], row["last_ts"]) == ("billed_more", 0, after())


def test_totals_outlive_their_transcripts_and_are_the_same_however_they_were_read(machine):
    path = machine.claude("p/s.jsonl")
    lines = [reply("a"), cost_state({OPUS: told(10, 5)}), reply("b", at=after(hours=9))]
    lines.append(cost_state({OPUS: told(20, 11)}))
    for place in range(1, len(lines) + 1):
        machine.write(path, transcript(*lines[:place]), at=after(days=place))
        machine.ingest()
    kept = machine.home.lake / "totals" / "host=laptop.parquet"
    in_parts, before = kept.read_bytes(), sessions(machine.home)
    machine.ingest(full=True)
    assert kept.read_bytes() == in_parts
    path.unlink()
    machine.ingest()
    assert sessions(machine.home).equals(before)
    assert statuses(machine) == {SESSION: "billed_more"}


def test_only_sessions_of_the_asked_days_are_compared(machine):
    take_in(machine, "s", reply("a"), cost_state({OPUS: told(10, 5)}))
    day = after().date()
    assert sessions(machine.home, (day, after(days=1).date())).height == 1
    assert sessions(machine.home, (after(days=1).date(), after(days=9).date())).height == 0
    assert sessions(machine.home, (after(days=-9).date(), day)).height == 0


# Codex


def take_in_rollouts(machine, *rollouts: Rollout) -> None:
    for number, rollout in enumerate(rollouts):
        data = b"\n".join(rollout_lines(rollout)) + b"\n"
        machine.write(machine.codex(f"rollout-{number}.jsonl"), data)
    machine.ingest()


def codex_rows(machine) -> list[tuple[str, int]]:
    """Return the status of each session, and how much more its total grew than the ledger has."""
    return [
        (row["status"], row["billed_input_tokens"] - row["logged_input_tokens"])
        for row in sessions(machine.home).to_dicts()
    ]


def test_a_thread_whose_total_grew_by_what_was_counted_agrees(machine):
    take_in_rollouts(
        machine,
        Rollout().own_turn().request(codex_usage(100, 50)).request(codex_usage(10), times=2),
    )
    assert codex_rows(machine) == [("agrees", 0)]


def test_a_request_that_a_rollout_lost_shows_in_the_threads_total(machine):
    rollout = Rollout().own_turn().request(codex_usage(100))
    rollout.total = added(rollout.total, codex_usage(33, output=0))
    take_in_rollouts(machine, rollout.request(codex_usage(10)))
    assert codex_rows(machine) == [("billed_more", 33)]


@pytest.mark.parametrize("after_it", [10, 5000])
def test_a_total_that_begins_anew_says_nothing_about_what_came_before(machine, after_it):
    rollout = Rollout().turn().request(codex_usage(100)).request(codex_usage(200))
    rollout.total = {}
    take_in_rollouts(machine, rollout.request(codex_usage(after_it)).request(codex_usage(7)))
    assert codex_rows(machine) == [("agrees", 0)]


def test_a_clock_that_was_set_back_makes_no_total_grow(machine):
    rollout = Rollout().own_turn().request(codex_usage(10)).request(codex_usage(20))
    rollout.wait(minutes=-30).request(codex_usage(30))
    take_in_rollouts(machine, rollout.request(codex_usage(40)))
    assert codex_rows(machine) == [("agrees", 0)]


def test_a_forks_total_goes_on_from_its_parents_which_is_not_compared_twice(machine):
    parent = Rollout().own_turn().request(codex_usage(100))
    fork = parent.wait(minutes=5).fork(2).own_turn().request(codex_usage(10))
    take_in_rollouts(machine, parent, fork)
    assert codex_rows(machine) == [("agrees", 0), ("agrees", 0)]
    assert machine.sources()["reconciliation"]["codex"]["billed_tokens"] == 130


def test_records_without_a_thread_total_are_not_comparable(machine):
    take_in_rollouts(machine, Rollout().own_turn().record("resp_1", codex_usage(100)))
    [row] = sessions(machine.home).to_dicts()
    assert (row["status"], row["requests_without_totals"]) == ("not_comparable", 1)


def test_both_clients_are_named_even_where_there_is_nothing(machine):
    machine.ingest()
    short = machine.sources()["reconciliation"]
    assert {client: said["sessions"] for client, said in short.items()} == {"claude": 0, "codex": 0}
