"""Stage 3: what is left of the windows that subscriptions limit."""

import dagster as dg
import polars as pl

from assets.partitions import close_of
from assets.resources import Fleet
from assets.tables import weekly
from fleet_pipeline import headroom as windows
from fleet_pipeline import ledger

GROUP = "headroom"


@weekly(GROUP, sql="headroom", deps=("transcript_evidence",))
def headroom(
    context: dg.AssetExecutionContext, fleet: Fleet, requests: pl.DataFrame
) -> pl.DataFrame:
    """Headroom of each quota window at the week's close; unknown where nothing recent was read."""
    readings = ledger.quota(fleet.settings().home)
    return windows.headroom(readings, requests=requests, as_of=close_of(context))


assets = [headroom]
