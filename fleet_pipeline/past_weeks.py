"""The weekly table ``deciding_figures``: those of this week beside those of the weeks before.

Each past week is made anew from the ledger, from the readings and from the prices that were known
when it closed, under today's policy. So a change since last week is a change of use or of price,
and no page depends on which pages were published before it, or in what order.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

import polars as pl

from fleet_pipeline import costing, tables
from fleet_pipeline import headroom as windows
from fleet_pipeline.org import Org, agents_table
from fleet_pipeline.pricing import ModelPrice
from fleet_pipeline.weeks import WINDOW, opening, window

WEEKS: Final = 8
_WEEK: Final = timedelta(days=7)
_EXPECTED: Final = "expected"
_CODEX_WEEK: Final = ("codex", 10_080)

_SCHEMA: Final = pl.Schema(
    {
        "close": pl.Date(),
        "days_covered": pl.Int64(),
        "full_input_tokens": pl.Int64(),
        "target_tokens": pl.Int64(),
        "target_share": pl.Float64(),
        "basis": pl.String(),
        "cost_usd_micros": pl.Int64(),
        "cached_cost_usd_micros": pl.Int64(),
        "codex_week_remaining_share": pl.Float64(),
    }
)


def span(close: date) -> tuple[date, date]:
    """Return the first day that any of the past weeks' windows holds, and ``close``."""
    return closes(close)[0] - WINDOW, close


def closes(close: date) -> list[date]:
    """Return the Wednesdays on which the past weeks closed, the oldest first, ``close`` last."""
    return [close - _WEEK * number for number in range(WEEKS - 1, -1, -1)]


def week_starts(close: date) -> list[date]:
    """Return the first days of the past weeks, the oldest first."""
    return [opening(each) for each in closes(close)]


def deciding_figures(
    requests: pl.DataFrame,
    readings: pl.DataFrame,
    org: Org,
    *,
    close: date,
    price_at: Callable[[date], ModelPrice | None],
) -> pl.DataFrame:
    """Return one row per week whose 30-day window holds any request, the oldest first.

    ``requests`` is the weekly table over ``span(close)``; ``readings`` are rows of ``lake/quota``;
    ``price_at`` gives the reference model's price as it was known at a close. Costs are those of
    the expected share, micro-dollars for ``basis``; null where refused. The share that remained of
    Codex's week is null unless its reading was fresh.
    """
    rows = [
        _row(of_window, readings, org, each, price_at(each))
        for each in closes(close)
        if not (of_window := requests.filter(pl.col("date").is_between(*_days(each)))).is_empty()
    ]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _days(close: date) -> tuple[date, date]:
    start, end = window(close)
    return start, end - timedelta(days=1)


def _row(
    requests: pl.DataFrame,
    readings: pl.DataFrame,
    org: Org,
    close: date,
    price: ModelPrice | None,
) -> dict[str, object]:
    agents = agents_table(org)
    usage = tables.run("agent_usage", requests=requests, agents=agents)
    targets = tables.run("target_proxy", agent_usage=usage, agents=agents)
    whole, moved = (int(targets[name].sum()) for name in ("full_input_tokens", "target_tokens"))
    start, end = window(close)
    scenarios = costing.cost_scenarios(
        requests,
        price=price,
        shares={s.name: s.share for s in org.scenarios if s.name == _EXPECTED},
        window_start=start,
        window_end=end,
    ).filter(pl.col("basis") != "hot_week")
    cost = dict(scenarios.select("cache_assumption", "cost_usd_micros").iter_rows())
    room = windows.headroom(readings, requests=requests, as_of=close)
    left = {
        (limit, minutes): share
        for limit, minutes, share in room.select(
            "limit_id", "window_minutes", "remaining_share"
        ).iter_rows()
    }
    return {
        "close": close,
        "days_covered": requests["date"].n_unique(),
        "full_input_tokens": whole,
        "target_tokens": moved,
        "target_share": moved / whole if whole else None,
        "basis": scenarios["basis"][0],
        "cost_usd_micros": cost["no_cache"],
        "cached_cost_usd_micros": cost["listed_cache_price"],
        "codex_week_remaining_share": left.get(_CODEX_WEEK),
    }
