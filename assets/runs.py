"""Running the graph without its interface: what ``fleet`` does, kept in the same instance."""

import builtins
import fcntl
import os
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Final

import dagster as dg

from assets.definitions import defs
from assets.partitions import key_of
from assets.schedules import weekly_sweep
from fleet_pipeline import errors
from fleet_pipeline.home import write_whole
from fleet_pipeline.settings import Settings
from fleet_pipeline.weeks import Outcome

_WRITTEN_BY_FLEET: Final = "# Written by fleet, which renews it; without this line it is yours.\n"
_ONLY_IN_A_CHECKOUT: Final = "# ---- Only in a checkout"


def publish_week(settings: Settings, close: date) -> Outcome:
    """Run the weekly job for the week that closes at ``close``; nothing is raised for a refusal."""
    with instance_of(settings) as instance:
        result = defs.resolve_job_def(weekly_sweep.name).execute_in_process(
            run_config=run_config(settings),
            partition_key=key_of(close),
            instance=instance,
            raise_on_error=False,
            tags={"fleet/as_of": close.isoformat()},
        )
    failed = [check for check in result.get_asset_check_evaluations() if not check.passed]
    refusing = [check for check in failed if check.severity is dg.AssetCheckSeverity.ERROR]
    says = {check.check_name: f"{check.check_name}: {check.description}" for check in failed}
    nothing = f"nothing was published for {close}: "
    refusals = [nothing + says[check.check_name] for check in refusing]
    if not result.success and not refusals:
        failures = [event for event in result.all_events if event.is_step_failure]
        # Without a failed step it is the run that failed, before its first one.
        failures = failures or [event for event in result.all_events if event.is_job_failure]
        reasons = map(_reason, failures)
        refusals = [nothing + reason.removeprefix(nothing) for reason in reasons]
    week = settings.home.site / "weeks" / close.isoformat()
    return Outcome(
        as_of=close.isoformat(),
        published=result.success,
        page=str(week / "index.html") if result.success else None,
        ranking=str(week / "cheap-model-offload-ranking.md") if result.success else None,
        run_id=result.run_id,
        warnings=[says[check.check_name] for check in failed if check not in refusing],
        refusals=refusals,
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
    """Return the instance that keeps this home's runs.

    One process at a time: two that open a new one at once both try to make its tables.
    """
    settings.home.prepare()
    folder = settings.home.dagster
    with (folder / ".opening").open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        _prepare_instance(folder)
        return dg.DagsterInstance.from_config(str(folder))


def _prepare_instance(folder: Path) -> None:
    """Put the instance's settings into ``folder``, which is a DAGSTER_HOME from then on.

    Older settings that fleet wrote are renewed; those of an operator, who has taken the first
    line away, stay.
    """
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
    target = folder / "dagster.yaml"
    if target.exists() and not target.read_text("utf-8").startswith(_WRITTEN_BY_FLEET):
        return
    shipped = files("assets").joinpath("dagster.yaml").read_text("utf-8")
    settings, _, _ = shipped.partition(_ONLY_IN_A_CHECKOUT)
    write_whole(target, f"{_WRITTEN_BY_FLEET}{settings}".encode())


def run_config(settings: Settings) -> dict[str, object]:
    """Return the configuration that binds a run to ``settings``; it is kept with the run."""
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
    """Return what the first of a chain of errors says, if it is one that was raised on purpose.

    Any other may quote what it stumbled over: of that only the kind and the step are told.
    """
    failure = event.step_failure_data if event.is_step_failure else event.job_failure_data
    error = failure.error
    while error is not None and error.cause is not None:
        error = error.cause
    if error is None:
        return event.message or f"{event.step_key or 'the run'} failed"
    if error.cls_name == dg.DagsterExecutionInterruptedError.__name__:
        raise KeyboardInterrupt
    name = error.cls_name or ""
    kind = getattr(errors, name, None) or getattr(builtins, name, None)
    if isinstance(kind, type) and issubclass(kind, errors.FleetError | OSError):
        return error.message.strip().partition(": ")[2]
    return f"{name} in {event.step_key or 'the run'}: this is a bug; `fleet ui` shows the run"
