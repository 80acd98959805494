"""Each week against the plan that stood when it began."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from fleet_pipeline.drift import WEEKS, plans_before, realised
from fleet_pipeline.drift.realised import Plans
from fleet_pipeline.home import Home
from fleet_pipeline.ledger.store import write_frame

CLOSE = date(2026, 6, 17)
LAST = CLOSE - timedelta(days=7)
REQUESTS = {"client": pl.String, "agent": pl.String, "date": pl.Date, "full_input_tokens": pl.Int64}
TURNS = {
    "client": pl.String,
    "agent": pl.String,
    "kind": pl.String,
    "started_at": pl.Datetime("us", "UTC"),
    "full_input_tokens": pl.Int64,
    "acts": pl.List(pl.String),
    "places": pl.List(pl.Int64),
}
NO_PLANS = (
    pl.DataFrame(schema={"week_start": pl.Date, "agent": pl.String, "target_share": pl.Float64}),
    pl.DataFrame(
        schema={
            "week_start": pl.Date,
            "agent": pl.String,
            "kind": pl.String,
            "leaves_claude": pl.Boolean,
        }
    ),
)


def a_month(claude: list[int], codex: list[int], *, without: int | None = None) -> pl.DataFrame:
    """Daily full input of Forge in each of four weeks; ``without`` leaves out one of the days."""
    rows = [
        (client, "forge", CLOSE - timedelta(days=28 - day), weeks[day // 7])
        for day in range(28)
        if day != without
        for client, weeks in (("claude", claude), ("codex", codex))
    ]
    return pl.DataFrame(rows, schema=REQUESTS, orient="row")


def turns(*rows: tuple[str, str, int]) -> pl.DataFrame:
    """Turns of Forge in the last week: client, kind, full input."""
    at = datetime(2026, 6, 12, 10, tzinfo=UTC)
    return pl.DataFrame(
        [(client, "forge", kind, at, tokens, [], []) for client, kind, tokens in rows],
        schema=TURNS,
        orient="row",
    )


def plans(share: float = 0.5, **leaves_claude: bool) -> Plans:
    """What was published when the last week began."""
    targets = pl.DataFrame({"week_start": [LAST], "agent": ["forge"], "target_share": [share]})
    routes = [(LAST, "forge", kind, leaves) for kind, leaves in leaves_claude.items()]
    return targets, pl.DataFrame(routes, schema=NO_PLANS[1].schema, orient="row")


def last_week(
    requests: pl.DataFrame, plans: Plans = NO_PLANS, done: pl.DataFrame | None = None
) -> dict[str, object]:
    table = realised(requests, turns() if done is None else done, plans, close=CLOSE)
    assert table["week_start"].to_list() == [LAST - timedelta(days=7 * n) for n in (3, 2, 1, 0)]
    return table.row(-1, named=True)


def test_what_left_claude_and_came_to_codex_has_moved() -> None:
    row = last_week(a_month([100, 100, 100, 60], [0, 0, 0, 30]), plans(0.5))
    assert (row["claude_change_tokens"], row["codex_change_tokens"]) == (-280, 210)
    assert (row["planned_tokens"], row["moved_tokens"]) == (350, 210)


@pytest.mark.parametrize(("claude", "codex"), [(120, 30), (60, 0), (140, 0)])
def test_neither_less_of_one_nor_more_of_the_other_alone_is_a_move(claude: int, codex: int) -> None:
    row = last_week(a_month([100, 100, 100, claude], [0, 0, 0, codex]))
    assert row["moved_tokens"] == 0


def test_without_any_plan_nothing_was_planned() -> None:
    row = last_week(a_month([100] * 4, [0] * 4))
    assert row["planned_tokens"] is row["off_matrix_tokens"] is row["off_matrix_share"] is None


def test_a_week_with_a_missing_day_says_nothing_about_change() -> None:
    table = realised(a_month([100] * 4, [9] * 4, without=17), turns(), plans(), close=CLOSE)
    assert table["days_covered"].to_list() == [7, 7, 6, 7]
    assert table["claude_change_tokens"].to_list() == [None, 0, None, None]
    assert table["planned_tokens"].to_list() == [None] * 4


def test_work_that_the_matrix_sends_away_and_claude_still_did_is_off_the_matrix() -> None:
    done = turns(("claude", "checks", 40), ("claude", "conversation", 50), ("codex", "checks", 7))
    row = last_week(a_month([10] * 4, [0] * 4), plans(checks=True, conversation=False), done)
    assert (row["off_matrix_tokens"], row["off_matrix_share"]) == (40, 40 / 90)


def policy(share: float, leaves_claude: bool) -> tuple[pl.DataFrame, pl.DataFrame]:
    targets = pl.DataFrame({"agent": ["forge"], "target_share": [share], "target_tokens": [7]})
    routes = pl.DataFrame(
        {"agent": ["forge"], "kind": ["checks"], "leaves_claude": [leaves_claude]}
    )
    return targets, routes


def test_the_plan_of_a_week_is_what_was_made_as_it_began_and_else_todays(tmp_path: Path) -> None:
    home = Home(tmp_path)
    now, then = policy(0.5, True), policy(0.25, False)
    for name, table in zip(("target_proxy", "routing_policy"), then, strict=True):
        write_frame(home.lake / "weekly" / name / "2026-06-03.parquet", table)
    targets, routes = plans_before(home, CLOSE, targets=now[0], routes=now[1])
    last = pl.col("week_start") == LAST
    assert targets.filter(last)["target_share"].to_list() == [0.25]
    assert routes.filter(last)["leaves_claude"].to_list() == [False]
    assert targets.filter(~last)["target_share"].to_list() == [0.5] * (WEEKS - 1)
    assert routes.filter(~last)["leaves_claude"].to_list() == [True] * (WEEKS - 1)


def test_under_one_policy_it_does_not_matter_which_weeks_were_made(tmp_path: Path) -> None:
    targets, routes = policy(0.5, True)
    late = plans_before(Home(tmp_path / "new"), CLOSE, targets=targets, routes=routes)
    home = Home(tmp_path / "old")
    write_frame(home.lake / "weekly" / "target_proxy" / "2026-06-03.parquet", targets)
    soon = plans_before(home, CLOSE, targets=targets, routes=routes)
    assert all(a.equals(b) for a, b in zip(late, soon, strict=True))
