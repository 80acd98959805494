"""Every check that refuses, seen to refuse: the fault is planted, and nothing is published."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from assets import runs
from fleet_pipeline import ledger, tables
from fleet_pipeline.home import Home

from .fleets import CLOSE, Fleet

pytestmark = pytest.mark.slow  # a week is published, and half of it made again for each fault

REAL_STATEMENT, REAL_RECOUNT = tables.statement, ledger.recount


def refusals(result: dg.ExecuteInProcessResult) -> set[str]:
    """Return the checks that stopped a run; nothing else may have failed in it."""
    assert not result.success
    assert "routing_page" not in {
        key.to_user_string()
        for event in result.get_asset_materialization_events()
        if (key := event.asset_key)
    }
    return {
        check.check_name
        for check in result.get_asset_check_evaluations()
        if not check.passed and check.severity is dg.AssetCheckSeverity.ERROR
    }


def change_sql(monkeypatch: pytest.MonkeyPatch, name: str, old: str, new: str) -> None:
    def statement(asked: str) -> str:
        text = REAL_STATEMENT(asked)
        if asked != name:
            return text
        assert old in text
        return text.replace(old, new)

    monkeypatch.setattr(tables, "statement", statement)


def count_a_day_twice(fleet: Fleet) -> None:
    day = sorted((fleet.home.lake / "usage").glob("host=*/date=*.parquet"))[-1]
    rows = pl.read_parquet(day)
    pl.concat([rows, rows]).write_parquet(day)


def a_request_counted_twice(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> str:
    def recount(home: object) -> int:
        changed = REAL_RECOUNT(fleet.home)
        count_a_day_twice(fleet)
        return changed

    monkeypatch.setattr(ledger, "recount", recount)
    return "requests_are_unique"


def an_agent_left_out(_: Fleet, monkeypatch: pytest.MonkeyPatch) -> str:
    old = "where requests.client = 'claude'"
    change_sql(monkeypatch, "agent_usage", old, f"{old} and requests.agent <> 'forge'")
    return "agents_add_up"


def a_client_left_out_of_the_days(_: Fleet, monkeypatch: pytest.MonkeyPatch) -> str:
    old = "from requests\n"
    change_sql(monkeypatch, "daily_usage", old, f"{old}where client = 'claude'\n")
    return "days_add_up"


def an_unknown_reference_price(fleet: Fleet, _: pytest.MonkeyPatch) -> str:
    models = fleet.org / "models.yaml"
    text = models.read_text()
    assert "openrouter/z-ai/glm-5.2" in text
    models.write_text(text.replace("openrouter/z-ai/glm-5.2", "openrouter/z-ai/no-such-model"))
    return "priced_models_have_prices"


def a_lake_lost_after_half_the_transcripts_were_deleted(fleet: Fleet, _: pytest.MonkeyPatch) -> str:
    shutil.rmtree(fleet.home.lake)
    copy = fleet.root / "transcripts"
    shutil.copytree(fleet.transcripts, copy)
    sessions = sorted((copy / ".claude").rglob("*.jsonl"))
    for path in sessions[::2]:
        path.unlink()
    object.__setattr__(fleet, "transcripts", copy)
    return "ledger_has_not_shrunk"


@pytest.mark.parametrize(
    "plant",
    [
        a_request_counted_twice,
        an_agent_left_out,
        a_client_left_out_of_the_days,
        an_unknown_reference_price,
        a_lake_lost_after_half_the_transcripts_were_deleted,
    ],
    ids=lambda plant: plant.__name__,
)
def test_a_fault_is_refused_and_what_was_published_stays_as_it_was(
    plant: Callable[[Fleet, pytest.MonkeyPatch], str],
    fleet: Fleet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = fleet.published()
    check = plant(fleet, monkeypatch)
    assert refusals(fleet.run(CLOSE)) == {check}
    assert fleet.published() == before


def test_an_empty_window_is_refused_and_its_week_never_appears(fleet: Fleet) -> None:
    before = fleet.published()
    assert refusals(fleet.run(date(2026, 8, 19))) == {"window_holds_requests"}
    assert fleet.published() == before


def an_agent_lost_from_its_table(fleet: Fleet) -> str:
    table = fleet.table("agent_usage")
    pl.read_parquet(table).slice(1).write_parquet(table)
    return "agents_add_up"


def a_ledger_with_a_day_twice(fleet: Fleet) -> str:
    count_a_day_twice(fleet)
    return "requests_are_unique"


def a_day_gone_from_the_ledger(fleet: Fleet) -> str:
    sorted((fleet.home.lake / "usage").glob("host=*/date=*.parquet"))[-1].unlink()
    return "ledger_has_not_shrunk"


def a_price_taken_away(fleet: Fleet) -> str:
    table = fleet.table("prices")
    pl.read_parquet(table).filter(pl.col("model") != "z-ai/glm-5.2").write_parquet(table)
    return "priced_models_have_prices"


@pytest.mark.parametrize(
    "plant",
    [
        an_agent_lost_from_its_table,
        a_ledger_with_a_day_twice,
        a_day_gone_from_the_ledger,
        a_price_taken_away,
    ],
    ids=lambda plant: plant.__name__,
)
def test_no_page_gets_past_a_check_by_being_run_alone(
    plant: Callable[[Fleet], str], fleet: Fleet
) -> None:
    before = fleet.published()
    check = plant(fleet)
    result = fleet.run(CLOSE, ["routing_page"])
    [failure] = result.filter_events(lambda event: event.is_step_failure)
    assert f"nothing was published for 2026-06-17: {check}: " in str(
        failure.step_failure_data.error
    )
    assert fleet.published() == before


def test_the_page_run_alone_on_good_tables_is_published(fleet: Fleet) -> None:
    shutil.rmtree(fleet.home.site)
    assert fleet.run(CLOSE, ["routing_page"]).success
    assert fleet.page("latest")["as_of"] == "2026-06-17"


def test_a_refusal_tells_an_operator_the_check_and_the_reason(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_request_counted_twice(fleet, monkeypatch)
    outcome = runs.publish_week(fleet.settings, CLOSE)
    assert not outcome["published"] and outcome["page"] is None
    [refusal] = outcome["refusals"]
    assert refusal.startswith("nothing was published for 2026-06-17: requests_are_unique: ")
    assert "rows share a key with another" in refusal


def test_a_failure_that_is_no_refusal_is_told_too(fleet: Fleet) -> None:
    (fleet.org / "agents.yaml").write_text("agents: [")
    outcome = runs.publish_week(fleet.settings, CLOSE)
    assert not outcome["published"]
    assert outcome["refusals"]
    assert all("agents.yaml" in refusal for refusal in outcome["refusals"])
    assert not any("ConfigurationError" in refusal for refusal in outcome["refusals"])
    assert Path(fleet.home.site / "latest" / "index.html").is_file()


def test_a_run_on_a_home_in_use_ends_and_names_who_uses_it(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work = """
import fcntl, sys
with open(sys.argv[1], "w") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    file.write("process 4711 (fleet ingest)")
    file.flush()
    print("locked", flush=True)
    sys.stdin.read()
"""
    real_lock, before = Home.lock, fleet.published()
    monkeypatch.setattr(Home, "lock", lambda home, purpose: real_lock(home, purpose, wait=0.1))
    with subprocess.Popen(
        [sys.executable, "-c", at_work, str(fleet.home.lake / ".lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout and other.stdout.readline() == "locked\n"
        outcome = runs.publish_week(fleet.settings, CLOSE)
        other.communicate("")
    assert not outcome["published"]
    [refusal] = outcome["refusals"]
    assert "is in use by process 4711 (fleet ingest)" in refusal
    assert fleet.published() == before
