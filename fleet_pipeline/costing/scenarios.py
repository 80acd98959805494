"""The weekly table ``cost_scenarios``: what moving a share of Claude's work would cost.

Belongs here: bases (a month, a hot week), shares and cache assumptions. The formula for one of
them is in ``offload``.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction

import polars as pl

from fleet_pipeline.costing.basis import Basis, bases, days, hit_rate
from fleet_pipeline.costing.offload import (
    COST_COLUMNS,
    CacheAssumption,
    cost_columns,
    cost_parts,
)
from fleet_pipeline.costing.tokens import round_half_up
from fleet_pipeline.pricing import ModelPrice

_ASSUMPTIONS: tuple[CacheAssumption, ...] = ("no_cache", "listed_cache_price")

_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "name": pl.String,
    "cache_assumption": pl.String,
    "basis": pl.String,
    "window_start": pl.Date,
    "window_end": pl.Date,
    "model": pl.String,
    "share": pl.Float64,
    "hit_rate": pl.Float64,
    "basis_full_input_tokens": pl.Int64,
    "requests": pl.Int64,
    "full_input_tokens": pl.Int64,
    "input_tokens": pl.Int64,
    "cache_write_5m_tokens": pl.Int64,
    "cache_write_1h_tokens": pl.Int64,
    "cache_read_tokens": pl.Int64,
    "output_tokens": pl.Int64,
    **dict.fromkeys(COST_COLUMNS, pl.Int64),
}


def cost_scenarios(
    requests: pl.DataFrame,
    *,
    price: ModelPrice | None,
    shares: Mapping[str, Decimal | float],
    window_start: date,
    window_end: date,
) -> pl.DataFrame:
    """Return one row per basis, scenario and cache assumption for the target model ``price``.

    ``requests`` is the weekly table; ``shares`` maps a scenario's name to the share of Claude's
    tokens that moves. Basis 'month' scales the covered days to 30 and is 'covered_days', unscaled,
    below 14 of them; basis 'hot_week' scales the largest seven covered days in a row to 30 and is
    there only beside a month. ``share`` of every class moves, rounded to whole tokens per class
    and tier. ``hit_rate`` of 'listed_cache_price' is the fleet's own on Claude over the window.
    Costs are micro-dollars by the class the tokens had on Claude; their parts add up to
    ``cost_usd_micros``. A refused cost is null: no listed cache price, or no ``price`` at all.
    """
    covered = days(requests, price)
    own_rate = hit_rate(covered)
    rows = [
        _row(basis, name, Fraction(str(share)), assumption, own_rate, price)
        for basis in bases(covered, window_start, window_end)
        for name, share in shares.items()
        for assumption in _ASSUMPTIONS
    ]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _row(
    basis: Basis,
    name: str,
    share: Fraction,
    assumption: CacheAssumption,
    own_rate: Fraction | None,
    price: ModelPrice | None,
) -> dict[str, object]:
    moved = basis.moved(share)
    parts = None
    if price is not None:
        parts = cost_parts(basis.slices(share, price), hit_rate=1, mode=assumption)
    return {
        "name": name,
        "cache_assumption": assumption,
        "basis": basis.name,
        "window_start": basis.start,
        "window_end": basis.end,
        "model": price and price.model,
        "share": float(share),
        "hit_rate": None if own_rate is None or assumption == "no_cache" else float(own_rate),
        "basis_full_input_tokens": basis.full_input_tokens,
        "requests": round_half_up(basis.requests(share)),
        "full_input_tokens": moved.full_input_tokens,
        "input_tokens": moved.input_tokens,
        "cache_write_5m_tokens": moved.cache_write_5m_tokens,
        "cache_write_1h_tokens": moved.cache_write_1h_tokens,
        "cache_read_tokens": moved.cache_read_tokens,
        "output_tokens": moved.output_tokens,
        **cost_columns(parts),
    }
