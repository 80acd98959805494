"""What a token costs in percent of a quota window: fitted from readings, or refused with a reason.

Vendors publish no such rate, change it without notice, and other devices spend from the same
window. So a rate stands only where many steps of a meter are explained by the tokens between them,
over several windows, alike in the earlier and the later half; and it holds for a week.
"""

import itertools
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal

import polars as pl

from fleet_pipeline.headroom.windows import known_readings

CLASSES: Final = ("input", "cache_read", "output")
"""``input`` is what is not read from a cache: fresh input and cache writes."""

FEWEST_STEPS: Final = 50
FEWEST_WINDOWS: Final = 5
LEAST_R_SQUARED: Final = 0.5
MOST_UNEXPLAINED: Final = 0.2
"""Of all that a meter gained, the most that may fall where the ledger saw no token."""
MOST_DRIFT: Final = 1.5
"""By what factor the earlier half's rate may miss what the later half's meters gained."""
DRAWS: Final = 500
SEED: Final = 20_260_618
HOLDS_FOR: Final = timedelta(days=7)
_SAME_RESET: Final = timedelta(minutes=10)

Reason = Literal[
    "too_few_steps", "too_few_windows", "plan_changed", "spent_elsewhere", "does_not_fit", "drifted"
]
Rates = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A rise of a meter by at least a point, and the million tokens of each class behind it."""

    window: int
    gained: float
    mtok: Rates
    began: datetime
    ended: datetime


@dataclass(frozen=True, slots=True)
class Fit:
    """Percent of the window for a million tokens of each class, with 2.5 and 97.5 % bounds."""

    rates: Rates
    low: Rates
    high: Rates
    r_squared: float


def exchange_rates(readings: pl.DataFrame, *, requests: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return one row for each token class of each window whose rate is fitted, one if refused.

    ``readings`` are rows of ``lake/quota``, ``requests`` the weekly table. A refused row names no
    class and no rate; ``reason`` says why.
    """
    known = known_readings(readings, requests=requests, as_of=as_of)
    known = known.filter(pl.col("used_percent").is_not_null())
    rows = []
    for (client, limit_id, minutes), part in sorted(
        known.partition_by("client", "limit_id", "window_minutes", as_dict=True).items()
    ):
        spent = _spenders(requests, str(client), str(limit_id))
        steps = list(_steps(part.sort("ts", "used_percent"), spent, int(str(minutes))))
        outcome = fit(steps, plans=part["plan_type"].drop_nulls().n_unique())
        shared = {
            "client": client,
            "limit_id": limit_id,
            "window_minutes": minutes,
            "steps": len(steps),
            "windows": len({step.window for step in steps}),
            "fitted_from": min((step.began for step in steps), default=None),
            "fitted_to": max((step.ended for step in steps), default=None),
        }
        rows += _told(outcome, shared, as_of)
    return pl.DataFrame(rows, schema=_SCHEMA)


def fit(steps: Sequence[Step], *, plans: int = 1) -> Fit | Reason:
    """Return the rates that explain the steps best, none of them negative, or why none stands."""
    windows = sorted({step.window for step in steps})
    if plans > 1:
        return "plan_changed"
    if len(steps) < FEWEST_STEPS:
        return "too_few_steps"
    if len(windows) < FEWEST_WINDOWS:
        return "too_few_windows"
    gained = sum(step.gained for step in steps)
    if sum(step.gained for step in steps if not any(step.mtok)) > MOST_UNEXPLAINED * gained:
        return "spent_elsewhere"
    moments = {name: _Moments.of(step for step in steps if step.window == name) for name in windows}
    rates = _least_squares(_Moments.total(moments.values()))
    middle = len(windows) // 2
    before = _least_squares(_Moments.total(moments[name] for name in windows[:middle]))
    later = [step for step in steps if step.window in windows[middle:]]
    foreseen = sum(_dot(before, step.mtok) for step in later)
    seen = sum(step.gained for step in later)
    if not seen / MOST_DRIFT <= foreseen <= seen * MOST_DRIFT:
        return "drifted"
    mean = gained / len(steps)
    spread = sum((step.gained - mean) ** 2 for step in steps)
    missed = sum((step.gained - _dot(rates, step.mtok)) ** 2 for step in steps)
    r_squared = 1 - missed / spread if spread else 0.0
    if r_squared < LEAST_R_SQUARED:
        return "does_not_fit"
    chance = random.Random(SEED)
    parts = list(moments.values())
    drawn = _sorted_columns(
        _least_squares(_Moments.total(chance.choices(parts, k=len(parts)))) for _ in range(DRAWS)
    )
    low, high = (
        tuple(column[round(share * (DRAWS - 1))] for column in drawn) for share in (0.025, 0.975)
    )
    return Fit(rates, low, high, r_squared)


def _sorted_columns(rows: Iterable[Rates]) -> list[list[float]]:
    """Return the columns of some rows, each in ascending order."""
    return [sorted(column) for column in zip(*rows, strict=True)]


@dataclass(frozen=True, slots=True)
class _Moments:
    """What least squares needs to know of some steps: sums of products, which can be added."""

    squares: tuple[Rates, ...]
    products: Rates

    @staticmethod
    def of(steps: Iterable[Step]) -> "_Moments":
        size = range(len(CLASSES))
        listed = list(steps)
        return _Moments(
            tuple(tuple(sum(s.mtok[i] * s.mtok[j] for s in listed) for j in size) for i in size),
            tuple(sum(s.mtok[i] * s.gained for s in listed) for i in size),
        )

    @staticmethod
    def total(parts: Iterable["_Moments"]) -> "_Moments":
        listed, size = list(parts), range(len(CLASSES))
        return _Moments(
            tuple(tuple(sum(p.squares[i][j] for p in listed) for j in size) for i in size),
            tuple(sum(p.products[i] for p in listed) for i in size),
        )


def _least_squares(moments: _Moments) -> Rates:
    """Return the rates, none negative, with the smallest squared error.

    With so few classes every set of positive ones can be tried: the best that needs no negative
    rate is the answer.
    """
    size = len(CLASSES)
    best, least = (0.0,) * size, 0.0
    for count in range(1, size + 1):
        for chosen in itertools.combinations(range(size), count):
            solved = _solved(
                [[moments.squares[i][j] for j in chosen] for i in chosen],
                [moments.products[i] for i in chosen],
            )
            if solved is None or min(solved) < 0:
                continue
            rates = [0.0] * size
            for place, rate in zip(chosen, solved, strict=True):
                rates[place] = rate
            # The squared error without the part that is the same for all rates.
            error = -_dot(rates, moments.products)
            if error < least:
                best, least = tuple(rates), error
    return best


def _solved(matrix: list[list[float]], right: list[float]) -> list[float] | None:
    """Solve a small system by elimination; None where its columns are not independent."""
    size = len(right)
    rows = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    for place in range(size):
        pivot = max(range(place, size), key=lambda row: abs(rows[row][place]))
        if abs(rows[pivot][place]) <= 1e-12 * max(1.0, matrix[place][place]):
            return None
        rows[place], rows[pivot] = rows[pivot], rows[place]
        for row in range(size):
            if row != place:
                factor = rows[row][place] / rows[place][place]
                rows[row] = [a - factor * b for a, b in zip(rows[row], rows[place], strict=True)]
    return [rows[place][size] / rows[place][place] for place in range(size)]


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


def _spenders(requests: pl.DataFrame, client: str, limit_id: str) -> pl.DataFrame:
    """Return when requests that spend from a limit were made, with running million tokens."""
    model = pl.col("model").str.to_lowercase()
    spends = pl.col("client") == client
    if limit_id == "codex_bengalfox":
        spends &= model.str.contains("spark", literal=True)
    elif limit_id.startswith("claude_max_"):
        spends &= model.str.contains(limit_id.removeprefix("claude_max_"), literal=True)
    written = pl.col("input_tokens") + pl.col("cache_write_5m_tokens")
    written += pl.col("cache_write_1h_tokens")
    return (
        requests.filter(spends)
        .sort("ts")
        .select(
            "ts",
            input=written.cum_sum() / 1e6,
            cache_read=pl.col("cache_read_tokens").cum_sum() / 1e6,
            output=pl.col("output_tokens").cum_sum() / 1e6,
        )
    )


def _steps(readings: pl.DataFrame, spent: pl.DataFrame, minutes: int) -> Iterable[Step]:
    """Yield the rises of a meter within one window, by a whole point at least, as meters count."""
    running = (
        readings.select("ts", "used_percent", "resets_at")
        .join_asof(spent, on="ts", strategy="backward", check_sortedness=False)
        .fill_null(strategy="zero")
        if spent.height
        else readings.select(
            "ts", "used_percent", "resets_at", **dict.fromkeys(CLASSES, pl.lit(0.0))
        )
    )
    window = -1
    begin: tuple[datetime, float, Rates] | None = None
    resets: datetime | None = None
    for ts, used, resets_at, *mtok in running.iter_rows():
        is_new = (
            begin is None
            or used < begin[1]
            or resets is None
            or resets_at is None
            or abs(resets_at - resets) > _SAME_RESET
            or ts - begin[0] >= timedelta(minutes=minutes)
        )
        resets = resets_at
        if is_new:
            window += 1
            begin = (ts, used, tuple(mtok))
        elif begin is not None and used - begin[1] >= 1:
            between = tuple(now - then for now, then in zip(mtok, begin[2], strict=True))
            yield Step(window, used - begin[1], between, begin[0], ts)
            begin = (ts, used, tuple(mtok))


_SCHEMA: Final = pl.Schema(
    {
        "client": pl.String(),
        "limit_id": pl.String(),
        "window_minutes": pl.Int64(),
        "status": pl.String(),
        "reason": pl.String(),
        "steps": pl.Int64(),
        "windows": pl.Int64(),
        "r_squared": pl.Float64(),
        "token_class": pl.String(),
        "percent_per_mtok": pl.Float64(),
        "percent_per_mtok_low": pl.Float64(),
        "percent_per_mtok_high": pl.Float64(),
        "fitted_from": pl.Datetime("us", "UTC"),
        "fitted_to": pl.Datetime("us", "UTC"),
        "expires_on": pl.Date(),
    }
)


def _told(outcome: Fit | Reason, shared: dict[str, object], as_of: date) -> list[dict[str, object]]:
    if not isinstance(outcome, Fit):
        return [{**shared, "status": "refused", "reason": outcome}]
    return [
        {
            **shared,
            "status": "fitted",
            "r_squared": outcome.r_squared,
            "token_class": name,
            "percent_per_mtok": outcome.rates[place],
            "percent_per_mtok_low": outcome.low[place],
            "percent_per_mtok_high": outcome.high[place],
            "expires_on": as_of + HOLDS_FOR,
        }
        for place, name in enumerate(CLASSES)
    ]
