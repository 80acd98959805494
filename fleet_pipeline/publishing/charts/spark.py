"""Lines of a few weeks, small enough for a table's cell."""

from collections.abc import Sequence
from typing import Final

from fleet_pipeline.publishing.figures import Record, records, text

WIDTH: Final = 76
HEIGHT: Final = 18


def sparks(page: Record) -> dict[str, tuple[str, str, str]]:
    """Return each agent's weeks as points of a line, and the place of the last one.

    Only whole weeks: a week that misses days would look like a slump.
    """
    weeks: dict[str, list[float]] = {}
    for row in records(page, "agent_weeks"):
        tokens = row.get("full_input_tokens")
        if row.get("days_covered") == 7 and isinstance(tokens, int):
            weeks.setdefault(text(row, "agent"), []).append(tokens)
    return {agent: _line(values) for agent, values in weeks.items() if len(values) > 1}


def _line(values: Sequence[float]) -> tuple[str, str, str]:
    low, span = min(values), max(values) - min(values)
    places = [
        (
            2 + WIDTH * index / (len(values) - 1),
            11.0 if not span else 2 + HEIGHT * (1 - (value - low) / span),
        )
        for index, value in enumerate(values)
    ]
    line = " ".join(f"{x:.0f},{y:.1f}" for x, y in places)
    return line, f"{places[-1][0]:.0f}", f"{places[-1][1]:.1f}"
