"""The weekly tables ``offload_replay``, ``replay_cuts`` and ``replay_routes``: moved work, priced.

Belongs here: running the policy over its targets and cases, and the sums. Which sessions move is
in ``routes``, what one target makes of a request in ``moving``, the interval in ``bootstrap``.
``requests`` is the weekly table with the ``turn``, ``kind`` and ``movable`` of each request.
"""

from datetime import date
from fractions import Fraction
from typing import Final

import polars as pl

from fleet_pipeline.costing import bootstrap
from fleet_pipeline.costing.moving import (
    PARTS,
    part_costs,
    placed_on,
    price_rows,
    with_price_of_staying,
)
from fleet_pipeline.costing.offload import rounded_together
from fleet_pipeline.costing.policy import Policy
from fleet_pipeline.costing.routes import ROUTES, routed
from fleet_pipeline.costing.run_rate import monthly_factor
from fleet_pipeline.costing.tokens import round_half_up
from fleet_pipeline.pricing import EMBEDDED, PriceBook

_SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "model": pl.String,
    "name": pl.String,
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


def offload_replay(
    requests: pl.DataFrame,
    policy: Policy | None,
    *,
    window_start: date,
    window_end: date,
    draws: int = bootstrap.DRAWS,
    seed: int = bootstrap.SEED,
    book: PriceBook = EMBEDDED,
) -> pl.DataFrame:
    """Return one row per target and case: what its moved sessions would have cost, by part.

    Micro-dollars, tokens and requests, scaled to 30 days where at least 14 are covered (basis
    'month', else 'covered_days'); parts add up to ``cost_usd_micros``. ``cost_low`` and
    ``cost_high`` bound 95 % of ``draws`` resamplings of whole sessions within each agent: doubt
    from the sample alone, while the three cases show doubt from what is assumed.
    ``stay_cost`` is the same moved requests on Claude, with its cache, at list price, and
    ``saving`` what is left of it. Null where a price that a moved request needs is unknown. No rows
    without a policy.
    """
    if policy is None:
        return pl.DataFrame(schema=_SCHEMA)
    factor = monthly_factor(requests["date"].n_unique())
    scale = factor or Fraction(1)
    claude, staying_known = with_price_of_staying(routed(requests, policy), policy, book)
    sessions = claude.select("session", "session_agent").unique().sort("session")
    rows: list[dict[str, object]] = []
    costs: dict[str, pl.Series] = {}
    for target in policy.targets:
        prices = price_rows(target.priced_as, claude["date"], book)
        for case in policy.cases:
            placed = placed_on(claude, target, case, policy, prices)
            pieces = part_costs(placed, target, case)
            by_session = sessions.join(
                pieces.group_by("session").agg(pl.exclude("agent", "kind").sum()),
                on="session",
                how="left",
                maintain_order="left",
            ).with_columns(pl.exclude("session", "session_agent").fill_null(0))
            costs[str(len(rows))] = by_session["total"]
            known = staying_known and not (placed["route"] == "unpriced").any()
            row = _row(placed, by_session, known, scale)
            row |= {"model": target.model, "name": case.name, "cache": target.cache.kind}
            rows.append(row)
    intervals = bootstrap.sampling_intervals(
        pl.DataFrame({"agent": sessions["session_agent"], **costs}),
        stratum="agent",
        draws=draws,
        seed=seed,
    )
    for place, row in enumerate(rows):
        low, high = intervals[str(place)]
        known = row["cost_usd_micros"] is not None
        row |= {
            "basis": "covered_days" if factor is None else "month",
            "window_start": window_start,
            "window_end": window_end,
            "share": policy.share,
            "cost_low_usd_micros": _scaled(low, scale) if known else None,
            "cost_high_usd_micros": _scaled(high, scale) if known else None,
            "draws": draws,
            "seed": seed,
        }
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def replay_routes(
    requests: pl.DataFrame, policy: Policy | None, book: PriceBook = EMBEDDED
) -> pl.DataFrame:
    """Return one row per target and route of the expected case: requests and their full input.

    The routes of a target partition Claude's requests: 'moved'; 'not_chosen' by the share;
    'not_movable' for the kind of their work; 'private' and 'unattributed' sessions; 'too_large'
    for the window or the output cap; 'unpriced' on their day. Unscaled. No rows without a policy.
    """
    if policy is None:
        return pl.DataFrame(schema=_ROUTES_SCHEMA)
    claude, _ = with_price_of_staying(routed(requests, policy), policy, book)
    rows = []
    for target in policy.targets:
        prices = price_rows(target.priced_as, claude["date"], book)
        placed = placed_on(claude, target, policy.case("expected"), policy, prices)
        for route in ROUTES:
            tokens = placed.filter(pl.col("route") == route)["full_input_tokens"]
            rows.append((target.model, route, tokens.len(), tokens.sum()))
    return pl.DataFrame(rows, schema=_ROUTES_SCHEMA, orient="row")


def replay_cuts(
    requests: pl.DataFrame, policy: Policy | None, book: PriceBook = EMBEDDED
) -> pl.DataFrame:
    """Return what moves, costs and saves by agent and by kind of work: the expected case, cut.

    One row per target, cut ('agent', 'kind') and value; those of one cut add up to the row of
    ``offload_replay`` in every column, whatever stays and what no rule maps among them. Tokens,
    requests and micro-dollars, scaled as there. Costs are null where a needed price is unknown. No
    rows without a policy.
    """
    if policy is None:
        return pl.DataFrame(schema=_CUTS_SCHEMA)
    scale = monthly_factor(requests["date"].n_unique()) or Fraction(1)
    claude, staying_known = with_price_of_staying(routed(requests, policy), policy, book)
    case = policy.case("expected")
    rows: list[dict[str, object]] = []
    for target in policy.targets:
        prices = price_rows(target.priced_as, claude["date"], book)
        placed = placed_on(claude, target, case, policy, prices)
        known = staying_known and not (placed["route"] == "unpriced").any()
        costs = part_costs(placed, target, case)
        for cut in ("agent", "kind"):
            rows += [
                {"model": target.model, "cut": cut, **row}
                for row in _cut(placed, costs, cut, known, scale)
            ]
    return pl.DataFrame(rows, schema=_CUTS_SCHEMA, orient="row")


def _cut(
    placed: pl.DataFrame, costs: pl.DataFrame, cut: str, known: bool, scale: Fraction
) -> list[dict[str, object]]:
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
        amounts = {name: columns[name][place] if known else None for name in _AMOUNTS}
        cost = sum(columns[f"{part}_cost_usd_micros"][place] for part in PARTS)
        rows.append(
            {
                "value": value,
                **{name: columns[name][place] for name in _COUNTS},
                **amounts,
                "cost_usd_micros": cost if known else None,
                "saving_usd_micros": columns["stay_cost_usd_micros"][place] - cost
                if known
                else None,
            }
        )
    return rows


def _row(
    placed: pl.DataFrame, by_session: pl.DataFrame, known: bool, factor: Fraction
) -> dict[str, object]:
    moved = placed.filter(pl.col("route") == "moved")
    full_input = int(placed["full_input_tokens"].sum())
    moved_input = int(moved["full_input_tokens"].sum())
    hits = int(by_session["hit_tokens"].sum())
    parts = {part: _scaled(int(by_session[part].sum()), factor) for part in PARTS}
    cost, stay = sum(parts.values()), _scaled(int(by_session["stay"].sum()), factor)
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
        **{f"{part}_cost_usd_micros": amount if known else None for part, amount in parts.items()},
        "cost_usd_micros": cost if known else None,
        "stay_cost_usd_micros": stay if known else None,
        "saving_usd_micros": stay - cost if known else None,
    }


def _count(placed: pl.DataFrame, route: str) -> int:
    return int((placed["route"] == route).sum())


def _scaled(value: int, factor: Fraction) -> int:
    return round_half_up(value * factor)
