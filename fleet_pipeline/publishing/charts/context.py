"""The share of requests that a window of a given size holds: a curve over a logarithmic axis."""

from dataclasses import dataclass
from typing import Final

from fleet_pipeline.publishing.charts.scale import Logarithmic, amount, pct
from fleet_pipeline.publishing.figures import Record, records, text

TOP: Final = 84
HEIGHT: Final = 200


@dataclass(frozen=True, slots=True)
class Window:
    """The largest prompt that some candidates take, and the share of requests within it."""

    tokens: int
    x: str
    y: int
    names: tuple[str, ...]
    model: str
    """One of the candidates, under whose address the share stands."""


@dataclass(frozen=True, slots=True)
class ContextChart:
    """The curve as a path in a square of a thousand, the windows across it, and the axis."""

    path: str
    windows: tuple[Window, ...]
    ticks: tuple[tuple[str, int], ...]
    base: int = TOP + HEIGHT
    top: int = TOP


def context_chart(page: Record) -> ContextChart | None:
    """Return the curve over sizes from 8,192 tokens on, or None where no request is known."""
    points = [(amount(row, "tokens"), amount(row, "requests_share")) for row in _curve(page)]
    if not points:
        return None
    shown = [(size, share) for size, share in points if size >= 8192] or points[-1:]
    axis = Logarithmic(shown[0][0], max(shown[-1][0], shown[0][0] * 2, 1_200_000))
    steps = [f"L{1000 * axis.at(size):.0f} {1000 * (1 - share):.0f}" for size, share in shown]
    path = f"M0 1000{' '.join(steps)}L1000 {1000 * (1 - shown[-1][1]):.0f}"
    sizes = (8192, 32_768, 131_072, 524_288)
    ticks = tuple((pct(axis.at(size)), size) for size in sizes if size >= axis.lowest)
    return ContextChart(path, _windows(page, axis), ticks)


def _curve(page: Record) -> list[Record]:
    return records(page, "context_curve")


def _windows(page: Record, axis: Logarithmic) -> tuple[Window, ...]:
    """Return the four largest different limits for prompts, the largest first."""
    by_limit: dict[int, list[Record]] = {}
    for row in records(page, "context_fit"):
        limit = int(amount(row, "prompt_limit_tokens"))
        if axis.lowest < limit <= axis.highest and row.get("requests_share") is not None:
            by_limit.setdefault(limit, []).append(row)
    # Limits that lie closer than a label is wide are told as one: the largest of them.
    groups: list[tuple[int, list[Record]]] = []
    for limit, rows in sorted(by_limit.items(), reverse=True):
        if groups and axis.at(groups[-1][0]) - axis.at(limit) < 0.04:
            groups[-1][1].extend(rows)
        else:
            groups.append((limit, list(rows)))
    return tuple(
        Window(
            tokens=limit,
            x=pct(axis.at(limit)),
            y=12 + 18 * index,
            names=tuple(text(row, "name") for row in rows),
            model=text(rows[0], "model"),
        )
        for index, (limit, rows) in enumerate(groups[:4])
    )
