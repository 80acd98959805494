"""How much of each agent's work may move: a share with its interval, beside what policy wants.

Belongs here: the share, its sampling interval, and what it says about a target. Which turns may
move is decided in ``turns``; the target is the operator's.
"""

import random
from collections.abc import Sequence
from typing import Final

import polars as pl

DRAWS: Final = 2_000
SEED: Final = 20_260_618
FEWEST_SESSIONS: Final = 5
"""With fewer sessions there is no interval: a handful says nothing about the spread."""

WHOLE_FLEET: Final = ""
"""Stands in the place of an agent for the fleet as a whole."""

_Sessions = Sequence[tuple[int, int]]


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
    strata: dict[str, _Sessions] = {
        agent: sessions.filter(pl.col("agent") == agent).select("movable", "full").rows()
        for agent in targets["agent"]
    }
    unknown = dict(sessions.group_by("agent").agg(pl.col("unknown").sum()).iter_rows())
    target_tokens = int(targets["target_tokens"].sum())
    full_tokens = sum(part for rows in strata.values() for _, part in rows)
    rows = [
        _row(
            WHOLE_FLEET,
            list(strata.values()),
            sum(unknown.values()),
            target_tokens / full_tokens if full_tokens else 0.0,
        )
    ]
    rows += [
        _row(agent, [strata[agent]], unknown.get(agent, 0), share)
        for agent, share in targets.select("agent", "target_share").iter_rows()
    ]
    return pl.DataFrame(rows, schema=_SCHEMA)


def interval(strata: Sequence[_Sessions], name: str) -> tuple[float, float] | None:
    """Return the 2.5th and 97.5th percentile of the movable share over resampled sessions.

    Each stratum is resampled for itself, with replacement, DRAWS times; the draws depend on SEED
    and ``name`` alone. None where there are fewer than FEWEST_SESSIONS, or no input.
    """
    if sum(map(len, strata)) < FEWEST_SESSIONS or not any(
        full for rows in strata for _, full in rows
    ):
        return None
    chance = random.Random(f"{SEED}/{name}")
    shares = []
    for _ in range(DRAWS):
        movable = full = 0
        for rows in strata:
            drawn = chance.choices(rows, k=len(rows)) if rows else []
            movable += sum(part for part, _ in drawn)
            full += sum(part for _, part in drawn)
        shares.append(movable / full if full else 0.0)
    shares.sort()
    return shares[round(0.025 * (DRAWS - 1))], shares[round(0.975 * (DRAWS - 1))]


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
    agent: str, strata: Sequence[_Sessions], unknown: int, target_share: float
) -> dict[str, object]:
    full = sum(part for rows in strata for _, part in rows)
    movable = sum(part for rows in strata for part, _ in rows)
    low, high = interval(strata, agent) or (None, None)
    share = movable / full if full else None
    return {
        "agent": agent,
        "sessions": sum(map(len, strata)),
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
