"""When the graph runs by itself: each night for the transcripts, each Wednesday for the page.

And each morning for the probes, once an operator has turned that on: it sends packets.
"""

import dagster as dg

from assets import ingestion, ranking, sweep

ingest = dg.define_asset_job(
    "nightly_ingest_job",
    selection=dg.AssetSelection.groups(ingestion.GROUP)
    | dg.AssetSelection.assets(sweep.price_snapshots),
    description="Reads what is new in the transcripts; asks the price feeds.",
)

weekly_sweep = dg.define_asset_job(
    "weekly_sweep_job",
    selection=dg.AssetSelection.all(),
    description="Reads what is new, makes the week's tables, publishes the page.",
)

nightly_ingest = dg.ScheduleDefinition(
    name="nightly_ingest",
    job=ingest,
    cron_schedule="30 3 * * *",
    execution_timezone="UTC",
    description="Each night at 03:30 UTC: transcripts are deleted after 30 days, prices overnight.",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)

wednesday_sweep = dg.build_schedule_from_partitioned_job(
    weekly_sweep,
    name="wednesday_sweep",
    hour_of_day=6,
    description="Publishes the week that has just closed, each Wednesday at 06:00 UTC.",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)

daily_probes = dg.ScheduleDefinition(
    name="daily_probes",
    job=ranking.daily_probes_job,
    cron_schedule="30 4 * * *",
    execution_timezone="UTC",
    description="Each day at 04:30 UTC, where it is turned on: asks the probes that are due.",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)

jobs = [ingest, weekly_sweep]
schedules = [nightly_ingest, wednesday_sweep, daily_probes]
