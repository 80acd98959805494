"""The weekly tables ``offload_replay``, ``replay_cuts`` and ``replay_routes``: moved work, priced.

Belongs here: running the policy over its targets and cases, and the sums. Which sessions move is
in ``routes``, what one target makes of a request in ``moving``, the interval in ``bootstrap``.
``requests`` is the weekly table with the ``turn``, ``kind`` and ``movable`` of each request.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from fractions import Fraction
from typing import Final, NamedTuple

import polars as pl

from fleet_pipeline.costing import bootstrap
from fleet_pipeline.costing.moving import PARTS, Outcome, bound_for
from fleet_pipeline.costing.offload import rounded_together
from fleet_pipeline.costing.policy import Policy
from fleet_pipeline.costing.routes import ROUTES
from fleet_pipeline.costing.run_rate import monthly_factor
from fleet_pipeline.costing.tokens import round_half_up
from fleet_pipeline.pricing import EMBEDDED, PriceBook

_SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "model": pl.String,
    "name": pl.String,
    "paid_by": pl.String,
    "basis": pl.String,
    "window_start": pl.Date,
    "window_end": pl.Date,
    "share": pl.Float64,
    "cache": pl.String,
    "requests": pl.Int64,
    "moved_requests": pl.Int64,
    "moved_sessions": pl.Int64,
    "moved_full_input_tokens": pl.Int64,
    "moved_share": pl.Float64,
    "too_large_requests": pl.Int64,
    "unpriced_requests": pl.Int64,
    "hit_tokens": pl.Int64,
    "hit_rate": pl.Float64,
    **{f"{part}_cost_usd_micros": pl.Int64 for part in PARTS},
    "cost_usd_micros": pl.Int64,
    "cost_low_usd_micros": pl.Int64,
    "cost_high_usd_micros": pl.Int64,
    "stay_cost_usd_micros": pl.Int64,
    "saving_usd_micros": pl.Int64,
    "draws": pl.Int64,
    "seed": pl.Int64,
}
_ROUTES_SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "model": pl.String,
    "route": pl.String,
    "requests": pl.Int64,
    "full_input_tokens": pl.Int64,
}
_COUNTS: Final = ("requests", "full_input_tokens", "moved_requests", "moved_full_input_tokens")
_AMOUNTS: Final = (*(f"{part}_cost_usd_micros" for part in PARTS), "stay_cost_usd_micros")
_CUTS_SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "model": pl.String,
    "cut": pl.String,
    "value": pl.String,
    **dict.fromkeys(_COUNTS, pl.Int64),
    **dict.fromkeys(_AMOUNTS, pl.Int64),
    "cost_usd_micros": pl.Int64,
    "saving_usd_micros": pl.Int64,
}


class Replay(NamedTuple):
    """The three tables of one replay, by their names as weekly tables."""

    offload_replay: pl.DataFrame
    replay_routes: pl.DataFrame
    replay_cuts: pl.DataFrame


def replay(
    requests: pl.DataFrame,
    policy: Policy | None,
    *,
    window_start: date,
    window_end: date,
    draws: int = bootstrap.DRAWS,
    seed: int = bootstrap.SEED,
    book: PriceBook = EMBEDDED,
) -> Replay:
    """Return what moved sessions would have cost, which routes requests take, and both in cuts.

    ``offload_replay`` has one row per target and case: the cost by part. Micro-dollars, tokens and
    requests, scaled to 30 days where at least 14 are covered (basis 'month', else
    'covered_days'); parts add up to ``cost_usd_micros``. ``cost_low`` and
    ``cost_high`` bound 95 % of ``draws`` resamplings of whole sessions within each agent: doubt
    from the sample alone, while the three cases show doubt from what is assumed; null with fewer
    than ``bootstrap.FEWEST_SESSIONS`` sessions.
    ``stay_cost`` is the same moved requests on Claude, with its cache, at list price, and
    ``saving`` what is left of it. ``paid_by`` says whether the target bills 'tokens' or a
    'subscription' pays: its cost is then what the same model asks over an API, and ``share`` is
    null where each agent has its own. Null where a price that a moved request needs is unknown.

    ``replay_routes`` has one row per target and route of the expected case: requests and their
    full input, unscaled. The routes of a target partition Claude's requests: 'moved'; 'not_chosen'
    by the share; 'not_movable' for the kind of their work; 'private' and 'unattributed' sessions;
    'too_large' for the window or the output cap; 'unpriced' on their day.

    ``replay_cuts`` has one row per target, cut ('agent', 'kind') and value: what moves, costs and
    saves in the expected case. Those of one cut add up to the row of ``offload_replay`` in every
    column, whatever stays and what no rule maps among them; scaled and null as there.

    No rows without a policy.
    """
    if policy is None:
        return _tables([], [], [])
    factor = monthly_factor(requests["date"].n_unique())
    scale = factor or Fraction(1)
    rows: list[dict[str, object]] = []
    routes: list[dict[str, object]] = []
    cuts: list[dict[str, object]] = []
    costs: dict[str, pl.Series] = {}
    for bound in bound_for(requests, policy, book):
        sessions = bound.claude.select("session", "session_agent").unique().sort("session")
        costs["agent"] = sessions["session_agent"]
        for case in policy.cases:
            outcome = bound.on(case, policy)
            by_session = sessions.join(
                outcome.pieces.group_by("session").agg(pl.exclude("agent", "kind").sum()),
                on="session",
                how="left",
                maintain_order="left",
            ).with_columns(pl.exclude("session", "session_agent").fill_null(0))
            costs[str(len(rows))] = by_session["total"]
            row = _row(outcome, by_session, scale)
            row |= {
                "model": bound.target.model,
                "name": case.name,
                "paid_by": "subscription" if bound.target.plan else "tokens",
                "share": policy.own_share(bound.target),
                "cache": bound.target.cache.kind,
            }
            rows.append(row)
            if case.name == "expected":
                model: dict[str, object] = {"model": bound.target.model}
                routes += [model | each for each in _routes(outcome.placed)]
                for cut in ("agent", "kind"):
                    cuts += [model | {"cut": cut} | each for each in _cut(outcome, cut, scale)]
    sampled = pl.DataFrame(costs)
    intervals = bootstrap.sampling_intervals(sampled, stratum="agent", draws=draws, seed=seed)
    enough = sampled.height >= bootstrap.FEWEST_SESSIONS
    for place, row in enumerate(rows):
        low, high = intervals[str(place)]
        known = enough and row["cost_usd_micros"] is not None
        row |= {
            "basis": "covered_days" if factor is None else "month",
            "window_start": window_start,
            "window_end": window_end,
            "cost_low_usd_micros": _scaled(low, scale) if known else None,
            "cost_high_usd_micros": _scaled(high, scale) if known else None,
            "draws": draws,
            "seed": seed,
        }
    return _tables(rows, routes, cuts)


def _tables(
    rows: list[dict[str, object]], routes: list[dict[str, object]], cuts: list[dict[str, object]]
) -> Replay:
    return Replay(
        pl.DataFrame(rows, schema=_SCHEMA, orient="row"),
        pl.DataFrame(routes, schema=_ROUTES_SCHEMA, orient="row"),
        pl.DataFrame(cuts, schema=_CUTS_SCHEMA, orient="row"),
    )


def _routes(placed: pl.DataFrame) -> Iterator[dict[str, object]]:
    for route in ROUTES:
        tokens = placed["full_input_tokens"].filter(placed["route"] == route)
        yield {"route": route, "requests": tokens.len(), "full_input_tokens": tokens.sum()}


def _cut(outcome: Outcome, cut: str, scale: Fraction) -> list[dict[str, object]]:
    placed, costs = outcome.placed, outcome.pieces
    moved = pl.col("route") == "moved"
    full = pl.col("full_input_tokens")
    counted = placed.group_by(cut).agg(
        requests=pl.len().cast(pl.Int64),
        full_input_tokens=full.sum(),
        moved_requests=moved.sum().cast(pl.Int64),
        moved_full_input_tokens=full.filter(moved).sum(),
    )
    priced = costs.group_by(cut).agg(pl.col(*PARTS, "stay").sum().name.suffix("_cost_usd_micros"))
    sums = counted.join(priced, on=cut, how="left").sort(
        "moved_full_input_tokens", cut, descending=[True, False]
    )
    # Scaled together, so that the rows still add up.
    columns = {
        name: rounded_together([value * scale for value in sums[name].to_list()])
        for name in (*_COUNTS, *_AMOUNTS)
    }
    rows: list[dict[str, object]] = []
    for place, value in enumerate(sums[cut].to_list()):
        amounts = {part: columns[f"{part}_cost_usd_micros"][place] for part in (*PARTS, "stay")}
        rows.append(
            {
                "value": value,
                **{name: columns[name][place] for name in _COUNTS},
                **_amounts(outcome, amounts),
            }
        )
    return rows


def _amounts(outcome: Outcome, micros: Mapping[str, int]) -> dict[str, object]:
    """Return the columns of ``PARTS`` and 'stay', their sum and what it saves, null if unknown."""
    cost = sum(micros[part] for part in PARTS) if outcome.target_is_priced else None
    return {
        **{
            f"{part}_cost_usd_micros": amount if outcome.knows(part) else None
            for part, amount in micros.items()
        },
        "cost_usd_micros": cost,
        "saving_usd_micros": None if cost is None else micros["stay"] - cost,
    }


def _row(outcome: Outcome, by_session: pl.DataFrame, factor: Fraction) -> dict[str, object]:
    placed = outcome.placed
    moved = placed.select("route", "session", "full_input_tokens").filter(route="moved")
    full_input = int(placed["full_input_tokens"].sum())
    moved_input = int(moved["full_input_tokens"].sum())
    hits = int(by_session["hit_tokens"].sum())
    amounts = {part: _scaled(int(by_session[part].sum()), factor) for part in (*PARTS, "stay")}
    return {
        "requests": _scaled(placed.height, factor),
        "moved_requests": _scaled(moved.height, factor),
        "moved_sessions": moved["session"].n_unique(),
        "moved_full_input_tokens": _scaled(moved_input, factor),
        "moved_share": moved_input / full_input if full_input else None,
        "too_large_requests": _scaled(_count(placed, "too_large"), factor),
        "unpriced_requests": _scaled(_count(placed, "unpriced"), factor),
        "hit_tokens": _scaled(hits, factor),
        "hit_rate": hits / moved_input if moved_input else None,
        **_amounts(outcome, amounts),
    }


def _count(placed: pl.DataFrame, route: str) -> int:
    return int((placed["route"] == route).sum())


def _scaled(value: int, factor: Fraction) -> int:
    return round_half_up(value * factor)
