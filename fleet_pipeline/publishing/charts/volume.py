"""A bar per row: what stays and, hatched behind it, what can move."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fleet_pipeline.publishing.charts.scale import amount, pct
from fleet_pipeline.publishing.figures import Record

_SHORTEST: Final = 0.004
"""What is not nothing can be seen."""


@dataclass(frozen=True, slots=True)
class Volume:
    """A row's bar: what stays and, behind it, what can move; relative to the largest row."""

    row: Record
    stays: str
    moves: str | None


def volumes(rows: Sequence[Record], moves: str) -> tuple[Volume, ...]:
    """Return the bars of some rows in their order; ``moves`` is the field of what can move."""
    largest = max((amount(row, "full_input_tokens") for row in rows), default=0.0)
    bars = []
    for row in rows:
        full = amount(row, "full_input_tokens")
        moved = min(amount(row, moves), full)
        shortest = _SHORTEST if full and not moved else 0.0
        stays = pct(max((full - moved) / largest, shortest)) if largest else "0%"
        bars.append(Volume(row, stays, pct(moved / largest) if largest and moved else None))
    return tuple(bars)
