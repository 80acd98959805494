"""Tables as plain lines of text: words to the left, figures to the right, two blanks between.

Belongs here: alignment. What stands in a cell is made elsewhere, and is printable when it comes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

Cells = tuple[str, ...]


@dataclass(frozen=True)
class TextTable:
    """Rows of text under titles, with a ``total`` below them or none; ``figures`` go right."""

    titles: Cells
    rows: Sequence[Cells]
    figures: tuple[bool, ...]
    total: Cells | None = None


def plain(table: TextTable) -> list[str]:
    """Return titles, a rule and the rows; where there is a total, another rule and the total."""
    everything = [table.titles, *table.rows, *([table.total] if table.total else [])]
    widths = [max(map(len, column)) for column in zip(*everything, strict=True)]
    rule = "  ".join("-" * width for width in widths)
    lines = [_aligned(cells, widths, table.figures) for cells in everything]
    end = [rule, lines.pop()] if table.total else []
    return [lines[0], rule, *lines[1:], *end]


def _aligned(cells: Cells, widths: Sequence[int], figures: Sequence[bool]) -> str:
    padded = [
        cell.rjust(width) if is_figure else cell.ljust(width)
        for cell, width, is_figure in zip(cells, widths, figures, strict=True)
    ]
    return "  ".join(padded).rstrip()
