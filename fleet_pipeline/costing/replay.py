"""The weekly tables ``offload_replay`` and ``replay_routes``: moved sessions, priced elsewhere.

Belongs here: what one target makes of every routed request, and the sums. Which sessions move is
in ``routes``, what a cache would have held in ``prefix_cache``, the interval in ``bootstrap``.

With kappa, omega the ratios of input and output tokens, pi the chance of a hit and rho, phi the
retries and escalations of a case, a moved request with prompt P, cached part H and output o costs

    target     = kappa * ((P - pi H) * input + pi H * cache_read) + omega * o * output
    retries    = rho * target
    escalated  = phi * (the same request on Claude, with its cache, at list price)
    verify     = (tokens read and written to check it) * Claude's list price, once per turn
    returned   = (what it had in Claude's cache) * (write - cache_read), for a request that stays
                 right after one of its thread that moved: Claude's cache has gone cold

An explicit cache hits with certainty and bills what it does not hold at the write price. Prices
are those of each request's own day, for the whole request at the tier of its own prompt.
"""

from datetime import date
from fractions import Fraction
from typing import Final

import polars as pl

from fleet_pipeline.costing import bootstrap
from fleet_pipeline.costing.policy import Case, Policy, Target
from fleet_pipeline.costing.prefix_cache import cached_tokens
from fleet_pipeline.costing.routes import ROUTES, routed
from fleet_pipeline.costing.run_rate import monthly_factor
from fleet_pipeline.costing.tokens import round_half_up
from fleet_pipeline.pricing import EMBEDDED, PriceBook, list_prices

PARTS: Final = ("target", "retries", "escalated", "verify", "returned")
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
_PER_MILLION: Final = 1_000_000
_PRICES: Final = ("input_price", "cache_read_price", "cache_write_5m_price", "output_price")


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
    claude, staying_known = _with_price_of_staying(routed(requests, policy), policy, book)
    sessions = claude.select("session", "session_agent").unique().sort("session")
    rows: list[dict[str, object]] = []
    costs: dict[str, pl.Series] = {}
    for target in policy.targets:
        prices = _price_rows(target.priced_as, claude["date"], book)
        for case in policy.cases:
            placed = _placed(claude, target, case, policy, prices)
            by_session = sessions.join(
                _session_costs(placed, target, case, policy),
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
        stratum="agent", draws=draws, seed=seed,
    )  # fmt: skip
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
    claude, _ = _with_price_of_staying(routed(requests, policy), policy, book)
    rows = []
    for target in policy.targets:
        prices = _price_rows(target.priced_as, claude["date"], book)
        placed = _placed(claude, target, policy.case("expected"), policy, prices)
        for route in ROUTES:
            tokens = placed.filter(pl.col("route") == route)["full_input_tokens"]
            rows.append((target.model, route, tokens.len(), tokens.sum()))
    return pl.DataFrame(rows, schema=_ROUTES_SCHEMA, orient="row")


def _price_rows(priced: tuple[str, str], dates: pl.Series, book: PriceBook) -> pl.DataFrame:
    """Return the target's prices by day and tier, sorted as ``_at_tier`` needs them."""
    provider, model = priced
    return list_prices(provider, [model], dates.unique(), book).sort("from_tokens", "date")


def _at_tier(requests: pl.DataFrame, prompt: str, prices: pl.DataFrame) -> pl.DataFrame:
    """Give each request the prices of its own day, at the tier that its prompt reaches."""
    return (
        requests.sort(prompt, "row")
        .join_asof(
            prices.drop("model", "up_to_tokens"),
            left_on=prompt, right_on="from_tokens", by="date", strategy="backward",
            check_sortedness=False,
        )
        .sort("row")
    )  # fmt: skip


def _with_price_of_staying(
    claude: pl.DataFrame, policy: Policy, book: PriceBook
) -> tuple[pl.DataFrame, bool]:
    """Add what each request costs on Claude, and say whether every price for it is known.

    ``stay`` and ``returned`` in millionths of a micro-dollar, ``verify_input_price`` and
    ``verify_output_price`` in micro-dollars per million tokens.
    """
    priced = _at_tier(
        claude, "full_input_tokens", _price_rows(policy.stays_on, claude["date"], book)
    )
    write_5m = pl.col("cache_write_5m_price")
    stay = (
        pl.col("input_tokens") * pl.col("input_price")
        + pl.col("cache_write_5m_tokens") * write_5m
        + pl.col("cache_write_1h_tokens") * pl.coalesce("cache_write_1h_price", write_5m)
        + pl.col("cache_read_tokens") * pl.col("cache_read_price")
        + pl.col("output_tokens") * pl.col("output_price")
    )
    added = priced.with_columns(
        stay=stay,
        returned=pl.col("cache_read_tokens") * (write_5m - pl.col("cache_read_price")),
        verify_input_price="input_price",
        verify_output_price="output_price",
    )
    known = added["stay"].null_count() == 0
    dropped = ("from_tokens", *_PRICES, "cache_write_1h_price")
    return added.drop(dropped).with_columns(pl.col("stay", "returned").fill_null(0)), known


def _placed(
    claude: pl.DataFrame, target: Target, case: Case, policy: Policy, prices: pl.DataFrame
) -> pl.DataFrame:
    """Add the prices of the target, the final ``route``, what hits and what comes back."""
    sent = claude.with_columns(
        prompt=(case.tokens_ratio * pl.col("full_input_tokens")).ceil().cast(pl.Int64),
        written=(case.output_ratio * pl.col("output_tokens")).ceil().cast(pl.Int64),
    )
    priced = _at_tier(sent, "prompt", prices)
    fits = pl.lit(True)
    limit = target.prompt_limit(policy.room)
    if limit is not None:
        fits &= pl.col("prompt") <= limit
    if target.max_output_tokens is not None:
        fits &= pl.col("written") <= target.max_output_tokens
    known = pl.col("input_price").is_not_null() & pl.col("output_price").is_not_null()
    route = (
        pl.when(pl.col("route") != "moved")
        .then("route")
        .when(~fits)
        .then(pl.lit("too_large"))
        .when(~known)
        .then(pl.lit("unpriced"))
        .otherwise(pl.lit("moved"))
    )
    moved = pl.col("route") == "moved"
    follows_moved = moved.shift(1, fill_value=False) & pl.col("gap_seconds").is_not_null()
    return priced.with_columns(route=route).with_columns(
        hit=pl.when(moved).then(cached_tokens(target.cache, follows_moved)).otherwise(0),
        comes_back=~moved & follows_moved,
    )


def _session_costs(
    placed: pl.DataFrame, target: Target, case: Case, policy: Policy
) -> pl.DataFrame:
    """Return the parts and the total of each session that is touched, in whole micro-dollars."""
    is_explicit = target.cache.kind == "explicit"
    chance = 1.0 if is_explicit else case.cache_hits
    full = pl.col("full_input_tokens")
    sums = (
        placed.filter(pl.col("route") == "moved")
        .group_by("session", *_PRICES)
        .agg(
            full=full.sum(),
            kept=full.filter(full >= target.cache.minimum_tokens).sum(),
            hit=pl.col("hit").sum(),
            output=pl.col("output_tokens").sum(),
        )
    )
    input_price = pl.col("input_price")
    # A miss is written to an explicit cache; a listed price below input is rent for storage.
    write_price = (
        pl.max_horizontal(input_price, "cache_write_5m_price") if is_explicit else input_price
    )
    hits = chance * pl.col("hit")
    target_cost = case.tokens_ratio * (
        (pl.col("full") - pl.col("kept")) * input_price
        + (pl.col("kept") - hits) * write_price
        + hits * pl.coalesce("cache_read_price", input_price)
    ) + case.output_ratio * pl.col("output") * pl.col("output_price")
    moved = sums.group_by("session").agg(
        target=_micros(target_cost).sum(), hit_tokens=(hits.round().cast(pl.Int64)).sum()
    )
    touched = placed.group_by("session").agg(
        stay=_micros(_where("stay", pl.col("route") == "moved")),
        returned=_micros(_where("returned", pl.col("comes_back"))),
        verify=_micros(_verify_cost(case, policy)),
    )
    return (
        touched.join(moved, on="session", how="left")
        .with_columns(pl.col("target", "hit_tokens").fill_null(0))
        .with_columns(
            retries=(case.retries * pl.col("target")).round().cast(pl.Int64),
            escalated=(case.escalated * pl.col("stay")).round().cast(pl.Int64),
        )
        .with_columns(total=pl.sum_horizontal(PARTS))
    )


def _verify_cost(case: Case, policy: Policy) -> pl.Expr:
    """Price one verify step per moved turn; requests without a turn make one per so many."""
    moved = pl.col("route") == "moved"
    turn = pl.col("turn_id").filter(moved)
    turns = turn.drop_nulls().n_unique() + turn.null_count() / policy.requests_per_turn
    price = (
        (
            case.verify_input_tokens * pl.col("verify_input_price")
            + case.verify_output_tokens * pl.col("verify_output_price")
        )
        .sort_by("row")
        .first()
    )
    return turns * price


def _where(column: str, condition: pl.Expr) -> pl.Expr:
    return pl.col(column).filter(condition).sum()


def _micros(per_million: pl.Expr) -> pl.Expr:
    return (per_million / _PER_MILLION).round().fill_null(0).cast(pl.Int64)


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
