"""Every check of every suite, seen to fail on a fault of its own; docs/quality.md is the record."""

import os
import sys
from pathlib import Path

import polars as pl
import pytest

from fleet_pipeline import quality
from fleet_pipeline.quality import expectations
from fleet_pipeline.quality.suites import SUITES, Check, Expectation, checks_of

from .faults import FAULTS, Fault, first_is

pytestmark = pytest.mark.slow  # a whole week is made, and Great Expectations loaded

DOCUMENT = Path(__file__).parents[2] / "docs" / "quality.md"


def found(fault: Fault, week: dict[str, pl.DataFrame]) -> quality.Outcome:
    """Return what the fault's check says of the week with the fault in it."""
    planted = {**week, fault.table: fault.plant(week[fault.table])}
    # Only what the fault is in is judged; counts of a large table need the others beside it.
    validate = expectations._Validator()
    outcomes = list(expectations._of_table(fault.table, planted, validate))
    [outcome] = [each for each in outcomes if each.name == fault.check]
    return outcome


def row(fault: Fault, outcome: quality.Outcome) -> str:
    says = outcome.told.replace("|", "\\|")
    kind = "refused" if outcome.refuses else "warned"
    return f"| {fault.words} | `{fault.check}` | {kind}: {says} |"


def test_a_week_without_a_fault_passes_every_suite(week: dict[str, pl.DataFrame]) -> None:
    outcomes = quality.judge(week)
    assert len(outcomes) > 70
    assert [outcome.told for outcome in outcomes if not outcome.passed] == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.words.replace(" ", "_"))
def test_a_planted_fault_is_caught_and_an_operator_is_told(
    fault: Fault, week: dict[str, pl.DataFrame]
) -> None:
    outcome = found(fault, week)
    assert not outcome.passed and not outcome.broken
    assert outcome.counts["expectations_failed"] >= 1
    assert outcome.remedy and outcome.remedy in outcome.told
    if os.environ.get("FLEET_WRITE_RECORD") and row(fault, outcome) not in DOCUMENT.read_text():
        with DOCUMENT.open("a") as document:
            document.write(row(fault, outcome) + "\n")
    assert row(fault, outcome) in DOCUMENT.read_text(), (
        "docs/quality.md is not true any more: delete the rows of its last table, and run this"
        " with FLEET_WRITE_RECORD=1"
    )


def test_each_declared_check_has_a_fault_that_it_catches() -> None:
    declared = {check.name for suite in SUITES.values() for check in suite.checks}
    assert declared <= {fault.check for fault in FAULTS}


def test_a_row_that_fails_is_named_by_its_key_and_its_value_is_not_told(
    week: dict[str, pl.DataFrame],
) -> None:
    planted = first_is("output_tokens", -987_654_321)(week["agent_usage"])
    [outcome] = [each for each in quality.judge({"agent_usage": planted}) if not each.passed]
    assert str(planted["agent"][0]) in outcome.says
    assert "987" not in outcome.told


def test_an_expectation_that_crashes_is_told_apart_from_data_that_fails(
    week: dict[str, pl.DataFrame],
) -> None:
    without = week["agent_usage"].drop("cache_read_tokens")
    [outcome] = [each for each in quality.judge({"agent_usage": without}) if not each.passed]
    assert outcome.broken and outcome.refuses
    assert outcome.says.startswith("the check broke and says nothing of agent_usage")
    assert "cache_read_tokens" in outcome.says


def test_a_table_without_a_suite_is_held_to_its_units() -> None:
    frame = pl.DataFrame({"anything": ["a"], "some_share": [1.5], "some_tokens": [-1]})
    [outcome] = quality.judge({"unheard_of": frame})
    assert not outcome.passed and not outcome.refuses
    assert "some_share" in outcome.says and "some_tokens" in outcome.says


def test_no_two_checks_share_a_name() -> None:
    names = [check.name for table in SUITES for check in checks_of(table)]
    assert len(names) == len(set(names))


def test_verdicts_hold_for_the_tables_they_were_made_of_and_no_others(
    week: dict[str, pl.DataFrame],
) -> None:
    tables = {"agent_usage": week["agent_usage"]}
    well = [quality.Outcome("is_well", "error", True, "as expected", table="agent_usage")]
    made = quality.verdicts(well, tables)
    assert quality.outcomes(made)[0].passed
    assert quality.verdicts_hold(made, tables).passed
    other = quality.verdicts_hold(made, {"agent_usage": tables["agent_usage"].slice(1)})
    assert other.refuses and "agent_usage" in other.says


def test_a_check_is_broken_whatever_else_it_found() -> None:
    check = Check("a_check", "why", (Expectation("a", {}), Expectation("b", {})))
    crashed = {"success": False, "result": {}, "expectation_config": {"kwargs": {"column": "x"}}}
    fine = {"success": True, "result": {}, "expectation_config": {"kwargs": {"column": "y"}}}
    outcome = expectations.outcome_of("t", 3, check, [fine, crashed])
    assert outcome.broken and not outcome.passed


def test_a_module_loaded_on_use_gives_what_it_has_and_makes_way_for_it() -> None:
    stand_in = expectations._LoadedOnUse("colorsys")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "colorsys", stand_in)
        assert stand_in.rgb_to_hls(1.0, 1.0, 1.0) == (0.0, 1.0, 0.0)
        assert sys.modules["colorsys"] is not stand_in
