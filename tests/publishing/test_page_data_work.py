"""Where the figures about work stand in page.json, and that they are those of the tables."""

from datetime import timedelta

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_pipeline.org import Org
from fleet_pipeline.publishing.figures import resolve
from fleet_pipeline.publishing.page_data_work import _percentile, measured
from fleet_pipeline.publishing.trace_map import _PERCENTILE, _ROUTED_SUMS

from .test_page_data import Json, Row, named, org, page

__all__ = ["org"]

EDITS = {"tools": '{"Bash":1,"Edit":1}', "command_heads": '{"pytest":1}'}


def turn(session: int, day: int, **given: object) -> Row:
    return {
        "agent": "forge",
        "session_id": f"s{session}",
        "turn_id": f"t{session}",
        "day": day,
        "cache_read_tokens": 100_000,
        "stop_reason": "end_turn",
        **given,
    }


def a_working_month() -> list[Row]:
    """Forge edits each day on Sonnet, talks on Opus, and once hands a packet to Codex."""
    return [
        *(turn(day, day, stop_reason="tool_use", **EDITS) for day in range(28)),
        *(turn(100 + day, day, model="claude-opus-4-8", effort="high") for day in range(14)),
        turn(200, 5, client="codex", model="gpt-5.5", effort="medium", stop_reason=None, **EDITS),
        turn(300, 9, agent=None, cache_read_tokens=50_000, stop_reason="tool_use"),
    ]


@pytest.fixture(scope="module")
def month(org: Org) -> Json:
    return page(org, *a_working_month())


def test_kinds_of_work_are_parts_of_claudes_input(month: Json) -> None:
    mix = month["task_mix"]
    whole = month["usage"]["claude"]["full_input_tokens"]
    assert mix["full_input_tokens"] == whole
    assert sum(kind["full_input_tokens"] for kind in mix["kinds"]) == whole
    assert sum(row["full_input_tokens"] for row in mix["by_agent"]) == whole
    assert sum(kind["share"] for kind in mix["kinds"]) == pytest.approx(1)
    assert named(mix["kinds"], kind="implementation")["movable_tokens"] == 2_800_000
    assert named(mix["kinds"], kind="unknown")["full_input_tokens"] == 50_000
    assert mix["rules_version"].startswith("1-")


def test_a_row_of_the_matrix_says_who_drives_its_work_today(month: Json) -> None:
    rows = [row for row in month["routing_matrix"] if row["agent"] == "forge"]
    execution, judgment = rows[0]["measured"], rows[1]["measured"]
    assert [(d["driver"], d["full_input_tokens"]) for d in execution["drivers"]] == [
        ("Sonnet", 2_800_000), ("Codex", 100_000),
    ]  # fmt: skip
    assert [(d["driver"], d["share"]) for d in judgment["drivers"]] == [("Opus", 1.0)]
    assert [(e["effort"], e["share"]) for e in judgment["efforts"]] == [("high", 1.0)]
    assert judgment["turns"] == 14


@pytest.mark.parametrize(
    ("drivers", "share"),
    [
        (["Sonnet", "Codex"], 0.5),
        (["Opus"], 0.0),
        (["glm-5.2"], 1.0),
        (["Sonnet", "not named"], None),
    ],
)
def test_work_that_names_no_model_is_not_told_to_be_off_claude(
    drivers: list[str], share: float | None
) -> None:
    rows = pl.DataFrame({"driver": drivers}).with_columns(
        effort=pl.lit("low"), turns=1, full_input_tokens=1_000
    )
    record = measured(rows)
    assert record is not None
    assert record["off_claude_share"] == share
    by_sql = duckdb.sql(f"select {_ROUTED_SUMS['off_claude_share']} from rows").fetchall()
    assert by_sql == [(share,)]


def test_a_row_whose_work_did_not_occur_is_not_measured(month: Json) -> None:
    sage = [row for row in month["routing_matrix"] if row["agent"] == "sage"]
    assert [row["measured"] for row in sage] == [None, None]


def test_a_default_route_says_who_drives_its_work_over_all_agents(month: Json) -> None:
    route = named(month["execution_routing"], work_type="First-pass code")
    assert route["measured"]["full_input_tokens"] == 2_900_000
    assert named(month["execution_routing"], work_type="Test generation")["measured"] is None


def test_the_eligible_share_stands_beside_the_target(month: Json) -> None:
    forge = named(month["eligible"]["agents"], agent="forge")
    assert forge["eligible_share"] == pytest.approx(28 / 42)
    assert (forge["display_name"], forge["target_share"], forge["verdict"]) == (
        "Forge", 0.55, "within",
    )  # fmt: skip
    assert month["eligible"]["fleet"]["movable_tokens"] == 2_800_000


def test_blocks_name_the_peak_and_what_the_target_takes_off_it(month: Json) -> None:
    claude = named(month["blocks"], client="claude")
    assert (claude["blocks"], claude["peak_tokens"]) == (28, 250_000)
    assert claude["peak_tokens_after_target"] == 250_000 - 110_000
    assert claude["peak_change_tokens"] == -110_000
    assert named(month["blocks"], client="codex")["peak_change_tokens"] == 0


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=60), st.sampled_from([50, 95]))
def test_a_percentile_is_a_block_that_was_on_the_page_as_by_its_sql(
    tokens: list[int], percent: int
) -> None:
    blocks = pl.DataFrame({"full_input_tokens": tokens})
    by_sql = duckdb.sql(f"select {_PERCENTILE.format(percent)} from blocks").fetchall()
    found = _percentile(blocks, percent)
    assert by_sql == [(found,)]
    assert 100 * sum(each <= found for each in tokens) >= percent * len(tokens)
    assert 100 * sum(each < found for each in tokens) < percent * len(tokens)


def test_a_window_without_enough_readings_is_refused_by_name(month: Json) -> None:
    window = named(month["windows"], limit_id="codex", window_minutes=300)
    assert (window["limit"], window["status"], window["reason"], window["rates"]) == (
        "Codex", "refused", "too_few_steps", [],
    )  # fmt: skip


def test_missing_days_are_named_and_no_day_is_called_quiet_for_them(month: Json) -> None:
    missing = month["anomalies"]["missing_days"]
    assert missing == [{"date": "2026-06-15"}, {"date": "2026-06-16"}]
    assert month["anomalies"]["agent_days"] == []
    assert month["anomalies"]["agents_too_young"] == ["unattributed"]
    assert month["anomalies"]["hot_week"]["verdict"] == "beyond_chance"


def test_four_weeks_are_held_against_the_policy_that_stood(month: Json) -> None:
    assert [week["week_start"] for week in month["realised"]] == [
        "2026-05-20", "2026-05-27", "2026-06-03", "2026-06-10",
    ]  # fmt: skip
    second = month["realised"][1]
    assert second["planned_tokens"] == 770_000
    assert second["off_matrix_tokens"] == 700_000
    assert month["realised"][-1]["days_covered"] == 5
    assert month["realised"][-1]["claude_change_tokens"] is None


@pytest.mark.parametrize(
    "address",
    [
        "task_mix.kinds.implementation.turns",
        "task_mix.by_agent.forge.conversation.full_input_tokens",
        "task_mix.rules.writes-and-verifies.turns",
        "eligible.agents.forge.eligible_share",
        "windows.codex.300.steps",
        "blocks.claude.peak_at",
        "realised.2026-06-10.claude_tokens",
    ],
)
def test_every_list_has_a_natural_key(month: Json, address: str) -> None:
    assert resolve(month, address) is not None


def test_a_window_without_work_has_its_keys_all_the_same(org: Org) -> None:
    empty = page(org)
    assert empty["task_mix"]["kinds"] == [] and empty["blocks"] == []
    assert empty["eligible"]["fleet"]["eligible_share"] is None
    assert len(empty["anomalies"]["missing_days"]) == timedelta(days=30).days
