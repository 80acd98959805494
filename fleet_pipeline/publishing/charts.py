"""Where the marks of the charts stand: percentages and pixels, from the figures of page.json.

Pure geometry. Words, colours and elements are the templates' business. Positions along a bar or an
axis are percentages of the drawing's width, so a chart needs one drawing for every screen while its
text keeps its size; heights are pixels.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from fleet_pipeline.publishing.figures import Record, number, records, text

TREND_HEIGHT: Final = 110
TREND_GUTTER_SLOTS: Final = 3
"""Empty slots at the left of the trend, where the axis labels stand."""


def pct(share: float) -> str:
    """Write a share of the width as an SVG length."""
    return f"{100 * share:.2f}".rstrip("0").rstrip(".") + "%"


def _amount(row: Record, name: str) -> float:
    value = row.get(name)
    return float(value) if isinstance(value, int | float) else 0.0


# --- the mirage -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Segment:
    """One class of tokens in a 100% bar."""

    token_class: str
    x: str
    width: str
    share: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A 100% bar over the four classes: smallest story first, cache reads last."""

    measure: str
    segments: tuple[Segment, ...]


CLASS_ORDER: Final = ("input", "output", "cache_write", "cache_read")


def mirage_bars(page: Record) -> tuple[Bar, ...]:
    """Return one bar for tokens and one for each price that is known."""
    rows = {text(row, "class"): row for row in records(page, "costs.mirage")}
    bars = []
    for measure in ("tokens", "no_cache_usd_micros", "cached_usd_micros"):
        amounts = {name: _amount(rows.get(name, {}), measure) for name in CLASS_ORDER}
        total = sum(amounts.values())
        if total <= 0:
            continue
        segments, start = [], 0.0
        for name, amount in amounts.items():
            part = amount / total
            segments.append(Segment(name, pct(start), pct(part), part))
            start += part
        bars.append(Bar(measure, tuple(segments)))
    return tuple(bars)


# --- dot and range ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled line of an axis; minor ones lose their label on a phone."""

    x: str
    micros: int
    minor: bool
    anchor: str


@dataclass(frozen=True, slots=True)
class Range:
    """A low, expected and high amount on the cost axis; ``base`` is the address they live at."""

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
    ("cached", "costs", "cached_cost_usd_micros"),
    ("full", "costs", "cost_usd_micros"),
    ("hot_cached", "costs.hot_week", "cached_cost_usd_micros"),
    ("hot_full", "costs.hot_week", "cost_usd_micros"),
)
_ROW_HEIGHT: Final = 76


def cost_chart(page: Record) -> CostChart | None:
    """Place every route whose three amounts are known and above zero, or None without any.

    A logarithmic axis has no zero: a free route has no place on it and stays in the table.
    """
    found = []
    for name, base, field in _COST_ROWS:
        if not records(page, f"{base}.scenarios"):
            continue
        amounts = [
            number(page, f"{base}.scenarios.{s}.{field}") for s in ("low", "expected", "high")
        ]
        known = [float(amount) for amount in amounts if amount is not None and amount > 0]
        if len(known) == 3:
            found.append((name, base, field, known))
    if not found:
        return None
    lowest = min(min(known) for *_, known in found) / 2
    highest = max(max(known) for *_, known in found) * 2.2
    span = math.log(highest / lowest)

    def at(micros: float) -> float:
        return math.log(micros / lowest) / span

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


# --- volume per agent -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Volume:
    """A row's bar: what stays and, behind it, what can move; relative to the largest row."""

    row: Record
    stays: str
    moves: str | None


def volumes(rows: Sequence[Record], moves: str) -> tuple[Volume, ...]:
    """Return the bars of some rows in their order; ``moves`` is the field of what can move."""
    largest = max((_amount(row, "full_input_tokens") for row in rows), default=0.0)
    bars = []
    for row in rows:
        full = _amount(row, "full_input_tokens")
        moved = min(_amount(row, moves), full)
        stays = pct((full - moved) / largest) if largest else "0%"
        bars.append(Volume(row, stays, pct(moved / largest) if largest and moved else None))
    return tuple(bars)


# --- daily trend ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Day:
    """One whole UTC day of the window; ``height`` is None where no transcript covers it."""

    date: str
    x: str
    y: str
    height: str | None
    hot: bool


@dataclass(frozen=True, slots=True)
class GridLine:
    """A labelled height of the trend, in tokens."""

    tokens: int
    y: float


@dataclass(frozen=True, slots=True)
class Trend:
    """Full input per day of one client; marks are in percent across and pixels down."""

    client: str
    days: tuple[Day, ...]
    grid: tuple[GridLine, ...]
    bar_width: str
    slot_width: str
    hot_x: str | None
    hot_width: str
    hot_middle: str
    has_gaps: bool
    highest: float
    top: int
    base: int


def trend(page: Record) -> Trend | None:
    """Return the trend of Claude Code, or of Codex where Claude Code has nothing to show."""
    daily = records(page, "daily")
    for client in ("claude", "codex"):
        amounts = {
            text(row, "date"): _amount(row, "full_input_tokens")
            for row in daily
            if row.get("client") == client
        }
        if any(amounts.values()):
            return _trend(page, client, amounts, {text(row, "date") for row in daily})
    return None


def _trend(page: Record, client: str, amounts: dict[str, float], covered: set[str]) -> Trend:
    dates = _days(_window(page, "start"), _window(page, "end"))
    slots = len(dates) + TREND_GUTTER_SLOTS
    slot, top = 1 / slots, 18
    base = top + TREND_HEIGHT
    highest = max(amounts.values())
    hot_start, hot_end = _hot_bounds(page)
    days = []
    for index, name in enumerate(dates):
        height = None if name not in covered else TREND_HEIGHT * amounts.get(name, 0) / highest
        shown = None if height is None else max(height, 2.0)
        days.append(
            Day(
                date=name,
                x=pct(slot * (index + TREND_GUTTER_SLOTS + 0.13)),
                y=f"{base - (shown or 0):.1f}",
                height=None if shown is None else f"{shown:.1f}",
                hot=hot_start <= name < hot_end,
            )
        )
    hot = [index for index, day in enumerate(days) if day.hot]
    hot_x = slot * (hot[0] + TREND_GUTTER_SLOTS) if hot else 0.0
    return Trend(
        client=client,
        days=tuple(days),
        grid=_grid(highest, base),
        bar_width=pct(slot * 0.74),
        slot_width=pct(slot),
        hot_x=pct(hot_x) if hot else None,
        hot_width=pct(slot * len(hot)),
        hot_middle=pct(min(max(hot_x + slot * len(hot) / 2, 0.15), 0.85)),
        has_gaps=any(day.height is None for day in days),
        highest=highest,
        top=top,
        base=base,
    )


def _window(page: Record, edge: str) -> date:
    bounds = page.get("window")
    return date.fromisoformat(text(bounds if isinstance(bounds, dict) else {}, edge)[:10])


def _days(start: date, end: date) -> list[str]:
    return [(start + timedelta(days=offset)).isoformat() for offset in range((end - start).days)]


def _hot_bounds(page: Record) -> tuple[str, str]:
    """Return the hot week's first day and exclusive end, or an empty span."""
    costs = page.get("costs")
    hot = costs.get("hot_week") if isinstance(costs, dict) else None
    return (text(hot, "start"), text(hot, "end")) if isinstance(hot, dict) else ("", "")


def _grid(highest: float, base: int) -> tuple[GridLine, ...]:
    """Return up to three round values below the tallest bar."""
    rough = highest / 4
    magnitude = 10 ** math.floor(math.log10(rough)) if rough >= 1 else 1
    step = next(s * magnitude for s in (1, 2, 2.5, 5, 10) if s * magnitude >= rough)
    values = [round(step * count) for count in range(1, 4) if step * count <= highest]
    return tuple(
        GridLine(value, round(base - TREND_HEIGHT * value / highest, 1)) for value in values
    )


def lengths(values: Sequence[float | None]) -> tuple[str, ...]:
    """Return each value as a length relative to the largest; unknown ones have none."""
    largest = max((value for value in values if value is not None), default=0.0)
    return tuple(pct(value / largest) if value and largest else "0%" for value in values)
