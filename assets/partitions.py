"""The weeks of the graph: keyed by their opening Wednesday, published by their closing one."""

from datetime import UTC, date, datetime, time

import dagster as dg

from fleet_pipeline.weeks import FIRST_CLOSE, opening

weeks = dg.WeeklyPartitionsDefinition(
    start_date=datetime.combine(opening(FIRST_CLOSE), time(), UTC), day_offset=3
)


def close_of(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> date:
    """Return the Wednesday on which the week of a run closes."""
    end: datetime = context.partition_time_window.end
    return end.date()


def key_of(close: date) -> str:
    """Return the partition key of the week that closes at ``close``."""
    return opening(close).isoformat()


def close_of_key(key: str) -> date:
    """Return the close of the week whose partition key is ``key``."""
    return weeks.time_window_for_partition_key(key).end.date()
