"""Running the graph without its interface: what ``fleet`` does, kept in the same instance."""

import os
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import TypedDict

import dagster as dg

from assets.definitions import defs
from assets.partitions import key_of
from assets.schedules import weekly_sweep
from fleet_pipeline.home import write_whole
from fleet_pipeline.settings import Settings


class Outcome(TypedDict):
    """What became of a week: where its page is, or why there is none."""

    as_of: str
    published: bool
    page: str | None
    ranking: str | None
    run_id: str
    warnings: list[str]
    refusals: list[str]


def publish_week(settings: Settings, close: date) -> Outcome:
    """Run the weekly job for the week that closes at ``close``; nothing is raised for a refusal."""
    with instance_of(settings) as instance:
        result = defs.resolve_job_def(weekly_sweep.name).execute_in_process(
            run_config=_run_config(settings),
            partition_key=key_of(close),
            instance=instance,
            raise_on_error=False,
            tags={"fleet/as_of": close.isoformat()},
        )
    failed = [check for check in result.get_asset_check_evaluations() if not check.passed]
    refusing = [check for check in failed if check.severity is dg.AssetCheckSeverity.ERROR]
    says = {check.check_name: f"{check.check_name}: {check.description}" for check in failed}
    refusals = [says[check.check_name] for check in refusing]
    if not result.success and not refusals:
        refusals = [_reason(event) for event in result.filter_events(lambda e: e.is_step_failure)]
    week = settings.home.site / "weeks" / close.isoformat()
    return Outcome(
        as_of=close.isoformat(),
        published=result.success,
        page=str(week / "index.html") if result.success else None,
        ranking=str(week / "cheap-model-offload-ranking.md") if result.success else None,
        run_id=result.run_id,
        warnings=[says[check.check_name] for check in failed if check not in refusing],
        refusals=[f"nothing was published for {close}: {refusal}" for refusal in refusals],
    )


def environment(settings: Settings) -> dict[str, str]:
    """Return the variables with which Dagster's own commands work on the same home."""
    _prepare_instance(settings.home.dagster)
    return {
        "DAGSTER_HOME": str(settings.home.dagster),
        "FLEET_HOME": str(settings.home.root),
        "FLEET_ORG": str(settings.org_folder),
    }


def instance_of(settings: Settings) -> dg.DagsterInstance:
    """Return the instance that keeps this home's runs."""
    _prepare_instance(settings.home.dagster)
    return dg.DagsterInstance.from_config(str(settings.home.dagster))


def _prepare_instance(folder: Path) -> None:
    checkout = Path("dagster.yaml")
    packaged = files("assets").joinpath("dagster.yaml")
    source = checkout if checkout.is_file() else packaged
    if not (folder / "dagster.yaml").exists():
        write_whole(folder / "dagster.yaml", source.read_bytes())
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")


def _run_config(settings: Settings) -> dict[str, object]:
    fleet = {
        "home": str(settings.home.root),
        "org": str(settings.org_folder),
        "claude": [str(folder) for folder in settings.claude],
        "codex": [str(folder) for folder in settings.codex],
    }
    return {
        "resources": {"fleet": {"config": fleet}},
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }


def _reason(event: dg.DagsterEvent) -> str:
    error = event.step_failure_data.error
    while error is not None and error.cause is not None:
        error = error.cause
    return error.message.strip() if error is not None else f"step {event.step_key} failed"
