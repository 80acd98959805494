"""The weekly table ``cost_scenarios``: what moving a share of Claude's work would cost.

Belongs here: bases (a month, a hot week), shares and cache assumptions. The formula for one of
them is in ``offload``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import polars as pl

from fleet_pipeline import tables
from fleet_pipeline.costing.offload import CacheAssumption, CostParts, cost_parts
from fleet_pipeline.costing.run_rate import hot_week, monthly_factor
from fleet_pipeline.costing.tokens import TokenClasses, round_half_up
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
    "input_cost_usd_micros": pl.Int64,
    "cache_write_cost_usd_micros": pl.Int64,
    "cache_read_cost_usd_micros": pl.Int64,
    "output_cost_usd_micros": pl.Int64,
    "cost_usd_micros": pl.Int64,
}


@dataclass(frozen=True, slots=True)
class _Day:
    """Claude's requests of one covered day that fall into one price tier of the target."""

    date: date
    above_tokens: int
    requests: int
    tokens: TokenClasses


@dataclass(frozen=True, slots=True)
class _Basis:
    """Days whose tokens stand for a period, and the factor that scales them to it."""

    name: str
    start: date
    end: date
    factor: Fraction
    days: list[_Day]

    @property
    def full_input_tokens(self) -> int:
        return round_half_up(sum(day.tokens.full_input_tokens for day in self.days) * self.factor)


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
    days = _days(requests, price)
    hit_rate = _hit_rate(days)
    rows = [
        _row(basis, name, Fraction(str(share)), assumption, hit_rate, price)
        for basis in _bases(days, window_start, window_end)
        for name, share in shares.items()
        for assumption in _ASSUMPTIONS
    ]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _days(requests: pl.DataFrame, price: ModelPrice | None) -> list[_Day]:
    starts = [0, *(tier.above_tokens for tier in (price.tiers if price else ()))]
    tiers = pl.DataFrame({"above_tokens": starts}, schema={"above_tokens": pl.Int64})
    frame = tables.run("offload_tokens", requests=requests, tiers=tiers)
    return [
        _Day(day, above_tokens, count, TokenClasses(*tokens))
        for day, above_tokens, count, *tokens in frame.iter_rows()
    ]


def _hit_rate(days: list[_Day]) -> Fraction | None:
    total = sum((day.tokens for day in days), TokenClasses())
    if total.full_input_tokens == 0:
        return None
    return Fraction(total.cache_read_tokens, total.full_input_tokens)


def _bases(days: list[_Day], window_start: date, window_end: date) -> list[_Basis]:
    full_input_by_day: dict[date, int] = {}
    for day in days:
        so_far = full_input_by_day.get(day.date, 0)
        full_input_by_day[day.date] = so_far + day.tokens.full_input_tokens
    factor = monthly_factor(len(full_input_by_day))
    if factor is None:
        return [_Basis("covered_days", window_start, window_end, Fraction(1), days)]
    month = _Basis("month", window_start, window_end, factor, days)
    week = hot_week(full_input_by_day)
    if week is None or week.full_input_tokens == 0:
        return [month]
    dates = {week.start + timedelta(days=n) for n in range((week.end - week.start).days)}
    hot_days = [day for day in days if day.date in dates]
    return [month, _Basis("hot_week", week.start, week.end, week.monthly_factor, hot_days)]


def _row(
    basis: _Basis,
    name: str,
    share: Fraction,
    assumption: CacheAssumption,
    hit_rate: Fraction | None,
    price: ModelPrice | None,
) -> dict[str, object]:
    by_tier: dict[int, TokenClasses] = {}
    for day in basis.days:
        by_tier[day.above_tokens] = by_tier.get(day.above_tokens, TokenClasses()) + day.tokens
    slices = {
        above_tokens: tokens.part(basis.factor * share)
        for above_tokens, tokens in sorted(by_tier.items())
    }
    moved = sum(slices.values(), TokenClasses())
    parts = None
    if price is not None:
        # A tier's price is that of any request just above its threshold.
        flat = [(tokens, price.for_context(above + 1)) for above, tokens in slices.items()]
        parts = cost_parts(flat, hit_rate=1, mode=assumption)
    return {
        "name": name,
        "cache_assumption": assumption,
        "basis": basis.name,
        "window_start": basis.start,
        "window_end": basis.end,
        "model": price and price.model,
        "share": float(share),
        "hit_rate": None if hit_rate is None or assumption == "no_cache" else float(hit_rate),
        "basis_full_input_tokens": basis.full_input_tokens,
        "requests": round_half_up(sum(day.requests for day in basis.days) * basis.factor * share),
        "full_input_tokens": moved.full_input_tokens,
        "input_tokens": moved.input_tokens,
        "cache_write_5m_tokens": moved.cache_write_5m_tokens,
        "cache_write_1h_tokens": moved.cache_write_1h_tokens,
        "cache_read_tokens": moved.cache_read_tokens,
        "output_tokens": moved.output_tokens,
        **_cost_columns(parts),
    }


def _cost_columns(parts: CostParts | None) -> dict[str, int]:
    """Return the cost columns; none of them, which leaves nulls, for a refused cost."""
    if parts is None:
        return {}
    return {
        "input_cost_usd_micros": parts.input_usd_micros,
        "cache_write_cost_usd_micros": parts.cache_write_usd_micros,
        "cache_read_cost_usd_micros": parts.cache_read_usd_micros,
        "output_cost_usd_micros": parts.output_usd_micros,
        "cost_usd_micros": parts.total_usd_micros,
    }
