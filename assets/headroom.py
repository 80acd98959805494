"""Stage 3: what is left of the windows that subscriptions limit, and what goes into them."""

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


@weekly(GROUP, sql="five_hour_blocks")
def five_hour_blocks(requests: pl.DataFrame, target_proxy: pl.DataFrame) -> pl.DataFrame:
    """Blocks of five hours: what the ledger saw in stretches as long as a five-hour window."""
    return windows.five_hour_blocks(requests, target_proxy)


@weekly(GROUP, deps=("transcript_evidence",))
def exchange_rates(
    context: dg.AssetExecutionContext, fleet: Fleet, requests: pl.DataFrame
) -> pl.DataFrame:
    """Exchange rates: what a token costs of each quota window, or why that cannot be known.

    One row: one token class of a window with a rate, or one window without.
    """
    readings = ledger.quota(fleet.settings().home)
    return windows.exchange_rates(readings, requests=requests, as_of=close_of(context))


assets = [headroom, five_hour_blocks, exchange_rates]
