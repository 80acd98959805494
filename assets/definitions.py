"""The code location: every asset, check, job, schedule and sensor, and what they need."""

import dagster as dg

from assets import (
    costing,
    drift,
    headroom,
    ingestion,
    publication,
    quality,
    ranking,
    schedules,
    sensors,
    sweep,
    usage,
    worktypes,
)
from assets.lake import ParquetLake
from assets.resources import Fleet

fleet = Fleet.configure_at_launch()

defs = dg.Definitions(
    assets=[
        *ingestion.assets,
        *usage.assets,
        *worktypes.assets,
        *headroom.assets,
        *drift.assets,
        *sweep.assets,
        *ranking.assets,
        *costing.assets,
        *quality.assets,
        *publication.assets,
    ],
    asset_checks=[
        *ingestion.checks,
        *usage.checks,
        *worktypes.checks,
        *sweep.checks,
        *ranking.checks,
        *costing.checks,
        *publication.checks,
    ],
    jobs=[*schedules.jobs, ranking.daily_probes_job],
    schedules=schedules.schedules,
    sensors=sensors.sensors,
    executor=dg.in_process_executor,
    resources={"fleet": fleet, "io_manager": ParquetLake(fleet=fleet)},
)
