"""How much of each agent's work may move: a share with its interval, beside what policy wants.

Belongs here: the share, its sampling interval, and what it says about a target. Which turns may
move is decided in ``turns``; the target is the operator's.
"""

import operator
from collections import Counter
from collections.abc import Mapping
from functools import reduce
from typing import Final

import polars as pl

from fleet_pipeline.costing.bootstrap import FEWEST_SESSIONS, middle_of, resampled_sums

WHOLE_FLEET: Final = ""
"""Stands in the place of an agent for the fleet as a whole."""


def eligible_share(turns: pl.DataFrame, targets: pl.DataFrame) -> pl.DataFrame:
    """Return, for each row of ``targets`` and the whole fleet first, the share that may move.

    Of Claude's full input, tokens: what sits in movable turns, what in turns of unknown kind.
    ``targets`` is the weekly table ``target_proxy``. The interval (2.5 to 97.5 %) is that of a
    bootstrap over sessions, those of each agent for themselves: turns of one session are alike, so
    that single turns or requests would make it several times too narrow. ``verdict`` is
    ``within``, ``exceeds`` (the target is above what may move), ``unclear`` (it is above, but not
    beyond the interval or the turns whose kind is not known), ``no_target`` or ``no_usage``.
    """
    known = set(targets["agent"])
    claude = turns.filter(pl.col("client") == "claude").with_columns(
        agent=pl.when(pl.col("agent").is_in(sorted(known)))
        .then("agent")
        .otherwise(pl.lit("unattributed"))
    )
    full = pl.col("full_input_tokens")
    sessions = (
        claude.group_by("agent", "host", "session_id")
        .agg(
            full=full.sum(),
            movable=full.filter(pl.col("is_movable")).sum(),
            unknown=full.filter(pl.col("kind") == "unknown").sum(),
        )
        .sort("agent", "host", "session_id")
    )
    sums = sessions.group_by("agent").agg(
        pl.len().cast(pl.Int64).alias("sessions"), pl.col("full", "movable", "unknown").sum()
    )
    whole = sums.sum().with_columns(agent=pl.lit(WHOLE_FLEET))
    used = {row["agent"]: row for row in pl.concat([whole, sums]).iter_rows(named=True)}
    between = intervals(sessions.select("agent", "full", "movable"))
    full_tokens = used[WHOLE_FLEET]["full"]
    wanted = int(targets["target_tokens"].sum()) / full_tokens if full_tokens else 0.0
    policy = [(WHOLE_FLEET, wanted), *targets.select("agent", "target_share").iter_rows()]
    rows = [_row(agent, used.get(agent, _NOTHING), between.get(agent), of) for agent, of in policy]
    return pl.DataFrame(rows, schema=_SCHEMA)


def intervals(sessions: pl.DataFrame) -> dict[str, tuple[float, float]]:
    """Return the 2.5th and 97.5th percentile of the movable share over resampled sessions.

    ``sessions`` have ``agent``, and ``full`` and ``movable`` input, tokens. By agent, and for the
    whole fleet; not where there are fewer than FEWEST_SESSIONS, or no input.
    """
    drawn = dict(resampled_sums(sessions, stratum="agent"))
    counts = Counter(sessions["agent"])
    if drawn:
        drawn[WHOLE_FLEET] = reduce(operator.add, drawn.values())
        counts[WHOLE_FLEET] = sessions.height
    return {
        agent: middle_of(sums.select((pl.col("movable") / pl.col("full")).fill_nan(0)).to_series())
        for agent, sums in drawn.items()
        if counts[agent] >= FEWEST_SESSIONS and sums["full"].sum()
    }


_NOTHING: Final = {"sessions": 0, "full": 0, "movable": 0, "unknown": 0}
_SCHEMA: Final = pl.Schema(
    {
        "agent": pl.String(),
        "sessions": pl.Int64(),
        "full_input_tokens": pl.Int64(),
        "movable_tokens": pl.Int64(),
        "unknown_tokens": pl.Int64(),
        "eligible_share": pl.Float64(),
        "eligible_low": pl.Float64(),
        "eligible_high": pl.Float64(),
        "unknown_share": pl.Float64(),
        "target_share": pl.Float64(),
        "verdict": pl.String(),
    }
)


def _row(
    agent: str,
    used: Mapping[str, int],
    interval: tuple[float, float] | None,
    target_share: float,
) -> dict[str, object]:
    full, movable, unknown = used["full"], used["movable"], used["unknown"]
    low, high = interval or (None, None)
    share = movable / full if full else None
    return {
        "agent": agent,
        "sessions": used["sessions"],
        "full_input_tokens": full,
        "movable_tokens": movable,
        "unknown_tokens": unknown,
        "eligible_share": share,
        "eligible_low": low,
        "eligible_high": high,
        "unknown_share": unknown / full if full else None,
        "target_share": target_share,
        "verdict": _verdict(share, high, unknown / full if full else 0.0, target_share),
    }


def _verdict(share: float | None, high: float | None, unknown: float, target: float) -> str:
    if share is None:
        return "no_usage"
    if not target:
        return "no_target"
    if target <= share:
        return "within"
    return "unclear" if target <= max(share, high or 0.0) + unknown else "exceeds"
