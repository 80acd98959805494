"""The price ledger: which price of which source was in force from when, believed or held.

A pure function of the set of snapshots: not of the order in which they came, nor of how often.
Belongs here: snapshots to periods. Storing snapshots is in ``snapshots``, looking up in ``book``.
"""

from collections.abc import Mapping
from datetime import date
from itertools import groupby
from typing import Any, Final

import polars as pl

from fleet_pipeline.pricing import embedded, gates
from fleet_pipeline.pricing.model_price import PRICE_COLUMNS
from fleet_pipeline.pricing.observations import OFFER_COLUMNS, SCHEMA, tiers_of

_KEY: Final = ("provider", "model", "source")
_TIME: Final = pl.Datetime("us", "UTC")

LEDGER_SCHEMA: Final = pl.Schema(
    {
        **{
            name: kind
            for name, kind in SCHEMA.items()
            if name not in ("observed_at", "recorded_at")
        },
        "first_seen": _TIME,
        "last_seen": _TIME,
        "sightings": pl.Int64(),
        "believed": pl.Boolean(),
        "reason": pl.String(),
        "confirmed_by": pl.String(),
    }
)
"""One row: an unbroken period of one price of one model by one source, USD per million tokens.

``reason``: what spoke against it (null: nothing); ``confirmed_by``: what outweighed that.
"""

_ORDER: Final = (*_KEY, "first_seen", "last_seen")


def price_ledger(observations: pl.DataFrame) -> pl.DataFrame:
    """Return the ledger of ``observations``, whatever their order, in a total order.

    Held periods stay in it with their reason. A believed price that was covered by a held one for
    a while and came back unchanged is one period.
    """
    runs = _runs(observations)
    rows: list[dict[str, object]] = []
    for _, group in groupby(
        runs.iter_rows(named=True), key=lambda row: (row["provider"], row["model"])
    ):
        rows += _judged(list(group))
    return pl.DataFrame(rows, schema=LEDGER_SCHEMA, orient="row").sort(_ORDER)


def _runs(observations: pl.DataFrame) -> pl.DataFrame:
    """Return unbroken runs of equal offers, by provider, model, source and time."""
    content = [name for name in SCHEMA if name != "recorded_at"]
    rest = [name for name in content if name not in (*_KEY, "observed_at")]
    seen = observations.select(content).unique().sort([*_KEY, "observed_at", *rest])
    starts = pl.any_horizontal(
        pl.col(name).ne_missing(pl.col(name).shift()) for name in (*_KEY, *OFFER_COLUMNS)
    )
    return (
        seen.with_columns(run=starts.cum_sum())
        .group_by("run", maintain_order=True)
        .agg(
            *(pl.col(name).last() for name in (*_KEY, *rest)),
            first_seen=pl.col("observed_at").first(),
            last_seen=pl.col("observed_at").last(),
            sightings=pl.len().cast(pl.Int64),
        )
        .drop("run")
    )


def _judged(rows: list[dict[str, Any]]) -> list[dict[str, object]]:
    """Return the periods of one model: its runs with their verdicts, equal neighbours as one."""
    found = gates.verdicts([_run(row) for row in rows], _the_package)
    periods: list[dict[str, Any]] = []
    last_believed: dict[str, dict[str, Any]] = {}
    for row, verdict in zip(rows, found, strict=True):
        earlier = last_believed.get(row["source"])
        if verdict.believed and earlier is not None and _same_offer(earlier, row):
            same = {name: row[name] for name in row if name not in (*_KEY, "first_seen")}
            earlier.update(same, sightings=earlier["sightings"] + row["sightings"])
            continue
        period = {
            **row,
            "believed": verdict.believed,
            "reason": verdict.reason,
            "confirmed_by": verdict.confirmed_by,
        }
        periods.append(period)
        if verdict.believed:
            last_believed[row["source"]] = period
    return periods


def _same_offer(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    return all(one[name] == other[name] for name in OFFER_COLUMNS)


def _run(row: Mapping[str, Any]) -> gates.Run:
    writes = [row[column] for column in PRICE_COLUMNS[3:]]
    tiers = [getattr(tier, column) for tier in tiers_of(row["tiers"]) for column in PRICE_COLUMNS]
    return gates.Run(
        source=row["source"],
        provider=row["provider"],
        model=row["model"],
        prices=gates.Prices(
            row["input_usd_per_mtok"],
            row["output_usd_per_mtok"],
            row["cache_read_usd_per_mtok"],
            tuple(price for price in (*writes, *tiers) if price is not None),
        ),
        first_seen=row["first_seen"],
        last_seen=row["last_seen"],
    )


def _the_package(run: gates.Run) -> gates.Listed | None:
    """Return what the embedded price list states for the model of a run on its last day."""
    day: date = run.last_seen.date()
    price = embedded.find(run.provider, run.model, day)
    if price is None:
        return None
    stated = gates.Prices(
        price.input_usd_per_mtok, price.output_usd_per_mtok, price.cache_read_usd_per_mtok
    )
    return gates.Listed(embedded.SOURCE, stated)
