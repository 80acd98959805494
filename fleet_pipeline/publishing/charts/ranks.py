"""Rank by week: one line for each candidate, at most eight of them over at most eight weeks."""

from dataclasses import dataclass
from typing import Final

from fleet_pipeline.publishing.charts.scale import pct
from fleet_pipeline.publishing.figures import Record, records, text

ROW: Final = 26
_MOST: Final = 8
_END: Final = 0.58


@dataclass(frozen=True, slots=True)
class RankLine:
    """One candidate's places, the oldest week first, and whether it moved in the last one."""

    model: str
    name: str
    rank: int
    points: tuple[tuple[float, int], ...]
    """Shares of the width, and pixels down."""
    moved: bool

    @property
    def path(self) -> str:
        """The line in a box a thousand wide and as high as the chart."""
        return "L".join(f"{1000 * x:.0f} {y}" for x, y in self.points)

    @property
    def ends(self) -> tuple[tuple[str, int], tuple[str, int]]:
        """Where the line begins and ends."""
        (first, top), (last, bottom) = self.points[0], self.points[-1]
        return (pct(first), top), (pct(last), bottom)


@dataclass(frozen=True, slots=True)
class Ranks:
    """The lines and the weeks under them."""

    lines: tuple[RankLine, ...]
    weeks: tuple[tuple[str, str], ...]
    height: int

    @property
    def is_flat(self) -> bool:
        """Whether nobody moved in any of the weeks."""
        return all(len({y for _, y in line.points}) == 1 for line in self.lines)


def ranks(page: Record) -> Ranks | None:
    """Return the picture where at least two weeks of ranks are known, else None.

    ``rank_history`` holds a row for each model and week: ``close``, ``model``, ``rank``.
    """
    rows = records(page, "rank_history")
    weeks = sorted({text(row, "close") for row in rows})[-_MOST:]
    if len(weeks) < 2:
        return None
    places = {close: _END * index / (len(weeks) - 1) + 0.02 for index, close in enumerate(weeks)}
    by_model: dict[str, dict[str, int]] = {}
    for row in rows:
        rank = row.get("rank")
        if text(row, "close") in places and isinstance(rank, int) and rank <= _MOST:
            by_model.setdefault(text(row, "model"), {})[text(row, "close")] = rank
    lines = []
    for row in records(page, "ranking")[:_MOST]:
        model = text(row, "model")
        known = by_model.get(model, {})
        if weeks[-1] not in known:
            continue
        points = tuple((places[w], 14 + ROW * (known[w] - 1)) for w in weeks if w in known)
        moved = known[weeks[-1]] != known.get(weeks[-2])
        name = text(row, "name") or model
        lines.append(RankLine(model, name, known[weeks[-1]], points, moved))
    deepest = max((y for line in lines for _, y in line.points), default=14)
    return Ranks(tuple(lines), tuple((pct(places[w]), w) for w in weeks), deepest + 36)
