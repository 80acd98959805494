"""Who is told when a run fails: those whom ``alerts`` in ``fleet.yaml`` names."""

from typing import Any

import dagster as dg

from assets.failures import refusals
from assets.partitions import close_of_key
from assets.resources import Fleet
from fleet_pipeline import alerts
from fleet_pipeline.errors import FleetError
from fleet_pipeline.org import fleet_file


@dg.run_failure_sensor(
    name="failures_are_told",
    description="Tells whom fleet.yaml names under alerts of each run that fails, and why.",
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
)
def failures_are_told(context: dg.RunFailureSensorContext) -> None:
    """Tell of a failed run once; what cannot be told is in the sensor's log, and stops nothing."""
    run = context.dagster_run
    key = run.tags.get("dagster/partition")
    close = close_of_key(key) if key else None
    logged = context.instance.all_logs(run.run_id)
    events = [entry.dagster_event for entry in logged if entry.dagster_event]
    try:
        reasons = refusals(events, close)
    except KeyboardInterrupt:
        reasons = ["the run was interrupted"]
    try:
        settings = _fleet_of(run).settings()
        org = fleet_file(settings.org_folder)
    except FleetError as error:
        context.log.error(f"nobody could be told: {error}")
        return
    told_of = alerts.Failure(
        fleet=org.name,
        job=run.job_name,
        run_id=run.run_id,
        close=close.isoformat() if close else None,
        reasons=tuple(reasons or [context.failure_event.message or "the run failed"]),
    )
    for untold in alerts.tell(org.alerts, told_of, settings.environment):
        context.log.warning(f"not told: {untold}")


def _fleet_of(run: dg.DagsterRun) -> Fleet:
    """Return the fleet that a run was for, without its transcripts: those may be what is missing.

    Not as a resource: that would be the home's writer, which a message need not be.
    """
    resources: Any = run.run_config.get("resources", {})
    given = resources.get("fleet", {}).get("config", {})
    return Fleet(home=given.get("home", ""), org=given.get("org", ""))


sensors = [failures_are_told]
