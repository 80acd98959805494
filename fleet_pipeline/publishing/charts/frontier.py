"""Quality against price: candidates as dots with their intervals, the Pareto frontier as steps."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fleet_pipeline.publishing.charts.scale import Logarithmic, pct
from fleet_pipeline.publishing.figures import Record, records, text

HEIGHT: Final = 280
TOP: Final = 6
_FREE_X: Final = 0.03
_START: Final = 0.22


@dataclass(frozen=True, slots=True)
class Candidate:
    """One candidate: where its dot, its interval and its name stand."""

    model: str
    name: str
    x: str
    y: float
    low: float | None
    high: float | None
    leads: bool
    anchor: str
    label_y: float


@dataclass(frozen=True, slots=True)
class Frontier:
    """Dots, the frontier's steps as lines, and labelled lines of quality and ticks of price."""

    candidates: tuple[Candidate, ...]
    steps: tuple[tuple[str, str, float, float], ...]
    grid: tuple[tuple[float, float], ...]
    ticks: tuple[tuple[str, float], ...]
    free_width: str
    base: int = TOP + HEIGHT


def frontier(page: Record) -> Frontier | None:
    """Return the picture where at least two candidates have a quality and a price, else None.

    Quality is a share of one; the price is dollars per million tokens at the fleet's own ten to
    one of input and output. A logarithmic axis has no zero: free candidates have their own strip.
    """
    known = [
        (row, quality, cost)
        for row in records(page, "ranking")
        if (quality := _number(row, "quality")) is not None and (cost := _cost(row)) is not None
    ]
    if len(known) < 2:
        return None
    paid = [cost for *_, cost in known if cost > 0] or [1.0]
    axis = Logarithmic(min(paid) / 1.6, max(paid) * 1.6, _START, 0.97)
    marks = [
        value
        for row, quality, _ in known
        for value in (quality, _number(row, "q05"), _number(row, "q95"))
        if value is not None
    ]
    low, high = min(marks), max(marks)
    pad = max((high - low) * 0.12, 0.02)

    def height(quality: float) -> float:
        return round(TOP + HEIGHT * (1 - (quality - low + pad) / (high - low + 2 * pad)), 1)

    placed = []
    for row, quality, cost in known:
        share = axis.at(cost) if cost > 0 else _FREE_X
        placed.append((row, quality, cost, share))
    candidates = tuple(
        Candidate(
            model=text(row, "model"),
            name=text(row, "name") or text(row, "model"),
            x=pct(share),
            y=height(quality),
            low=None if (q := _number(row, "q05")) is None else height(q),
            high=None if (q := _number(row, "q95")) is None else height(q),
            leads=_leads(quality, cost, known),
            anchor="start" if share < 0.6 else "end",
            label_y=height(quality) - 9,
        )
        for row, quality, cost, share in placed
    )
    return Frontier(
        candidates=candidates,
        steps=_steps(placed, known, height),
        grid=tuple((q / 100, height(q / 100)) for q in range(0, 101, 10) if low <= q / 100 <= high),
        ticks=tuple(
            (pct(axis.at(usd)), usd)
            for usd in (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
            if axis.lowest <= usd <= axis.highest
        ),
        free_width="15%",
    )


def _number(row: Record, name: str) -> float | None:
    value = row.get(name)
    return float(value) if isinstance(value, int | float) else None


def _cost(row: Record) -> float | None:
    price = row.get("price")
    if not isinstance(price, dict):
        return None
    if row.get("cost_badge") == "free":
        return 0.0
    fresh, output = _number(price, "input_usd_per_mtok"), _number(price, "output_usd_per_mtok")
    return None if fresh is None or output is None else (10 * fresh + output) / 11


def _leads(quality: float, cost: float, known: list[tuple[Record, float, float]]) -> bool:
    """Say whether no other candidate is at least as good for less, or better for as much."""
    return not any(
        (other >= quality and price < cost) or (other > quality and price <= cost)
        for _, other, price in known
    )


def _steps(
    placed: list[tuple[Record, float, float, float]],
    known: list[tuple[Record, float, float]],
    height: Callable[[float], float],
) -> tuple[tuple[str, str, float, float], ...]:
    leaders = sorted(
        (cost, quality, share) for _, quality, cost, share in placed if _leads(quality, cost, known)
    )
    lines = []
    for index, (_, quality, share) in enumerate(leaders):
        after = leaders[index + 1] if index + 1 < len(leaders) else None
        end = after[2] if after else 1.0
        lines.append((pct(share), pct(end), height(quality), height(quality)))
        if after:
            lines.append((pct(end), pct(end), height(quality), height(after[1])))
    return tuple(lines)
