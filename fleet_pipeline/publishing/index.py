"""The index of a site's weeks: ``index.html`` for people, ``weeks.json`` for programs.

Pure. A week's entry holds figures of its own page, each of which is shown with its address there,
and the path of its folder below the index.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Final

from fleet_pipeline.publishing.figures import Record, number, resolve, text
from fleet_pipeline.publishing.page import render_weeks

INDEX_FILE: Final = "index.html"
WEEKS_FILE: Final = "weeks.json"


def entry(page: Mapping[str, object], path: str) -> Record:
    """Return one week as the index has it; ``path`` is its folder, ending in a slash."""
    return {
        "as_of": text(page, "as_of"),
        "path": path,
        "title": text(page, "title"),
        "start": resolve(page, "window.start"),
        "end": resolve(page, "window.end"),
        "days_covered": number(page, "window.days_covered"),
        "checks_passed": number(page, "checks.passed"),
        "checks_warned": number(page, "checks.warned"),
        "changes": number(page, "since_last_week.changes"),
    }


def index_files(entries: Iterable[Record]) -> dict[str, bytes]:
    """Return the index of the weeks, newest first, whatever the order that they came in."""
    weeks = sorted(entries, key=lambda week: text(week, "as_of"), reverse=True)
    document = {"latest": text(weeks[0], "as_of"), "weeks": weeks}
    return {
        INDEX_FILE: render_weeks(weeks).encode(),
        WEEKS_FILE: f"{json.dumps(document, indent=2)}\n".encode(),
    }
