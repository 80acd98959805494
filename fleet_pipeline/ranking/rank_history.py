"""The weekly table ``rank_history``: the places of this week beside those of the weeks before.

Each past place is computed anew from what was known when its week closed, for today's candidates in
today's curated order: no page depends on which pages were published before it.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

import polars as pl

from fleet_pipeline.ranking.model_ranking import placed

SCHEMA: Final = pl.Schema(
    {"close": pl.Date(), "scope": pl.String(), "model": pl.String(), "rank": pl.Int64()}
)
"""One row: the place of one candidate in one scope when one week closed."""


def rank_history(
    curated: Sequence[str],
    results: pl.DataFrame,
    observed: pl.DataFrame,
    closes: Sequence[date],
) -> pl.DataFrame:
    """Return the places of the ``curated`` models at each of ``closes``, the oldest first.

    ``results`` in the schema of ``probes.results``, ``observed`` in that of ``observations``.
    """
    rows = [
        {"close": close, "scope": scope, "model": place.evidence.model, "rank": place.rank}
        for close in closes
        for scope, found in placed(curated, results, observed, close).items()
        for place in found
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")
