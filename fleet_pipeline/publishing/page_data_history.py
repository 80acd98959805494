"""What the page says of the weeks before: the deciding figures then, and what changed since.

Belongs here: differences of figures that the tables hold side by side. A difference is null where
one side is not known, or where a week is not whole: it would tell of missing days, not of change.
"""

from collections.abc import Mapping
from datetime import date, timedelta

import polars as pl

from fleet_pipeline.publishing.changelog import is_told

Record = dict[str, object]
Tables = Mapping[str, pl.DataFrame]

_WEEK = timedelta(days=7)
_COMPARED = (
    "full_input_tokens",
    "target_tokens",
    "target_share",
    "cost_usd_micros",
    "cached_cost_usd_micros",
    "codex_week_remaining_share",
)


def history(tables: Tables, as_of: date) -> Record:
    """Return ``past_weeks``, ``agent_weeks`` and ``since_last_week`` of ``page.json``.

    Differences are now less then, in the unit of the figure. Costs are compared where both are
    for a month: scaled windows of a month stand beside each other whatever they cover.
    """
    weeks = {row["close"]: row for row in tables["deciding_figures"].iter_rows(named=True)}
    now, before = weeks.get(as_of), weeks.get(as_of - _WEEK)
    told = [row for row in tables["changes"].iter_rows(named=True) if is_told(row)]
    return {
        "past_weeks": list(weeks.values()),
        "agent_weeks": tables["agent_weeks"].rows(named=True),
        "since_last_week": {
            "close": as_of - _WEEK,
            "days_covered": before["days_covered"] if before else None,
            **{name: _difference(now, before, name) for name in _COMPARED},
            "changes": len(told),
            "new_models": sum(row["kind"] == "new" for row in told),
        },
    }


def week_change(agent_weeks: pl.DataFrame, as_of: date, agent: object) -> Record:
    """Return an agent's full input in the last seven days and its change against those before."""
    weeks = {
        row["week_start"]: row
        for row in agent_weeks.filter(pl.col("agent") == agent).iter_rows(named=True)
    }
    now, before = weeks.get(as_of - _WEEK), weeks.get(as_of - 2 * _WEEK)
    change = None
    if now and before and now["days_covered"] == before["days_covered"] == 7:
        then = before["full_input_tokens"]
        change = now["full_input_tokens"] / then - 1 if then else None
    return {"week_tokens": now["full_input_tokens"] if now else None, "week_change_share": change}


def _difference(now: Record | None, before: Record | None, name: str) -> float | int | None:
    if now is None or before is None:
        return None
    if name in ("full_input_tokens", "target_tokens"):
        comparable = now["days_covered"] == before["days_covered"]
    else:
        comparable = now["basis"] == before["basis"] == "month"
    then, today = before[name], now[name]
    if not comparable or not isinstance(then, int | float) or not isinstance(today, int | float):
        return None
    return today - then
