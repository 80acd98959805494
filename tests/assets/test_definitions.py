"""What the graph consists of: a table of contents that may only change on purpose."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest

from assets.definitions import defs
from assets.partitions import key_of, weeks
from fleet_pipeline import quality, tables
from fleet_pipeline.publishing.provenance import LINEAGE
from fleet_pipeline.publishing.week import TABLES
from fleet_pipeline.weeks import FIRST_CLOSE

GROUPS = {
    "ingestion": {"transcripts", "transcript_evidence", "usage_ledger"},
    "policy": {"organisation"},
    "usage": {
        "requests",
        "window_coverage",
        "weekly_volumes",
        "usage_totals",
        "daily_usage",
        "agent_usage",
        "context_profile",
        "context_curve",
        "model_mix",
        "codex_usage",
        "reconciliation",
        "target_proxy",
    },
    "worktypes": {"turns", "task_mix", "eligible_share", "routing_policy"},
    "headroom": {"headroom", "five_hour_blocks", "exchange_rates"},
    "drift": {"realised", "agent_days", "hot_week_chance", "agent_weeks", "deciding_figures"},
    "sweep": {
        "price_feeds",
        "price_snapshots",
        "price_sources",
        "model_catalog",
        "free_quotas",
        "changes",
    },
    "ranking": {"probe_results", "quality_observations", "model_ranking", "rank_history"},
    "costing": {
        "price_list",
        "prices",
        "cost_scenarios",
        "context_fit",
        "cost_corners",
        "break_even",
        "offload_replay",
        "replay_routes",
        "replay_cuts",
        "subscription_room",
        "subscription_value",
        "model_contexts",
    },
    "quality": {"quality"},
    "publication": {"routing_page"},
}
NOT_MADE_HERE = {"transcripts", "organisation", "price_list", "price_feeds"}
IN_ONE_STEP = {
    "replay": {"offload_replay", "replay_routes", "replay_cuts"},
    "weeks_before": {"agent_weeks", "deciding_figures"},
}
"""Made of one pass over all requests."""
NOT_BY_WEEK = {"transcript_evidence", "usage_ledger", "price_snapshots"}
REFUSING = {
    ("usage_ledger", "requests_are_unique"),
    ("window_coverage", "window_holds_requests"),
    ("usage_totals", "ledger_has_not_shrunk"),
    ("agent_usage", "agents_add_up"),
    ("daily_usage", "days_add_up"),
    ("task_mix", "turns_add_up"),
    ("prices", "priced_models_have_prices"),
    ("replay_routes", "routes_add_up"),
    ("window_coverage", "silence_is_explained"),
    ("weekly_volumes", "volume_has_not_collapsed"),
    ("model_ranking", "ranking_is_complete"),
}
WARNING = {
    ("transcript_evidence", "quarantine_is_small"),
    ("transcript_evidence", "formats_are_known"),
    ("transcript_evidence", "replies_carry_usage"),
    ("usage_totals", "hosts_are_reporting"),
    ("window_coverage", "window_is_whole"),
    ("eligible_share", "targets_are_movable"),
    ("subscription_value", "used_models_have_prices"),
    ("reconciliation", "ledger_is_within_client_totals"),
    ("reconciliation", "transcripts_tell_nearly_all"),
    ("price_snapshots", "feeds_answer"),
    ("price_sources", "prices_are_fresh"),
    ("model_catalog", "candidates_are_listed"),
    ("free_quotas", "free_tiers_are_verified"),
    ("weekly_volumes", "volumes_are_usual"),
    ("daily_usage", "agents_are_heard_of"),
    ("model_contexts", "requests_fit_their_window"),
    ("routing_page", "published_bytes_are_listed"),
}
IN_THE_ASSET = {("transcript_evidence", "hosts_are_read")}
"""Told by the asset that it is about, as it is made: those of ``quality`` are told so too."""

SPECS = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
CHECKS = [spec for check in defs.asset_checks or [] for spec in check.check_specs]


def test_the_definitions_load_as_a_whole() -> None:
    dg.Definitions.validate_loadable(defs)


def test_loading_the_graph_prints_nothing_and_raises_no_warning() -> None:
    command = [sys.executable, "-W", "error", "-c", "import assets.definitions"]
    loading = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (loading.returncode, loading.stdout, loading.stderr) == (0, "", "")


def test_every_asset_is_there_under_the_stage_it_belongs_to() -> None:
    found: dict[str, set[str]] = {}
    for name, spec in SPECS.items():
        found.setdefault(spec.group_name or "", set()).add(name)
    assert found == GROUPS


def test_every_asset_is_described_and_owned_and_of_some_kind() -> None:
    for name, spec in SPECS.items():
        assert spec.description and spec.description.strip().endswith("."), name
        assert list(spec.owners) == ["team:analyst"], name
        assert 1 <= len(spec.kinds) <= 3, name


def test_every_asset_that_is_made_here_has_a_code_version() -> None:
    without = {name for name, spec in SPECS.items() if not spec.code_version}
    assert without == NOT_MADE_HERE


def test_a_table_from_sql_shows_its_statement_and_changes_version_with_it() -> None:
    shown = {name: spec for name, spec in SPECS.items() if "sql" in spec.metadata}
    assert set(shown) == (
        GROUPS["usage"]
        | {"turns", "task_mix", "headroom", "five_hour_blocks", "realised"}
        | {"cost_scenarios", "context_fit", "subscription_value", "model_contexts", "agent_weeks"}
    )
    for name, spec in shown.items():
        text = spec.metadata["sql"].value
        assert "select" in text and "-- One row:" in text, name
        assert "One row:" in str(spec.description), name
        assert str(spec.code_version).startswith("1-"), name
    versions = [spec.code_version for spec in shown.values()]
    assert len(set(versions)) == len(versions)


def test_weekly_tables_are_by_week_and_the_ledger_is_not() -> None:
    by_week = {name for name, spec in SPECS.items() if spec.partitions_def == weeks}
    assert by_week == SPECS.keys() - NOT_MADE_HERE - NOT_BY_WEEK


def test_the_checks_that_refuse_and_those_that_warn_are_these() -> None:
    found = {
        blocking: {(c.asset_key.to_user_string(), c.name) for c in CHECKS if c.blocking is blocking}
        for blocking in (True, False)
    }
    assert found == {True: REFUSING, False: WARNING}


def _told_by(asset: str) -> list[dg.AssetCheckSpec]:
    [made] = [each for each in defs.assets or [] if _makes(each, asset)]
    assert isinstance(made, dg.AssetsDefinition)
    return list(made.check_specs)


def _makes(made: object, asset: str) -> bool:
    return isinstance(made, dg.AssetsDefinition) and asset in _names(made)


def _names(made: dg.AssetsDefinition) -> set[str]:
    return {key.to_user_string() for key in made.keys}


def test_an_asset_tells_what_it_found_as_it_was_made() -> None:
    [told] = _told_by("transcript_evidence")
    assert ("transcript_evidence", told.name) in IN_THE_ASSET


def test_each_check_of_each_suite_stands_on_the_verdicts_and_refuses_if_it_is_an_error() -> None:
    expected = {
        check.name: check.severity == "error"
        for table in set(TABLES) - {"quality"}
        for check in quality.checks_of(table)
    }
    told = _told_by("quality")
    assert {spec.name: spec.blocking for spec in told} == expected
    assert len(told) == len(expected) > 70
    assert all(spec.description for spec in told)


def test_every_check_says_why_it_matters() -> None:
    assert all(check.description and len(check.description) > 40 for check in CHECKS)


def test_a_week_is_named_by_its_opening_wednesday_and_published_by_its_closing_one() -> None:
    assert weeks.get_first_partition_key() == key_of(FIRST_CLOSE) == "2025-01-01"
    assert key_of(date(2026, 6, 17)) == "2026-06-10"
    assert weeks.time_window_for_partition_key("2026-06-10").end.date() == date(2026, 6, 17)


@pytest.mark.parametrize(
    ("schedule", "cron", "job", "status"),
    [
        ("nightly_ingest", "30 3 * * *", "nightly_ingest_job", "RUNNING"),
        ("wednesday_sweep", "0 6 * * 3", "weekly_sweep_job", "RUNNING"),
        ("daily_probes", "30 4 * * *", "daily_probes_job", "STOPPED"),
    ],
)
def test_schedules_run_in_utc_and_by_default_but_for_the_one_that_sends_packets(
    schedule: str, cron: str, job: str, status: str
) -> None:
    found = defs.resolve_schedule_def(schedule)
    assert found.cron_schedule == cron
    assert found.execution_timezone == "UTC"
    assert found.job_name == job
    assert found.default_status is dg.DefaultScheduleStatus[status]
    names = {schedule.name for schedule in defs.get_repository_def().schedule_defs}
    assert names == {"nightly_ingest", "wednesday_sweep", "daily_probes"}


def _requests_at(schedule: str, moment: datetime) -> list[dg.RunRequest]:
    repository = defs.get_repository_def()
    context = dg.build_schedule_context(scheduled_execution_time=moment, repository_def=repository)
    return list(defs.resolve_schedule_def(schedule).evaluate_tick(context).run_requests or [])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # inside Dagster's own schedule
def test_on_wednesday_the_week_that_has_just_closed_is_asked_for() -> None:
    [request] = _requests_at("wednesday_sweep", datetime(2026, 6, 17, 6, tzinfo=UTC))
    assert request.partition_key == "2026-06-10"


def test_at_night_transcripts_are_read_and_feeds_are_asked() -> None:
    [request] = _requests_at("nightly_ingest", datetime(2026, 6, 18, 3, 30, tzinfo=UTC))
    assert request.partition_key is None
    checks = {
        "transcript_evidence_quarantine_is_small",
        "transcript_evidence_formats_are_known",
        "transcript_evidence_replies_carry_usage",
        "usage_ledger_requests_are_unique",
        "price_snapshots_feeds_answer",
    }
    assert _steps("nightly_ingest_job") == NOT_BY_WEEK | checks


def test_the_weekly_job_makes_everything_and_asks_every_check() -> None:
    checks = {f"{asset}_{check}" for asset, check in REFUSING | WARNING}
    tables = SPECS.keys() - NOT_MADE_HERE - set().union(*IN_ONE_STEP.values())
    assert _steps("weekly_sweep_job") == tables | IN_ONE_STEP.keys() | checks


def _steps(job: str) -> set[str]:
    return {node.name for node in defs.resolve_job_def(job).nodes}


def test_the_page_is_due_on_wednesday_at_nine() -> None:
    policy = SPECS["routing_page"].freshness_policy
    assert policy == dg.FreshnessPolicy.cron("0 9 * * 3", timedelta(hours=3), "UTC")
    assert [name for name, spec in SPECS.items() if spec.freshness_policy] == ["routing_page"]


def test_what_asks_feeds_or_reads_what_they_said_is_retried_and_nothing_else() -> None:
    made = [asset for asset in defs.assets or [] if isinstance(asset, dg.AssetsDefinition)]
    assert {name for asset in made for name in _names(asset)} == SPECS.keys() - NOT_MADE_HERE
    retried = {name for asset in made if asset.op.retry_policy for name in _names(asset)}
    assert retried == (GROUPS["sweep"] - NOT_MADE_HERE) | {"prices"}


def test_what_a_page_says_its_tables_are_made_of_is_what_the_graph_makes_them_of() -> None:
    """Add a new table to LINEAGE in fleet_pipeline/publishing/provenance.py."""
    graph = defs.resolve_asset_graph()
    made = {
        name: {key.path[-1] for key in graph.get(dg.AssetKey(name)).parent_keys} for name in TABLES
    }
    assert {name: set(LINEAGE[name].of) for name in TABLES} == made
    for name, how in LINEAGE.items():
        shown = graph.get(dg.AssetKey(name)).metadata.get("sql")
        assert (shown is None) is (how.sql is None)
        if shown is not None and how.sql is not None:
            assert tables.statement(how.sql) in str(shown.value)
