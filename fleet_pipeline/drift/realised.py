"""Each of the last weeks against the plan that stood when it began.

A week's plan is the target shares and the routing matrix of the Wednesday on which it began. They
are read from the weekly tables of that time, so that a changed policy never changes what a past
week was held against; today's policy stands in only where no tables were made then.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

import polars as pl

from fleet_pipeline import tables
from fleet_pipeline.home import Home
from fleet_pipeline.ledger.store import read_frame
from fleet_pipeline.weeks import opening

WEEKS: Final = 4
"""As many whole weeks as a window of 30 days holds."""

_WEEK: Final = timedelta(days=7)
_TARGETS: Final = pl.Schema({"agent": pl.String(), "target_share": pl.Float64()})
_ROUTES: Final = pl.Schema(
    {"agent": pl.String(), "kind": pl.String(), "leaves_claude": pl.Boolean()}
)

Plans = tuple[pl.DataFrame, pl.DataFrame]
"""Targets and routes, each with the ``week_start`` that they stood at the beginning of."""


def plans_before(home: Home, close: date, *, targets: pl.DataFrame, routes: pl.DataFrame) -> Plans:
    """Return the targets and the routes that stood at the beginning of each of the last weeks.

    They are those of the weekly tables made for the Wednesday of ``week_start``. Where none were
    made, today's ``targets`` and ``routes`` stand in: a history that is published late is the
    same in whatever order its weeks are made. Raises SourceError for a damaged table.
    """
    starts = [close - _WEEK * number for number in range(1, WEEKS + 1)]
    return (
        _published(home, "target_proxy", targets.select(_TARGETS.names()), starts),
        _published(home, "routing_policy", routes.select(_ROUTES.names()), starts),
    )


def realised(
    requests: pl.DataFrame, turns: pl.DataFrame, plans: Plans, *, close: date
) -> pl.DataFrame:
    """Return one row for each of the last weeks, the oldest first; see ``sql/realised.sql``."""
    targets, routes = plans
    starts = [close - _WEEK * number for number in range(WEEKS, 0, -1)]
    return tables.run(
        "realised",
        weeks=pl.DataFrame({"week_start": starts}, schema={"week_start": pl.Date()}),
        requests=requests,
        turns=turns.drop("acts", "places"),
        targets=targets,
        routes=routes,
    )


def _published(home: Home, table: str, today: pl.DataFrame, starts: Iterable[date]) -> pl.DataFrame:
    folder = home.lake / "weekly" / table
    paths = {start: folder / f"{opening(start)}.parquet" for start in starts}
    return pl.concat(
        (read_frame(path, today.schema) if path.exists() else today).with_columns(
            week_start=pl.lit(start, pl.Date())
        )
        for start, path in paths.items()
    )
