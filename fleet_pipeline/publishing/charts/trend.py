"""The days of the window as bars: the hot week shaded, missing days hatched."""

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from fleet_pipeline.publishing.charts.scale import amount, pct
from fleet_pipeline.publishing.figures import Record, records, text

TREND_HEIGHT: Final = 110
TREND_GUTTER_SLOTS: Final = 3
"""Empty slots at the left of the trend, where the axis labels stand."""


@dataclass(frozen=True, slots=True)
class GridLine:
    """A labelled height of the trend, in tokens."""

    tokens: int
    y: float


@dataclass(frozen=True, slots=True)
class Trend:
    """Full input per day of one client; marks are in percent across and pixels down."""

    client: str
    usual: str
    """The bars of most days, as a path in a box a thousand wide and the chart's height high."""
    hot: str
    """Those of the hot week."""
    missing: tuple[str, ...]
    """Where the days stand that no transcript covers."""
    days: int
    first_x: str
    grid: tuple[GridLine, ...]
    bar_width: str
    slot_width: str
    hot_x: str | None
    hot_width: str
    hot_middle: str
    highest: float
    top: int
    base: int


def trend(page: Record) -> Trend | None:
    """Return the trend of Claude Code, or of Codex where Claude Code has nothing to show."""
    daily = records(page, "daily")
    for client in ("claude", "codex"):
        amounts = {
            text(row, "date"): amount(row, "full_input_tokens")
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
    bars = {False: "", True: ""}
    missing = []
    for index, name in enumerate(dates):
        place = slot * (index + TREND_GUTTER_SLOTS + 0.13)
        if name in covered:
            height = max(TREND_HEIGHT * amounts.get(name, 0) / highest, 2.0)
            bar = f"M{1000 * place:.0f} {TREND_HEIGHT}v-{height:.1f}h{740 * slot:.0f}v{height:.1f}z"
            bars[hot_start <= name < hot_end] += bar
        else:
            missing.append(pct(place))
    hot = [index for index, name in enumerate(dates) if hot_start <= name < hot_end]
    hot_x = slot * (hot[0] + TREND_GUTTER_SLOTS) if hot else 0.0
    return Trend(
        client=client,
        usual=bars[False],
        hot=bars[True],
        missing=tuple(missing),
        days=len(dates),
        first_x=pct(slot * (TREND_GUTTER_SLOTS + 0.13)),
        grid=_grid(highest, base),
        bar_width=pct(slot * 0.74),
        slot_width=pct(slot),
        hot_x=pct(hot_x) if hot else None,
        hot_width=pct(slot * len(hot)),
        hot_middle=pct(min(max(hot_x + slot * len(hot) / 2, 0.15), 0.85)),
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
