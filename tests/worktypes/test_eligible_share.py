"""How much of an agent's work may move: the share, its interval, and what it says of a target."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_pipeline.costing.bootstrap import FEWEST_SESSIONS
from fleet_pipeline.worktypes import eligible_share
from fleet_pipeline.worktypes.eligibility import WHOLE_FLEET, intervals

TARGETS = pl.DataFrame(
    {
        "agent": ["forge", "sage", "unattributed"],
        "target_share": [0.55, 0.08, 0.0],
        "target_tokens": [0, 0, 0],
    }
)
Turn = tuple[str, str, str, int, bool, str]
SCHEMA = {
    "client": pl.String,
    "agent": pl.String,
    "session_id": pl.String,
    "full_input_tokens": pl.Int64,
    "is_movable": pl.Boolean,
    "kind": pl.String,
}


def shares(*turns: Turn) -> dict[str, dict[str, object]]:
    frame = pl.DataFrame(turns, schema=SCHEMA, orient="row").with_columns(host=pl.lit("laptop"))
    return {row["agent"]: row for row in eligible_share(frame, TARGETS).to_dicts()}


def turn(
    agent: str = "forge",
    session: object = 1,
    tokens: int = 100,
    movable: bool = True,
    kind: str = "",
) -> Turn:
    return "claude", agent, str(session), tokens, movable, kind or ("checks" if movable else "talk")


def test_the_share_is_that_of_full_input_and_not_of_turns() -> None:
    row = shares(turn(tokens=100), turn(tokens=300, movable=False))["forge"]
    assert (row["eligible_share"], row["movable_tokens"]) == (0.25, 100)


def test_the_whole_fleet_stands_first_and_is_the_sum_of_its_agents() -> None:
    found = shares(turn("forge", tokens=100), turn("sage", tokens=300, movable=False), turn("gone"))
    assert next(iter(found)) == ""
    agents = [row for agent, row in found.items() if agent]
    for name in ("sessions", "full_input_tokens", "movable_tokens", "unknown_tokens"):
        assert found[""][name] == sum(int(str(row[name])) for row in agents)


def test_work_of_an_agent_that_is_no_longer_listed_is_unattributed() -> None:
    assert shares(turn("gone", tokens=7))["unattributed"]["full_input_tokens"] == 7


def test_codex_is_no_work_that_could_leave_claude() -> None:
    codex = ("codex", "forge", "1", 900, False, "unknown")
    assert shares(turn(tokens=100), codex)["forge"]["eligible_share"] == 1.0


@pytest.mark.parametrize(
    ("turns", "verdict"),
    [
        ([turn(tokens=55), turn(tokens=45, movable=False)], "within"),
        ([turn(tokens=54), turn(tokens=46, movable=False)], "exceeds"),
        ([turn(tokens=54), turn(tokens=46, movable=False, kind="unknown")], "unclear"),
        ([], "no_usage"),
        ([turn("unattributed", tokens=9)], "no_usage"),
    ],
)
def test_a_target_is_held_against_what_may_move(turns: list[Turn], verdict: str) -> None:
    assert shares(*turns)["forge"]["verdict"] == verdict


def test_a_target_inside_the_interval_is_neither_met_nor_beyond_reach() -> None:
    alike = [turn(session=s, movable=s % 2 == 0) for s in range(10)]
    row = shares(*alike)["forge"]
    assert float(str(row["eligible_share"])) < 0.55 < float(str(row["eligible_high"]))
    assert row["verdict"] == "unclear"


def test_an_agent_without_a_target_is_told_nothing() -> None:
    assert shares(turn("unattributed", movable=False))["unattributed"]["verdict"] == "no_target"


def test_a_handful_of_sessions_has_no_interval() -> None:
    few = [turn(session=number) for number in range(FEWEST_SESSIONS - 1)]
    assert shares(*few)["forge"]["eligible_low"] is None
    assert shares(*few, turn(session="more"))["forge"]["eligible_low"] == 1.0


def test_turns_that_share_a_session_make_the_interval_wide() -> None:
    """What a bootstrap over turns would miss: each session is all or nothing here."""
    alike = [turn(session=s, movable=s % 2 == 0) for s in range(10) for _ in range(50)]
    mixed = [turn(session=s, movable=t % 2 == 0) for s in range(10) for t in range(50)]
    wide, narrow = (shares(*turns)["forge"] for turns in (alike, mixed))
    assert wide["eligible_share"] == narrow["eligible_share"] == 0.5
    assert (narrow["eligible_low"], narrow["eligible_high"]) == (0.5, 0.5)
    assert float(str(wide["eligible_low"])) <= 0.2 and float(str(wide["eligible_high"])) >= 0.8


_SESSIONS = st.lists(
    st.integers(1, 1_000_000).flatmap(lambda full: st.tuples(st.integers(0, full), st.just(full))),
    min_size=FEWEST_SESSIONS,
    max_size=20,
)


@settings(max_examples=15, deadline=None)
@given(_SESSIONS)
def test_the_interval_lies_among_the_sessions_and_comes_out_alike_each_time(
    sessions: list[tuple[int, int]],
) -> None:
    frame = pl.DataFrame(sessions, schema=["movable", "full"], orient="row").with_columns(
        agent=pl.lit("forge")
    )
    found = intervals(frame)
    assert found == intervals(frame) and set(found) == {"forge", WHOLE_FLEET}
    low, high = found["forge"]
    shares = [movable / full for movable, full in sessions]
    assert min(shares) - 1e-12 <= low <= high <= max(shares) + 1e-12


def test_work_of_one_agent_changes_no_other_agents_interval() -> None:
    forge = [turn(session=s, movable=s % 2 == 0) for s in range(10)]
    sage = [turn("sage", session=s, movable=s % 3 == 0) for s in range(7)]
    alone, beside = (shares(*turns)["forge"] for turns in (forge, forge + sage))
    assert alone == beside


def test_sessions_without_any_input_have_no_interval() -> None:
    assert shares(*(turn(session=s, tokens=0) for s in range(9)))["forge"]["eligible_low"] is None
