"""What makes a turn: a prompt's requests in one thread, with and without numbers in the log."""

from datetime import timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_pipeline.org import load
from fleet_pipeline.worktypes import marked, turns
from fleet_pipeline.worktypes.turns import PAUSE

from .conftest import ROOT, START, Row, frame, request

ORG = load(ROOT / "orgs" / "riles-fleet")
SUMS = ("requests", "full_input_tokens", "cache_read_tokens", "output_tokens")


def at(seconds: float, **given: object) -> Row:
    return request(ts=START + timedelta(seconds=seconds), **given)


def sizes(*rows: Row) -> list[int]:
    """Requests of each turn, in the order in which the turns began."""
    return turns(frame(rows), ORG).sort("started_at")["requests"].to_list()


def test_where_the_log_numbers_its_turns_its_numbers_hold() -> None:
    working = {"stop_reason": "tool_use", "tools": '{"Read":1}'}
    rows = [at(0, turn_id="a", **working), at(9, turn_id="a"), at(20, turn_id="b")]
    assert sizes(*rows) == [2, 1]


def test_a_numbered_turn_lasts_through_any_pause_and_any_answer_inside() -> None:
    rows = [at(0), at(PAUSE.total_seconds() * 3), at(PAUSE.total_seconds() * 9)]
    assert sizes(*rows) == [3]


def test_without_numbers_an_answer_ends_a_turn() -> None:
    working = {"turn_id": None, "stop_reason": "tool_use", "tools": '{"Read":1}'}
    rows = [at(0, **working), at(9, turn_id=None), at(20, **working), at(30, turn_id=None)]
    assert sizes(*rows) == [2, 2]


def test_without_numbers_a_long_pause_ends_a_turn() -> None:
    working = {"turn_id": None, "stop_reason": None, "tools": None}
    seconds = PAUSE.total_seconds()
    assert sizes(at(0, **working), at(seconds, **working)) == [2]
    assert sizes(at(0, **working), at(seconds + 1, **working)) == [1, 1]


def test_each_run_of_a_subagent_is_a_turn_of_its_own() -> None:
    run = {"is_subagent": True, "agent_id": "a1", "agent_type": "Explore"}
    other = {**run, "agent_id": "a2"}
    rows = [at(0, tools='{"Agent":2}', stop_reason="tool_use"), at(1, **run), at(2, **other), at(3)]
    found = turns(frame(rows), ORG).sort("started_at")
    assert found["requests"].to_list() == [2, 1, 1]
    assert found["is_subagent"].to_list() == [False, True, True]


def test_the_model_of_the_largest_request_drove_the_turn() -> None:
    rows = [
        at(0, model="claude-haiku-4-5", cache_read_tokens=500),
        at(5, model="claude-opus-4-8", cache_read_tokens=9_000, effort="high"),
    ]
    [row] = turns(frame(rows), ORG).to_dicts()
    assert (row["model"], row["effort"], row["context_tokens"]) == ("claude-opus-4-8", "high", 9000)


def test_of_requests_of_one_size_the_first_row_says_who_drove_the_turn() -> None:
    rows = [
        at(5, model=None, effort=None),
        at(5, model="claude-opus-4-8", effort="high"),
        at(0, model="claude-haiku-4-5", effort="low"),
    ]
    [row] = turns(frame(rows), ORG).to_dicts()
    assert (row["model"], row["effort"]) == ("claude-opus-4-8", "high")


def test_a_session_that_changes_folders_counts_for_each_agent_with_its_own_requests() -> None:
    rows = [at(0, agent="forge"), at(1, agent="sage"), at(2, agent="forge")]
    found = turns(frame(rows), ORG)
    by_agent = dict(found.group_by("agent").agg(pl.col("requests").sum()).iter_rows())
    assert by_agent == {"forge": 2, "sage": 1}


_REQUEST = st.fixed_dictionaries(
    {
        "agent": st.sampled_from(["forge", "sage", "unattributed"]),
        "session_id": st.sampled_from(["s1", "s2"]),
        "agent_id": st.sampled_from([None, "a1"]),
        "turn_id": st.sampled_from([None, "t1", "t2"]),
        "seconds": st.integers(0, 20_000),
        "stop_reason": st.sampled_from([None, "tool_use", "end_turn"]),
        "tools": st.sampled_from([None, "{}", '{"Read":1}', '{"Bash":1,"Edit":2}']),
        "cache_read_tokens": st.integers(0, 900_000),
    }
)


@settings(max_examples=12, deadline=None)
@given(st.lists(_REQUEST, max_size=12))
def test_turns_partition_the_requests(drawn: list[dict[str, int | str | None]]) -> None:
    rows = [at(int(row.pop("seconds") or 0), **row) for row in map(dict, drawn)]
    whole = frame(rows).sort(pl.all())
    found = turns(whole, ORG)
    sums = found.group_by("agent").agg(pl.col(SUMS).sum()).sort("agent")
    expected = (
        whole.with_columns(requests=pl.lit(1, pl.Int64))
        .group_by("agent")
        .agg(pl.col(SUMS).sum())
        .sort("agent")
    )
    assert sums.equals(expected)
    assert sorted(found["places"].explode().drop_nulls()) == list(range(whole.height))
    of_request = marked(whole, found)
    assert of_request.select(whole.columns).equals(whole)
    by_turn = of_request.group_by("turn").agg(pl.col("full_input_tokens").sum()).sort("turn")
    assert by_turn["full_input_tokens"].to_list() == found["full_input_tokens"].to_list()


def test_a_request_may_move_only_if_its_whole_turn_may() -> None:
    rows = [
        at(0, turn_id="t1", tools='{"Read":1}'),
        at(5, turn_id="t1", tools='{"Agent":1}'),
        at(60, turn_id="t2", tools='{"Read":1}'),
    ]
    whole = frame(rows)
    found = marked(whole, turns(whole, ORG)).sort("ts")
    assert found["kind"].to_list() == ["orchestration", "orchestration", "extraction"]
    assert found["movable"].to_list() == [False, False, True]
