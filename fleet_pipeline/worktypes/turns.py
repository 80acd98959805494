"""Turns: what one prompt set off in one thread, put together from the requests that it took.

Belongs here: grouping requests, and where a turn's work may go. How its kind is told is in
``rules``; what share of an agent's work may move, in ``eligibility``.
"""

from datetime import timedelta
from typing import Final

import polars as pl

from fleet_pipeline import tables
from fleet_pipeline.org import BOUNDED, UNATTRIBUTED, Org, leaves_claude
from fleet_pipeline.worktypes.rules import classified, rules

PAUSE: Final = timedelta(minutes=30)
"""Where a log does not number its turns, a longer pause than this begins a new one."""


def turns(requests: pl.DataFrame, org: Org) -> pl.DataFrame:
    """Return one row for each turn of ``requests``, with its kind, its rule and its route.

    Tokens; times in UTC. Holds ids of sessions: never published. Sums over the rows of an agent
    are the sums over its requests.
    """
    metadata = requests.select("tools", "command_heads").unique().sort(pl.all())
    acts = [rules().acts_of(*row) for row in metadata.iter_rows()]
    grouped = tables.run(
        "turns",
        parameters={"pause_seconds": int(PAUSE.total_seconds())},
        requests=requests.with_row_index("place"),
        request_acts=metadata.with_columns(
            acts=pl.Series([names for names, _ in acts], dtype=pl.List(pl.String)),
            all_known=pl.Series([known for _, known in acts], dtype=pl.Boolean),
        ),
    )
    return _routed(classified(grouped, org), org)


def marked(requests: pl.DataFrame, turns: pl.DataFrame) -> pl.DataFrame:
    """Return ``requests`` with ``turn`` (a number), ``kind`` and ``movable``, those of its turn.

    ``turns`` were made of the same rows in the same order.
    """
    of_request = (
        turns.with_row_index("turn")
        .select(
            pl.col("turn").cast(pl.Int64), "kind", pl.col("is_movable").alias("movable"), "places"
        )
        .explode("places")
        .sort("places")
        .drop("places")
    )
    return pl.concat([requests, of_request], how="horizontal")


def routes(org: Org) -> pl.DataFrame:
    """Return the route of each kind of an agent's work that policy names: its row of the matrix.

    Columns agent, kind, task_type, driver, effort, target, leaves_claude.
    """
    rows = [
        (
            row.agent,
            kind,
            row.task_type,
            row.driver,
            row.effort,
            row.target,
            leaves_claude(row.driver),
        )
        for row in org.routing_matrix
        for kind in row.kinds
    ]
    names = ("agent", "kind", "task_type", "driver", "effort", "target")
    schema = pl.Schema(dict.fromkeys(names, pl.String()) | {"leaves_claude": pl.Boolean()})
    return pl.DataFrame(rows, schema=schema, orient="row").sort("agent", "kind")


def _routed(turns: pl.DataFrame, org: Org) -> pl.DataFrame:
    """Add the matrix row that a turn falls under, and whether policy lets it leave Claude.

    Only bounded work may leave. Where the matrix has a row for it, that row decides; where it has
    none, work of an agent that may touch patient data stays, as does work that no agent owns.
    """
    guarded = [agent.name for agent in org.agents if agent.privacy == "phi"]
    route = routes(org).select("agent", "kind", "task_type", "leaves_claude")
    by_default = ~pl.col("agent").is_in([*guarded, UNATTRIBUTED])
    return (
        turns.join(route, on=["agent", "kind"], how="left", maintain_order="left")
        .with_columns(
            is_movable=pl.col("kind").is_in(sorted(BOUNDED))
            & pl.coalesce("leaves_claude", by_default)
        )
        .drop("leaves_claude")
    )
