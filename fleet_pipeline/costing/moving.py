"""What one target makes of each routed request: whether it fits, what hits, what it costs by part.

With kappa, omega the ratios of input and output tokens, pi the chance of a hit and rho, phi the
retries and escalations of a case, a moved request with prompt P, cached part H and output o costs

    target     = kappa * ((P - pi H) * input + pi H * cache_read) + omega * o * output
    retries    = rho * target
    escalated  = phi * (the same request on Claude, with its cache, at list price)
    verify     = (tokens read and written to check it) * Claude's list price, once per turn
    returned   = (what it had in Claude's cache, less what the thread's last request that stayed
                 left there within the cache's life) * (write - cache_read), for a request that
                 stays right after one of its thread that moved: Claude never saw that one

An explicit cache hits with certainty and bills what it does not hold at the write price. Prices
are those of each request's own day and hour, for the whole request at the tier of its own prompt.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl

from fleet_pipeline.costing.policy import Case, Policy, Target
from fleet_pipeline.costing.prefix_cache import cached_tokens, still_held
from fleet_pipeline.costing.routes import by_thread, routed
from fleet_pipeline.pricing import PriceBook, list_prices

PARTS: Final = ("target", "retries", "escalated", "verify", "returned")
_AT_THE_TARGET: Final = ("target", "retries")
"""Parts that need the target's price; the others are Claude's."""
PIECE: Final = ("session", "agent", "kind")
"""What costs are rounded by: every cut of a total is a sum of the same whole amounts."""

_PER_MILLION: Final = 1_000_000
_PRICES: Final = ("input_price", "cache_read_price", "cache_write_5m_price", "output_price")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a target makes of the requests in one case, and which prices for it are known."""

    placed: pl.DataFrame
    pieces: pl.DataFrame
    claude_is_priced: bool
    target_is_priced: bool

    def knows(self, part: str) -> bool:
        """Say whether every price that a part of the cost needs is known."""
        return self.target_is_priced if part in _AT_THE_TARGET else self.claude_is_priced


@dataclass(frozen=True, slots=True)
class Bound:
    """Claude's requests, routed for one target and priced as if they stayed."""

    target: Target
    claude: pl.DataFrame
    prices: pl.DataFrame
    staying_is_priced: bool

    def on(self, case: Case, policy: Policy) -> Outcome:
        """Return what the target makes of them in a case."""
        placed = placed_on(self.claude, self.target, case, policy, self.prices)
        claude_is_priced = self.staying_is_priced and not (placed["route"] == "unpriced").any()
        return Outcome(
            placed,
            part_costs(placed, self.target, case),
            claude_is_priced,
            claude_is_priced and all_priced(placed),
        )


def bound_for(requests: pl.DataFrame, policy: Policy, book: PriceBook) -> Iterator[Bound]:
    """Yield every target of a policy; targets that take the same work have it routed once."""
    threads = by_thread(requests)
    found: dict[object, tuple[pl.DataFrame, bool]] = {}
    for target in policy.everywhere:
        takes = (policy.own_share(target), target.kinds)
        if takes not in found:
            found[takes] = with_price_of_staying(routed(threads, policy, target), policy, book)
        claude, staying_is_priced = found[takes]
        prices = price_rows(target.priced_as, claude["date"], book)
        yield Bound(target, claude, prices, staying_is_priced)


def price_rows(priced: tuple[str, str], dates: pl.Series, book: PriceBook) -> pl.DataFrame:
    """Return the target's prices by day, hours and tier, sorted as ``_at_tier`` needs them."""
    provider, model = priced
    return list_prices(provider, [model], dates.unique(), book).sort("from_tokens", "date")


def _at_tier(requests: pl.DataFrame, prompt: str, prices: pl.DataFrame) -> pl.DataFrame:
    """Give each request the prices of its own minute, at the tier that its prompt reaches.

    ``requests`` are in the order of ``row``, in which they stay.
    """
    of_each = prices.drop("model", "up_to_minute", "up_to_tokens")
    # What decides is joined and sorted, and none of the other columns.
    if (of_each["from_minute"] == 0).all() and (of_each["from_tokens"] == 0).all():
        found = requests.select("date").join(
            of_each.drop("from_minute"), on="date", how="left", maintain_order="left"
        )
        return requests.hstack(found.drop("date"))
    minute = pl.col("ts").dt.hour().cast(pl.Int64) * 60 + pl.col("ts").dt.minute()
    parts = prices.select("date", "from_minute").unique().sort("from_minute")
    found = (
        requests.select("row", "date", prompt, minute=minute)
        .sort("minute")
        .join_asof(
            parts,
            left_on="minute",
            right_on="from_minute",
            by="date",
            strategy="backward",
            check_sortedness=False,
        )
        .sort(prompt)
        .join_asof(
            of_each,
            left_on=prompt,
            right_on="from_tokens",
            by=["date", "from_minute"],
            strategy="backward",
            check_sortedness=False,
        )
        .sort("row")
    )
    return requests.hstack(found.drop("row", "date", prompt, "minute", "from_minute"))


def with_price_of_staying(
    claude: pl.DataFrame, policy: Policy, book: PriceBook
) -> tuple[pl.DataFrame, bool]:
    """Add what each request costs on Claude, and say whether every price for it is known.

    ``stay`` in millionths of a micro-dollar; ``return_price`` (of writing what was read before),
    ``verify_input_price`` and ``verify_output_price`` in micro-dollars per million tokens.
    """
    prices = price_rows(policy.stays_on, claude["date"], book)
    priced = _at_tier(claude, "full_input_tokens", prices)
    # A check is a small prompt of its own, however large the one that it checks was.
    check = claude.select("row", "date", "ts", small=pl.lit(0, pl.Int64))
    checked = _at_tier(check, "small", prices.filter(pl.col("from_tokens") == 0))
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
        return_price=write_5m - pl.col("cache_read_price"),
        verify_input_price=checked["input_price"],
        verify_output_price=checked["output_price"],
    )
    known = added["stay"].null_count() == 0
    dropped = ("from_tokens", *_PRICES, "cache_write_1h_price")
    return added.drop(dropped).with_columns(pl.col("stay", "return_price").fill_null(0)), known


def placed_on(
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
    # What a plan pays moves whether or not the same model has a price elsewhere.
    known = _is_priced() | target.plan
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
        returned=pl.when(~moved & follows_moved)
        .then(pl.max_horizontal(pl.col("cache_read_tokens") - still_held(~moved), 0))
        .otherwise(0),
    )


def all_priced(placed: pl.DataFrame) -> bool:
    """Say whether every request that moved, or would if it had a price, has one at the target."""
    wanted = pl.col("route").is_in(["moved", "unpriced"])
    return bool(placed.select((~wanted | _is_priced()).all()).item())


def _is_priced() -> pl.Expr:
    return pl.col("input_price").is_not_null() & pl.col("output_price").is_not_null()


def part_costs(requests: pl.DataFrame, target: Target, case: Case) -> pl.DataFrame:
    """Return what moved of each session, agent and kind of work: whole micro-dollars and tokens.

    ``requests`` are ``placed``. Columns of ``PARTS``, their ``total``, ``stay`` and ``hit_tokens``.
    """
    is_explicit = target.cache.kind == "explicit"
    chance = 1.0 if is_explicit else case.cache_hits
    full = pl.col("full_input_tokens")
    sums = (
        requests.lazy()
        .filter(pl.col("route") == "moved")
        .group_by(*PIECE, *_PRICES)
        .agg(
            full=full.sum(),
            kept=full.filter(full >= target.cache.minimum_tokens).sum(),
            hit=pl.col("hit").sum(),
            output=pl.col("output_tokens").sum(),
        )
        .collect()
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
    moved = sums.group_by(*PIECE).agg(
        target=_micros(target_cost).sum(), hit_tokens=(hits.round().cast(pl.Int64)).sum()
    )
    touched = requests.group_by(*PIECE).agg(
        stay=_micros(_where("stay", pl.col("route") == "moved")),
        returned=_micros((pl.col("returned") * pl.col("return_price")).sum()),
        verify=_micros(_verify_cost(case)),
    )
    return (
        touched.join(moved, on=PIECE, how="left")
        .with_columns(pl.col("target", "hit_tokens").fill_null(0))
        .with_columns(
            retries=(case.retries * pl.col("target")).round().cast(pl.Int64),
            escalated=(case.escalated * pl.col("stay")).round().cast(pl.Int64),
        )
        .with_columns(total=pl.sum_horizontal(PARTS))
    )


def sent_tokens(placed: pl.DataFrame, target: Target, case: Case) -> pl.DataFrame:
    """Return what each moved request would send to the target: its ``ts``, and tokens by class.

    ``input`` is what no cache holds, ``cache_read`` what one is expected to hold, ``output`` what
    is written; retries are among them.
    """
    chance = 1.0 if target.cache.kind == "explicit" else case.cache_hits
    tries, prompt = 1 + case.retries, case.tokens_ratio
    hits = chance * pl.col("hit")
    return placed.filter(pl.col("route") == "moved").select(
        "ts",
        input=tries * prompt * (pl.col("full_input_tokens") - hits),
        cache_read=tries * prompt * hits,
        output=tries * case.output_ratio * pl.col("output_tokens"),
    )


def _verify_cost(case: Case) -> pl.Expr:
    """Price one verify step per moved turn."""
    turns = pl.col("turn").filter(pl.col("route") == "moved").n_unique()
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
