"""Another policy beside today's: the same replay twice, and what differs.

Belongs here: pairing the two. What a policy leads to is in ``replay``, which the page shows too.
"""

from datetime import date
from typing import Final

import polars as pl

from fleet_pipeline.costing.policy import Policy
from fleet_pipeline.costing.replay import replay
from fleet_pipeline.pricing import EMBEDDED, PriceBook

COMPARED: Final = (
    "moved_requests",
    "moved_full_input_tokens",
    "too_large_requests",
    "cost_usd_micros",
    "stay_cost_usd_micros",
    "saving_usd_micros",
)


def compared(
    requests: pl.DataFrame,
    today: Policy,
    instead: Policy,
    *,
    window_start: date,
    window_end: date,
    book: PriceBook = EMBEDDED,
) -> pl.DataFrame:
    """Return one row per policy ('today', 'instead'), target and case: what ``replay`` says of it.

    Columns of ``offload_replay``, after ``policy`` and before ``change_*``, which is what 'instead'
    adds to today's row of the same target and case: null for today, where either is null, and for
    a target of one policy alone.
    """
    tables = {
        name: replay(
            requests, policy, window_start=window_start, window_end=window_end, book=book
        ).offload_replay
        for name, policy in (("today", today), ("instead", instead))
    }
    before = tables["today"].select("model", "name", *COMPARED)
    changed = tables["instead"].join(
        before, on=("model", "name"), how="left", suffix="_today", maintain_order="left"
    )
    changes = [(pl.col(c) - pl.col(f"{c}_today")).alias(f"change_{c}") for c in COMPARED]
    instead_rows = changed.with_columns(changes).drop(f"{c}_today" for c in COMPARED)
    return pl.concat(
        [
            tables["today"].select(pl.lit("today").alias("policy"), pl.all()),
            instead_rows.select(pl.lit("instead").alias("policy"), pl.all()),
        ],
        how="diagonal",
    )
