"""Quality against price: candidates as dots with their intervals, the Pareto frontier as steps."""

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
    """One candidate: its place on the price axis, and the heights of its dot and interval."""

    model: str
    name: str
    place: float
    y: float
    low: float
    high: float
    leads: bool

    @property
    def x(self) -> str:
        """Place of the dot across."""
        return pct(self.place)

    @property
    def anchor(self) -> str:
        """Side of the dot on which its name has room."""
        return "start" if self.place < 0.6 else "end"


@dataclass(frozen=True, slots=True)
class Frontier:
    """Dots, the frontier's steps as lines, and labelled lines of quality and ticks of price."""

    candidates: tuple[Candidate, ...]
    steps: tuple[tuple[str, str, float, float], ...]
    grid: tuple[tuple[float, float], ...]
    ticks: tuple[tuple[str, float], ...]
    top: int = TOP
    base: int = TOP + HEIGHT


def frontier(page: Record) -> Frontier | None:
    """Return the picture where two candidates were probed and are priced, else None.

    Quality is the expected pass rate, the price that of a million tokens at the fleet's own mix. A
    logarithmic axis has no zero: free candidates have a strip of their own.
    """
    known = [
        (row, quality, cost)
        for row in records(page, "ranking")
        if row.get("n_probes")
        and (quality := _number(row, "posterior_mean")) is not None
        and (cost := _number(row, "cost_usd_per_mtok")) is not None
    ]
    if len(known) < 2:
        return None
    paid = [cost for *_, cost in known if cost > 0] or [1.0]
    prices = Logarithmic(min(paid) / 1.6, max(paid) * 1.6, _START, 0.97)
    marks = [_number(row, name) for row, *_ in known for name in ("q05", "posterior_mean", "q95")]
    shown = [value for value in marks if value is not None]
    lowest, highest = min(shown), max(shown)
    margin = max((highest - lowest) * 0.12, 0.02)

    def height(quality: float) -> float:
        part = (quality - lowest + margin) / (highest - lowest + 2 * margin)
        return round(TOP + HEIGHT * (1 - part), 1)

    candidates = tuple(
        Candidate(
            model=text(row, "model"),
            name=text(row, "name") or text(row, "model"),
            place=prices.at(cost) if cost > 0 else _FREE_X,
            y=height(quality),
            low=height(_number(row, "q05") or quality),
            high=height(_number(row, "q95") or quality),
            leads=row.get("pareto") is True,
        )
        for row, quality, cost in known
    )
    tens = [part / 10 for part in range(11)]
    return Frontier(
        candidates=candidates,
        steps=_steps([each for each in candidates if each.leads]),
        grid=tuple((part, height(part)) for part in tens if lowest <= part <= highest),
        ticks=tuple(
            (pct(prices.at(usd)), usd)
            for usd in (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
            if prices.lowest <= usd <= prices.highest
        ),
    )


def _number(row: Record, name: str) -> float | None:
    value = row.get(name)
    return float(value) if isinstance(value, int | float) else None


def _steps(leaders: list[Candidate]) -> tuple[tuple[str, str, float, float], ...]:
    """Return the frontier from the cheapest leader on: along its quality, then up to the next."""
    leaders = sorted(leaders, key=lambda each: (each.place, -each.y))
    lines = []
    for each, after in zip(leaders, [*leaders[1:], None], strict=True):
        end = after.place if after else 1.0
        lines.append((pct(each.place), pct(end), each.y, each.y))
        if after:
            lines.append((pct(end), pct(end), each.y, after.y))
    return tuple(lines)
