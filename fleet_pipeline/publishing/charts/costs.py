"""Dot and range: what each assumption makes of the cost, on one logarithmic axis of dollars."""

import math
from dataclasses import dataclass
from typing import Final

from fleet_pipeline.publishing.charts.scale import Logarithmic, pct
from fleet_pipeline.publishing.figures import Record, number, records


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled line of an axis; minor ones lose their label on a phone."""

    x: str
    micros: int
    minor: bool
    anchor: str


@dataclass(frozen=True, slots=True)
class Range:
    """A low, expected and high amount on the cost axis; ``base`` leads to them from ``costs``."""

    name: str
    base: str
    field: str
    low: str
    expected: str
    high: str
    low_anchor: str
    high_anchor: str
    y: int


@dataclass(frozen=True, slots=True)
class CostChart:
    """The rows of the cost chart on one logarithmic axis of dollars."""

    rows: tuple[Range, ...]
    ticks: tuple[Tick, ...]
    height: int


_COST_ROWS: Final = (
    ("cached", "", "cached_cost_usd_micros"),
    ("full", "", "cost_usd_micros"),
    ("hot_cached", "hot_week.", "cached_cost_usd_micros"),
    ("hot_full", "hot_week.", "cost_usd_micros"),
)
_ROW_HEIGHT: Final = 76


def cost_chart(page: Record) -> CostChart | None:
    """Place every route whose three amounts are known and above zero, or None without any.

    A logarithmic axis has no zero: a free route has no place on it and stays in the table.
    """
    found = []
    for name, base, field in _COST_ROWS:
        if not records(page, f"costs.{base}scenarios"):
            continue
        amounts = [
            number(page, f"costs.{base}scenarios.{s}.{field}") for s in ("low", "expected", "high")
        ]
        known = [float(amount) for amount in amounts if amount is not None and amount > 0]
        if len(known) == 3:
            found.append((name, base, field, known))
    if not found:
        return None
    lowest = min(min(known) for *_, known in found) / 2
    highest = max(max(known) for *_, known in found) * 2.2
    at = Logarithmic(lowest, highest).at

    rows = []
    for index, (name, base, field, (low, expected, high)) in enumerate(found):
        rows.append(
            Range(
                name=name, base=base, field=field,
                low=pct(at(low)), expected=pct(at(expected)), high=pct(at(high)),
                low_anchor="end" if at(low) > 0.2 else "start",
                high_anchor="start" if at(high) < 0.85 else "end",
                y=14 + index * _ROW_HEIGHT,
            )
        )  # fmt: skip
    return CostChart(tuple(rows), _dollar_ticks(lowest, highest), 40 + len(rows) * _ROW_HEIGHT)


def _dollar_ticks(lowest: float, highest: float) -> tuple[Tick, ...]:
    """Return the powers of ten of a dollar in the domain, and three times each as minor ticks."""
    span = math.log(highest / lowest)
    ticks = []
    for exponent in range(math.floor(math.log10(lowest)), math.ceil(math.log10(highest)) + 1):
        for multiple in (1, 3):
            micros = multiple * 10**exponent if exponent >= 0 else 0
            if lowest <= micros <= highest and micros >= 10**4:
                place = math.log(micros / lowest) / span
                anchor = "start" if place < 0.05 else "end" if place > 0.95 else "middle"
                ticks.append(Tick(pct(place), micros, multiple != 1, anchor))
    return tuple(ticks)
