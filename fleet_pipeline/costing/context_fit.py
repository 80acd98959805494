"""The weekly table ``context_fit``: how much of Claude's work fits each candidate's window.

Belongs here: whose limits are asked about. What fits is decided in SQL.
"""

import polars as pl

from fleet_pipeline import tables
from fleet_pipeline.costing.policy import lane_of, limits_table, target_of
from fleet_pipeline.org import Org


def context_fit(requests: pl.DataFrame, org: Org) -> pl.DataFrame:
    """Return one row per candidate and subscription of ``org``: what of Claude's work fits.

    ``requests`` is the weekly table with the ``turn`` of each request.
    A prompt may fill the part of the window that the org's replay leaves it, else all of it, less
    the longest output. Null where a candidate's window is not known.
    """
    room = org.replay.room if org.replay else 1.0
    lanes = org.replay.subscriptions if org.replay else ()
    targets = (*map(target_of, org.models), *map(lane_of, lanes))
    return tables.run("context_fit", requests=requests, limits=limits_table(targets, room))
