"""Candidates against the lists: which are there, since when, served by whom, with which limits.

Pure. Belongs here: the weekly tables ``model_catalog`` and ``price_sources``.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, Literal

import polars as pl

from fleet_pipeline.org import CandidateModel, Org
from fleet_pipeline.pricing import PriceBook, embedded
from fleet_pipeline.pricing.feeds import READERS

Row = dict[str, Any]

STALE_AFTER_DAYS: Final = 8
"""A week and a day: one sweep was missed."""
TOO_OLD_AFTER_DAYS: Final = 14
"""Prices move within a week: by then no ranking should be made of them."""

Age = Literal["fresh", "stale", "too old", "dated by itself"]

_CATALOG: Final = pl.Schema(
    {
        "model": pl.String(),
        "provider": pl.String(),
        "price_model": pl.String(),
        "status": pl.String(),
        "first_listed": pl.Date(),
        "last_listed": pl.Date(),
        "endpoints": pl.Int64(),
        "endpoints_up": pl.Int64(),
        "uptime_1d_share": pl.Float64(),
        "context_tokens": pl.Int64(),
        "max_output": pl.Int64(),
        "accepts_schema": pl.Boolean(),
        "retires_on": pl.Date(),
        "training_use": pl.String(),
    }
)
_SOURCES: Final = pl.Schema(
    {
        "source": pl.String(),
        "last_good": pl.Datetime("us", "UTC"),
        "age_days": pl.Int64(),
        "models": pl.Int64(),
        "held": pl.Int64(),
        "age": pl.String(),
    }
)


def price_sources(observations: pl.DataFrame, book: PriceBook, as_of: date) -> pl.DataFrame:
    """Return one row for each feed that was ever heard by ``as_of``, and one for the package.

    ``held``: models whose newest sighting is not believed. The package's prices are dated by
    themselves: they have no age.
    """
    close = datetime.combine(as_of, time(), UTC)
    rows: list[Row] = []
    for source in READERS:
        own = observations.filter(pl.col("source") == source)
        if own.is_empty():
            continue
        last = own["observed_at"].max()
        assert isinstance(last, datetime)
        days = max((close - last).days, 0)
        held = book.ledger.filter(
            ~pl.col("believed"), pl.col("source") == source, pl.col("last_seen") == last
        )
        rows.append(
            {
                "source": source,
                "last_good": last,
                "age_days": days,
                "models": own.filter(pl.col("observed_at") == last).height,
                "held": held.height,
                "age": age_of(days),
            }
        )
    rows.append({"source": embedded.SOURCE, "age": age_of(None)})
    return pl.DataFrame(rows, schema=_SOURCES, orient="row")


def age_of(days: int | None) -> Age:
    """Judge the age of what a feed said last; None for a source that dates its own prices."""
    if days is None:
        return "dated by itself"
    if days > TOO_OLD_AFTER_DAYS:
        return "too old"
    return "stale" if days > STALE_AFTER_DAYS else "fresh"


def model_catalog(
    org: Org, observations: pl.DataFrame, endpoints: pl.DataFrame, as_of: date
) -> pl.DataFrame:
    """Return one row for each candidate: listed or gone, served by whom, with which limits.

    ``status`` is 'listed', 'gone' (a feed listed it once, and no longer) or 'not known' (no feed
    was ever heard). Null where nobody said, and of ``endpoints`` where that is stale at ``as_of``:
    who was up then may be down.
    """
    since = datetime.combine(as_of, time(), UTC) - timedelta(days=STALE_AFTER_DAYS)
    endpoints = endpoints.filter(pl.col("observed_at") >= since)
    newest = {
        row["source"]: row["observed_at"]
        for row in observations.group_by("source").agg(pl.col("observed_at").max()).to_dicts()
    }
    rows = [_candidate(model, observations, newest, endpoints) for model in org.models]
    return pl.DataFrame(rows, schema=_CATALOG, orient="row")


def _candidate(
    model: CandidateModel, observations: pl.DataFrame, newest: Row, endpoints: pl.DataFrame
) -> Row:
    mine = (pl.col("provider") == model.price_provider) & (pl.col("model") == model.price_model)
    sightings = observations.filter(mine).sort("observed_at", "source")
    served = endpoints.filter(mine)
    last = sightings.to_dicts()[-1] if sightings.height else {}
    there = any(newest[row["source"]] == row["observed_at"] for row in [last] if row)
    return {
        "model": model.id,
        "provider": model.price_provider,
        "price_model": model.price_model,
        "status": "not known" if not last else "listed" if there else "gone",
        "first_listed": sightings["observed_at"].dt.date().min(),
        "last_listed": sightings["observed_at"].dt.date().max(),
        "endpoints": served.height or None,
        "endpoints_up": int(served["is_up"].sum()) if served.height else None,
        "uptime_1d_share": served["uptime_1d_share"].max(),
        "context_tokens": last.get("context_tokens") or model.context_tokens,
        "max_output": last.get("max_output"),
        "accepts_schema": last.get("accepts_schema"),
        "retires_on": last.get("retires_on"),
        "training_use": model.training_use,
    }
