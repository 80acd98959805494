"""The weekly table ``subscription_room``: whether a plan's quota windows would hold the moved work.

Belongs here: what would flow into a window, in tokens and, where a rate is known, in percent of
it. Levels, burn rates and exchange rates come from ``headroom``; where they are silent so is this.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any, Final, Literal

import polars as pl

from fleet_pipeline.costing.moving import bound_for, sent_tokens
from fleet_pipeline.costing.policy import Policy
from fleet_pipeline.pricing import EMBEDDED, PriceBook

HIGH: Final = 0.9
"""The stretch that is planned for: nine in ten hold no more. A mean would overrun half of them."""

Verdict = Literal["fits", "does_not_fit", "unknown"]
Reason = Literal["no_reading", "no_burn_rate", "own_use", "no_exchange_rate", "within_the_doubt"]

_CLASSES: Final = ("input", "cache_read", "output")
_BOUNDS: Final = ("percent_per_mtok", "percent_per_mtok_low", "percent_per_mtok_high")
_SCHEMA: Final = pl.Schema(
    {
        "model": pl.String(),
        "limit_id": pl.String(),
        "window_minutes": pl.Int64(),
        "status": pl.String(),
        "remaining_share": pl.Float64(),
        "read_at": pl.Datetime("us", "UTC"),
        "own_percent": pl.Float64(),
        "stretches": pl.Int64(),
        "median_tokens": pl.Int64(),
        "p90_tokens": pl.Int64(),
        "peak_tokens": pl.Int64(),
        "p90_percent": pl.Float64(),
        "p90_percent_low": pl.Float64(),
        "p90_percent_high": pl.Float64(),
        "verdict": pl.String(),
        "reason": pl.String(),
    }
)


def subscription_room(
    requests: pl.DataFrame,
    policy: Policy | None,
    *,
    headroom: pl.DataFrame,
    exchange_rates: pl.DataFrame,
    window_start: date,
    book: PriceBook = EMBEDDED,
) -> pl.DataFrame:
    """Return one row per subscription and quota window that its work draws on.

    A stretch is as long as the window; they follow one another from ``window_start``, and those
    into which work of the expected case would move count. ``median``, ``p90`` and ``peak`` are of
    their tokens (full input and output); ``p90_percent`` is that of what a stretch takes of the
    window by the fitted rate, with the rate's interval. ``own_percent`` is what Codex itself burns
    in a whole window at its present rate. The work 'fits' where both together stay below the whole
    even at the dear end of the rate, and does not where they exceed it at the cheap end, or the
    client's own use alone does. Unknown is null, and ``reason`` says why. No rows without a policy.
    """
    if policy is None:
        return pl.DataFrame(schema=_SCHEMA)
    case = policy.case("expected")
    rows: list[dict[str, Any]] = []
    for bound in bound_for(requests, replace(policy, targets=()), book):
        sent = sent_tokens(bound.on(case, policy).placed, bound.target, case)
        for window in headroom.filter(pl.col("limit_id").is_in(bound.target.limits)).iter_rows(
            named=True
        ):
            rates = _rates(exchange_rates, window)
            rows.append({"model": bound.target.model, **_row(sent, window, rates, window_start)})
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _row(
    sent: pl.DataFrame, window: dict[str, Any], rates: dict[str, dict[str, float]], start: date
) -> dict[str, Any]:
    stretches = _stretches(sent, window["window_minutes"], start)
    tokens = stretches.select(pl.sum_horizontal(_CLASSES)).to_series()
    percent = {
        bound: _high(
            stretches.select(
                pl.sum_horizontal(pl.col(name) * rates[name][bound] / 1e6 for name in _CLASSES)
            ).to_series()
        )
        for bound in (_BOUNDS if rates else ())
    }
    needed, low, high = (percent.get(bound) for bound in _BOUNDS)
    is_fresh = window["status"] == "fresh"
    own = window["burn_percent_per_hour"] if is_fresh else None
    own = None if own is None else own * window["window_minutes"] / 60
    verdict, reason = _verdict(is_fresh, own, low, high)
    return {
        **{
            name: window[name]
            for name in ("limit_id", "window_minutes", "status", "remaining_share", "read_at")
        },
        "own_percent": own,
        "stretches": stretches.height,
        "median_tokens": _at(tokens, 0.5),
        "p90_tokens": _at(tokens, HIGH),
        "peak_tokens": _at(tokens, 1.0),
        "p90_percent": needed,
        "p90_percent_low": low,
        "p90_percent_high": high,
        "verdict": verdict,
        "reason": reason,
    }


def _verdict(
    is_fresh: bool, own: float | None, low: float | None, high: float | None
) -> tuple[Verdict, Reason | None]:
    if not is_fresh:
        return "unknown", "no_reading"
    if own is None:
        return "unknown", "no_burn_rate"
    if own > 100:
        return "does_not_fit", "own_use"
    if low is None or high is None:
        return "unknown", "no_exchange_rate"
    if own + high <= 100:
        return "fits", None
    return ("does_not_fit", None) if own + low > 100 else ("unknown", "within_the_doubt")


def _rates(exchange_rates: pl.DataFrame, window: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Return percent per million tokens of each class, with its bounds; nothing where refused."""
    fitted = exchange_rates.filter(
        pl.col("status") == "fitted",
        pl.col("client") == window["client"],
        pl.col("limit_id") == window["limit_id"],
        pl.col("window_minutes") == window["window_minutes"],
    )
    return {row["token_class"]: row for row in fitted.iter_rows(named=True)}


def _stretches(sent: pl.DataFrame, minutes: int, start: date) -> pl.DataFrame:
    began = datetime.combine(start, time(), UTC)
    place = (pl.col("ts") - began).dt.total_minutes() // minutes
    return sent.group_by(place.alias("stretch")).agg(pl.col(*_CLASSES).sum())


def _high(values: pl.Series) -> float | None:
    """Return the value that nine in ten do not exceed; None of nothing."""
    found = values.quantile(HIGH, interpolation="higher")
    return None if found is None else float(found)


def _at(tokens: pl.Series, share: float) -> int | None:
    found = tokens.quantile(share, interpolation="higher")
    return None if found is None else round(found)
