"""The ``costs`` of ``page.json``: rows of the cost tables, laid out for the page.

Belongs here: choosing and naming figures. The arithmetic is in ``costing``: the naive estimate and
the mirage are parts of the expected scenario's own cost, so they cannot disagree with it.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, TypedDict

import polars as pl

from fleet_pipeline.org import CandidateModel, Org
from fleet_pipeline.publishing.page_data_replay import corners, replay

Record = dict[str, object]
# A row of a frame: polars does not type columns.
Row = Mapping[str, Any]
Tables = Mapping[str, pl.DataFrame]


class PriceRecord(TypedDict):
    """A price as the page shows it: USD per million tokens; None is unknown, never zero."""

    input_usd_per_mtok: float | None
    output_usd_per_mtok: float | None
    cache_read_usd_per_mtok: float | None
    is_free: bool
    source: str
    effective_from: date | None
    seen_on: date | None
    at: date


_EXPECTED = "expected"
_SUBSCRIPTION_CACHE = "as logged: reads, 5m and 1h writes at their own list prices"


def costs(org: Org, as_of: date, tables: Tables) -> Record:
    """Return the page's costs: scenarios, hot week, mirage, corners, replay, subscription value.

    Micro-dollars; null where the reference model has no known price, or no listed cache price.
    """
    scenarios = tables["cost_scenarios"]
    is_hot = pl.col("basis") == "hot_week"
    period, hot = scenarios.filter(~is_hot), scenarios.filter(is_hot)
    expected = _by_assumption(period, _EXPECTED)
    no_cache = expected["no_cache"]
    naive = _naive(no_cache)
    return {
        "reference_model": org.reference_model,
        "reference_model_name": org.reference.name,
        "basis": no_cache["basis"],
        "price": price_record(tables["prices"], org.reference) or _unknown_price(as_of),
        "hit_rate": expected["listed_cache_price"]["hit_rate"],
        "scenarios": _scenarios(period),
        "hot_week": _hot_week(hot, no_cache["basis_full_input_tokens"]),
        "naive": naive,
        "naive_usd_micros": naive["cost_usd_micros"],
        "mirage": _mirage(**expected),
        **corners(org, tables),
        "replay": replay(org, tables),
        "subscription": _subscription(tables["subscription_value"]),
    }


def price_record(prices: pl.DataFrame, model: CandidateModel) -> PriceRecord | None:
    """Return a candidate's price in force as floats (USD per million tokens), None if unknown.

    A zero price is only believed for a model that the org calls free: feeds have shown paid models
    at zero.
    """
    known = prices.filter(
        pl.col("provider") == model.price_provider,
        pl.col("model") == model.price_model,
        pl.col("input_usd_per_mtok").is_not_null(),
    )
    if known.is_empty():
        return None
    row = known.row(0, named=True)
    if row["is_free"] and not model.free:
        return None
    return {
        "input_usd_per_mtok": _float(row["input_usd_per_mtok"]),
        "output_usd_per_mtok": _float(row["output_usd_per_mtok"]),
        "cache_read_usd_per_mtok": _float(row["cache_read_usd_per_mtok"]),
        "is_free": row["is_free"],
        "source": row["source"],
        "effective_from": row["effective_from"],
        "seen_on": row["seen_on"],
        "at": row["at"],
    }


def _unknown_price(as_of: date) -> PriceRecord:
    return {
        "input_usd_per_mtok": None,
        "output_usd_per_mtok": None,
        "cache_read_usd_per_mtok": None,
        "is_free": False,
        "source": "no known price",
        "effective_from": None,
        "seen_on": None,
        "at": as_of,
    }


def _float(price: Decimal | None) -> float | None:
    return None if price is None else float(price)


def _scenarios(rows: pl.DataFrame) -> list[Record]:
    names = rows["name"].unique(maintain_order=True)
    return [_scenario(**_by_assumption(rows, name)) for name in names]


def _by_assumption(rows: pl.DataFrame, name: str) -> dict[str, Row]:
    """Return the rows of one scenario and basis by their cache assumption."""
    of_name = rows.filter(pl.col("name") == name)
    return {row["cache_assumption"]: row for row in of_name.iter_rows(named=True)}


def _scenario(*, no_cache: Row, listed_cache_price: Row) -> Record:
    return {
        "name": no_cache["name"],
        "share": no_cache["share"],
        "requests": no_cache["requests"],
        "full_input_tokens": no_cache["full_input_tokens"],
        "output_tokens": no_cache["output_tokens"],
        "cost_usd_micros": no_cache["cost_usd_micros"],
        "cached_cost_usd_micros": listed_cache_price["cost_usd_micros"],
        "cache_assumption": "no_cache",
    }


def _hot_week(rows: pl.DataFrame, period_full_input_tokens: int) -> Record | None:
    if rows.is_empty():
        return None
    week = rows.row(0, named=True)
    return {
        "start": week["window_start"],
        "end": week["window_end"],
        "multiplier": week["basis_full_input_tokens"] / period_full_input_tokens,
        "full_input_tokens_per_month": week["basis_full_input_tokens"],
        "scenarios": _scenarios(rows),
    }


def _naive(no_cache: Row) -> Record:
    """Return what the share seems to cost when context that is sent again is forgotten."""
    return {
        "share": no_cache["share"],
        "cost_usd_micros": (
            None
            if no_cache["cost_usd_micros"] is None
            else no_cache["input_cost_usd_micros"] + no_cache["output_cost_usd_micros"]
        ),
        "input_tokens": no_cache["input_tokens"],
        "output_tokens": no_cache["output_tokens"],
    }


def _mirage(*, no_cache: Row, listed_cache_price: Row) -> list[Record]:
    """Return the expected share by class of token: where the tokens are, and where the money."""
    tokens = {
        "input": no_cache["input_tokens"],
        "cache_write": no_cache["cache_write_5m_tokens"] + no_cache["cache_write_1h_tokens"],
        "cache_read": no_cache["cache_read_tokens"],
        "output": no_cache["output_tokens"],
    }
    total = sum(tokens.values())
    return [
        {
            "class": name,
            "tokens": count,
            "share": count / total if total else None,
            "no_cache_usd_micros": no_cache[f"{name}_cost_usd_micros"],
            "cached_usd_micros": listed_cache_price[f"{name}_cost_usd_micros"],
        }
        for name, count in tokens.items()
    ]


def _subscription(values: pl.DataFrame) -> Record:
    """Return what the window's requests would have cost at list price; unscaled, as logged."""
    is_priced = pl.col("cost_usd_micros").is_not_null()
    priced = values.filter(is_priced)
    full_input, priced_input = (int(frame["full_input_tokens"].sum()) for frame in (values, priced))
    return {
        "api_equivalent_usd_micros": (
            None if priced.is_empty() else priced["cost_usd_micros"].sum()
        ),
        "priced_share": priced_input / full_input if full_input else None,
        "unpriced_models": values.filter(~is_priced)["model"].sort().to_list(),
        "by_model": list(
            values.select("model", "requests", "cost_usd_micros").iter_rows(named=True)
        ),
        "cache_assumption": _SUBSCRIPTION_CACHE,
    }
