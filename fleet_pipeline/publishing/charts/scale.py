"""Places along a bar or an axis: percentages of the drawing's width, from amounts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fleet_pipeline.publishing.figures import Record


def pct(share: float) -> str:
    """Write a share of the width as an SVG length."""
    return f"{100 * share:.2f}".rstrip("0").rstrip(".") + "%"


def amount(row: Record, name: str) -> float:
    """Return a field as a number; what is not known has no length."""
    value = row.get(name)
    return float(value) if isinstance(value, int | float) else 0.0


def lengths(values: Sequence[float | None]) -> tuple[str, ...]:
    """Return each value as a length relative to the largest; unknown ones have none."""
    largest = max((value for value in values if value is not None), default=0.0)
    return tuple(pct(value / largest) if value and largest else "0%" for value in values)


@dataclass(frozen=True, slots=True)
class Logarithmic:
    """A logarithmic axis between two amounts above zero, ``start`` to ``end`` of the width."""

    lowest: float
    highest: float
    start: float = 0.0
    end: float = 1.0

    def at(self, value: float) -> float:
        """Return the place of an amount as a share of the width."""
        part = math.log(value / self.lowest) / math.log(self.highest / self.lowest)
        return self.start + part * (self.end - self.start)
