"""A whole week through the graph: what is published, and what the graph remembers of it."""

from collections import Counter
from dataclasses import asdict
from datetime import date
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from assets import runs
from fleet_pipeline import dictionary, quality
from fleet_pipeline.demo import DemoTruth
from fleet_pipeline.ledger.columns import USAGE
from fleet_pipeline.publishing.stated import ROWS
from fleet_pipeline.publishing.week import TABLES

from .fleets import CLOSE, Fleet, Published

pytestmark = pytest.mark.slow  # a week is published; `tests/cli` does so in the quick suite

OF_THE_DAY = {
    "feeds_answer",
    "hosts_are_read",
    "formats_are_known",
    "replies_carry_usage",
    "silence_is_explained",
    "published_bytes_are_listed",
}
"""Asked of the day or of what was published, not of the week's tables: no page may hold them."""
OF_THE_GATE = {"verdicts_hold"}
"""Asked at the gate alone: whether the verdicts are of the tables that are published."""
OF_THE_SUITES = {
    check.name for table in set(TABLES) - {"quality"} for check in quality.checks_of(table)
}
REFUSING_OR_WARNING = {
    "prices_are_fresh",
    "candidates_are_listed",
    "free_tiers_are_verified",
    "requests_are_unique",
    "ledger_has_not_shrunk",
    "quarantine_is_small",
    "hosts_are_reporting",
    "window_holds_requests",
    "window_is_whole",
    "agents_add_up",
    "days_add_up",
    "routes_add_up",
    "turns_add_up",
    "targets_are_movable",
    "priced_models_have_prices",
    "used_models_have_prices",
    "ledger_is_within_client_totals",
    "transcripts_tell_nearly_all",
    "volume_has_not_collapsed",
    "volumes_are_usual",
    "agents_are_heard_of",
    "requests_fit_their_window",
    "ranking_is_complete",
}


@pytest.fixture(scope="module")
def events(published: Published) -> list[dg.EventLogEntry]:
    """What the instance in the home remembers of the run."""
    with runs.instance_of(published.fleet.settings) as instance:
        return list(instance.all_logs(published.outcome["run_id"]))


@pytest.fixture(scope="module")
def materialized(events: list[dg.EventLogEntry]) -> dict[str, dg.AssetMaterialization]:
    found = [entry.asset_materialization for entry in events]
    return {made.asset_key.to_user_string(): made for made in found if made}


def test_refresh_says_where_the_page_is(published: Published) -> None:
    outcome, site = published.outcome, published.fleet.home.site
    assert outcome["published"] and outcome["as_of"] == "2026-06-17"
    assert outcome["refusals"] == []
    assert outcome["page"] == str(site / "weeks" / "2026-06-17" / "index.html")
    assert (site / "latest" / "index.html").read_text().startswith("<!doctype html>")
    assert "GLM 5.2" in Path(outcome["ranking"]).read_text()


def test_the_published_usage_is_the_truth(published: Published, truth: DemoTruth) -> None:
    usage = published.fleet.page("latest")["usage"]
    assert isinstance(usage, dict)
    for client, true in (("claude", truth.claude), ("codex", truth.codex)):
        expected = {**asdict(true), "full_input_tokens": true.full_input_tokens}
        assert {name: usage[client][name] for name in expected} == expected
        assert usage[client]["cache_read_share"] == pytest.approx(true.cache_read_share)


def test_the_published_agents_are_the_truth(published: Published, truth: DemoTruth) -> None:
    agents = published.fleet.page("latest")["agents"]
    assert isinstance(agents, list)
    found = {row["agent"]: row["full_input_tokens"] for row in agents if row["requests"]}
    true = {
        total.agent: total.usage.full_input_tokens
        for total in truth.agents
        if total.client == "claude"
    }
    assert found == true


def test_the_published_days_are_the_truth(published: Published, truth: DemoTruth) -> None:
    daily = published.fleet.page("latest")["daily"]
    assert isinstance(daily, list)
    true: Counter[tuple[str, str]] = Counter()
    for cell in truth.cells:
        true[cell.date.isoformat(), cell.client] += cell.usage.requests
    assert {(row["date"], row["client"]): row["requests"] for row in daily if row["requests"]} == (
        dict(true)
    )


def test_every_check_of_the_graph_is_asked_again_before_publishing(
    published: Published, events: list[dg.EventLogEntry]
) -> None:
    checks = published.fleet.page("latest")["checks"]
    assert isinstance(checks, dict)
    published_results = {result["name"] for result in checks["results"]}
    assert published_results == REFUSING_OR_WARNING | OF_THE_SUITES | OF_THE_GATE
    evaluated = [entry.asset_check_evaluation for entry in events]
    asked = {check.check_name for check in evaluated if check}
    assert asked == REFUSING_OR_WARNING | OF_THE_SUITES | OF_THE_DAY


def test_a_check_shows_the_numbers_behind_it(events: list[dg.EventLogEntry]) -> None:
    evaluated = {
        check.check_name: check for entry in events if (check := entry.asset_check_evaluation)
    }
    unique = evaluated["requests_are_unique"]
    assert unique.metadata["repeated"].value == 0
    assert "0 rows share a key" in str(unique.description)
    assert evaluated["window_holds_requests"].metadata["days_covered"].value == 30


def test_the_run_remembers_what_it_ran_on(published: Published) -> None:
    fleet = published.fleet
    with runs.instance_of(fleet.settings) as instance:
        run = instance.get_run_by_id(published.outcome["run_id"])
    assert run is not None and run.status is dg.DagsterRunStatus.SUCCESS
    assert run.tags["dagster/partition"] == "2026-06-10"
    assert run.tags["fleet/as_of"] == "2026-06-17"
    assert run.run_config["resources"]["fleet"]["config"] == {
        "home": str(fleet.home.root),
        "org": str(fleet.org),
        "claude": [str(fleet.transcripts / ".claude")],
        "codex": [str(fleet.transcripts / ".codex")],
    }


def test_every_weekly_table_shows_rows_columns_a_preview_and_its_place(
    published: Published, materialized: dict[str, dg.AssetMaterialization]
) -> None:
    for name in TABLES:
        frame = pl.read_parquet(published.fleet.table(name))
        shown = materialized[name].metadata
        assert shown["dagster/partition_row_count"].value == frame.height
        assert shown["dagster/uri"].value == published.fleet.table(name).as_uri()
        columns = shown["dagster/column_schema"].value
        assert isinstance(columns, dg.TableSchema)
        assert [(c.name, c.type) for c in columns.columns] == [
            (column, str(dtype)) for column, dtype in frame.schema.items()
        ]
        head = str(shown["preview"].value).splitlines()[0]
        assert [cell.strip() for cell in head.strip("|").split("|")] == frame.columns


def test_every_column_is_explained_and_no_explanation_is_left_over(
    published: Published,
) -> None:
    schemas = {name: pl.read_parquet_schema(published.fleet.table(name)) for name in TABLES}
    schemas["usage_ledger"] = dict(USAGE)
    stated = published.fleet.home.site / "latest" / "tables"
    schemas |= {name: pl.read_parquet_schema(stated / f"{name}.parquet") for name in ROWS}
    unexplained = [
        f"{table}.{column}"
        for table, schema in schemas.items()
        for column in schema
        if not dictionary.meaning(table, column)
    ]
    assert unexplained == []
    used = {column for schema in schemas.values() for column in schema}
    assert set(dictionary.COLUMNS) <= used


def test_the_page_plots_the_numbers_that_decide(
    published: Published, materialized: dict[str, dg.AssetMaterialization]
) -> None:
    shown = materialized["routing_page"].metadata
    page = published.fleet.page("latest")
    usage, costs = page["usage"], page["costs"]
    assert isinstance(usage, dict) and isinstance(costs, dict)
    assert shown["full_input_tokens"].value == usage["claude"]["full_input_tokens"]
    assert shown["cache_read_share"].value == usage["claude"]["cache_read_share"]
    for scenario in costs["scenarios"]:
        dollars = shown[f"usd_{scenario['name']}"].value
        assert dollars == pytest.approx(scenario["cost_usd_micros"] / 1e6)
    assert shown["is_latest"].value is True
    assert "GLM 5.2" in str(shown["ranking"].value)


def test_the_ledger_counts_what_it_left_out(
    truth: DemoTruth, materialized: dict[str, dg.AssetMaterialization]
) -> None:
    shown = materialized["usage_ledger"].metadata
    assert shown["dagster/row_count"].value == truth.claude.requests + truth.codex.requests
    assert isinstance(shown["duplicates_not_counted"].value, int)
    assert shown["duplicates_not_counted"].value > 0


def test_publishing_the_same_week_again_changes_no_byte(fleet: Fleet) -> None:
    before = fleet.published()
    assert len(before) > 25
    again = fleet.run(CLOSE)
    assert again.success
    assert fleet.published() == before
    [page] = again.asset_materializations_for_node("routing_page")
    assert page.metadata["changed"].value is False


def test_damaged_tables_of_the_week_are_made_anew(fleet: Fleet) -> None:
    before = fleet.published()
    tables = [*(fleet.home.lake / "weekly").rglob("*.parquet")]
    assert len(tables) > 25
    for number, path in enumerate(tables):
        path.write_bytes((b"", b"PAR1 cut short", b"garbage" * 500)[number % 3])
    assert fleet.run(CLOSE).success
    assert fleet.published() == before


def test_a_missing_upstream_week_is_named_when_the_page_is_run_alone(fleet: Fleet) -> None:
    before = fleet.published()
    result = fleet.run(date(2026, 6, 10), ["routing_page"])
    assert not result.success
    [failure] = result.filter_events(lambda event: event.is_step_failure)
    assert "of the week from 2026-06-03 was never made" in str(failure.step_failure_data.error)
    assert fleet.published() == before
