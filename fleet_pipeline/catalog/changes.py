"""What changed from one week's close to the next: models, prices, places, quotas, policies.

Pure, but for ``known_at``: each close is looked at with what was known by then, so that what a week
says of itself never changes afterwards.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, Literal

import polars as pl

from fleet_pipeline.catalog import readings
from fleet_pipeline.home import Home
from fleet_pipeline.org import Org, priced_models
from fleet_pipeline.pricing import ModelPrice, PriceBook, snapshots
from fleet_pipeline.pricing.feeds import openrouter
from fleet_pipeline.pricing.price_ledger import price_ledger

Kind = Literal["repriced", "held", "place", "new", "gone", "retires", "quota", "policy"]

_ORDER: Final[tuple[Kind, ...]] = (
    "held", "repriced", "place", "gone", "new", "retires", "quota", "policy",
)  # fmt: skip
_POLICY: Final = {"training_use"}
_PRICES: Final = {
    "input": "input_usd_per_mtok",
    "output": "output_usd_per_mtok",
    "cache read": "cache_read_usd_per_mtok",
}

SCHEMA: Final = pl.Schema(
    {
        "kind": pl.String(),
        "subject": pl.String(),
        "field": pl.String(),
        "before": pl.String(),
        "after": pl.String(),
        "on": pl.Date(),
        "source": pl.String(),
        "is_candidate": pl.Boolean(),
    }
)
"""One row: one field of one subject that was another at the close before; null where unknown."""
KEY: Final = ("kind", "subject", "field", "source")

Row = dict[str, object]
Key = tuple[str, str]


@dataclass(frozen=True)
class Known:
    """What was known when a week closed."""

    close: date
    book: PriceBook
    observations: pl.DataFrame
    free_apis: pl.DataFrame

    def listed(self) -> dict[Key, Row]:
        """Return OpenRouter's list as it was last heard, by provider and model."""
        own = self.observations.filter(pl.col("source") == openrouter.SOURCE)
        last = own.filter(pl.col("observed_at") == pl.col("observed_at").max())
        return {(row["provider"], row["model"]): row for row in last.iter_rows(named=True)}

    def price(self, key: Key) -> ModelPrice | None:
        """Return the price in force at the close."""
        return self.book.find(*key, self.close)


def known_at(home: Home, close: date) -> Known:
    """Return what a home knew when a week closed."""
    observations = snapshots.observations(home, close)
    return Known(
        close=close,
        book=PriceBook(price_ledger(observations)),
        observations=observations,
        free_apis=readings.newest(home, "free_apis", close),
    )


def changes(org: Org, before: Known, after: Known, places: pl.DataFrame) -> pl.DataFrame:
    """Return the weekly table ``changes`` in ``SCHEMA``, in a total order.

    Models that only one of two lists has are told where both lists are known. ``places`` is the
    weekly table ``model_ranking`` of the later close: it knows each place at the close before, and
    says why it is another.
    """
    names = {(model.price_provider, model.price_model): model.id for model in org.models}
    keys = sorted({*priced_models(org), *before.listed(), *after.listed()})
    rows = [
        *(row for key in keys for row in _repriced(key, before, after)),
        *(row for key in priced_models(org) for row in _held(key, before, after)),
        *_came_and_went(before, after),
        *_moved(places),
        *_free_tiers(before.free_apis, after.free_apis),
    ]
    for row in rows:
        key = row.pop("key", None)
        if isinstance(key, tuple):
            row["subject"] = names.get(key, key[1])
            row["is_candidate"] = key in names
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    # Of prices that one feed says and nobody believes, the last of the week; of a candidate and a
    # listed model of the same name, the candidate.
    newest = frame.sort(pl.all().exclude("on", "is_candidate"), nulls_last=True).sort(
        "is_candidate", "on", descending=True, nulls_last=True, maintain_order=True
    )
    told = newest.unique(KEY, keep="first", maintain_order=True)
    order = pl.col("kind").replace_strict({kind: place for place, kind in enumerate(_ORDER)})
    return told.sort(order, *KEY[1:], nulls_last=True)


def _repriced(key: Key, before: Known, after: Known) -> Iterator[Row]:
    old, new = before.price(key), after.price(key)
    if old is None or new is None:
        return
    for field, column in _PRICES.items():
        was, now = getattr(old, column), getattr(new, column)
        if was != now:
            yield {
                "key": key,
                "kind": "repriced",
                "field": field,
                "before": _usd(was),
                "after": _usd(now),
                "on": new.effective_from,
                "source": new.source,
            }


def _held(key: Key, before: Known, after: Known) -> Iterator[Row]:
    """Yield what a feed said of a candidate within the week and was not believed."""
    for row in after.book.periods(*key):
        seen = row["first_seen"].date()
        if not row["believed"] and before.close <= seen < after.close:
            yield {
                "key": key,
                "kind": "held",
                "field": str(row["reason"]),
                "before": None,
                "after": f"{_usd(row['input_usd_per_mtok'])} in, "
                f"{_usd(row['output_usd_per_mtok'])} out",
                "on": seen,
                "source": row["source"],
            }


def _came_and_went(before: Known, after: Known) -> Iterator[Row]:
    old, new = before.listed(), after.listed()
    if not old or not new:
        return
    for key in sorted(old.keys() | new.keys()):
        told: Row = {"key": key, "field": "list", "source": openrouter.SOURCE}
        if key not in old:
            yield {**told, "kind": "new", "after": "listed"}
        elif key not in new:
            yield {**told, "kind": "gone", "before": "listed"}
        elif old[key]["retires_on"] != new[key]["retires_on"]:
            was, now = old[key]["retires_on"], new[key]["retires_on"]
            yield {
                **told,
                "kind": "retires",
                "field": "retires_on",
                "before": was and str(was),
                "after": now and str(now),
            }


def _moved(places: pl.DataFrame) -> Iterator[Row]:
    """Yield places over all kinds of work; those of each kind stand in the ranking alone."""
    moved = places.filter(pl.col("scope") == "overall", pl.col("rank") != pl.col("previous_rank"))
    for model, was, now in moved.select("model", "previous_rank", "rank").iter_rows():
        yield {
            "kind": "place",
            "subject": model,
            "field": "overall",
            "before": str(was),
            "after": str(now),
            "source": "model_ranking",
            "is_candidate": True,
        }


def _free_tiers(before: pl.DataFrame, after: pl.DataFrame) -> Iterator[Row]:
    if before.is_empty():
        return
    old, new = _fields(before), _fields(after)
    for provider, field in sorted(old.keys() | new.keys()):
        was, now = old.get((provider, field)), new.get((provider, field))
        if was != now:
            yield {
                "kind": "policy" if field in _POLICY else "quota",
                "subject": provider,
                "field": field,
                "before": was,
                "after": now,
                "is_candidate": False,
            }


def _fields(noted: pl.DataFrame) -> Mapping[tuple[str, str], str | None]:
    rows = noted.select("provider", "field", "value").iter_rows()
    return {(provider, field): value for provider, field, value in rows}


def _usd(price: Decimal | None) -> str | None:
    return None if price is None else f"{price.normalize():f}"
