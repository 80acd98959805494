"""The quality page of a week, ``quality.html``: every check, what it was asked of, what it found.

Made from the results in ``page.json`` and nothing else; one file that asks for nothing, with the
style sheet of the page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from fleet_pipeline.publishing import page as pages
from fleet_pipeline.publishing.addressed import Figures
from fleet_pipeline.publishing.figures import Record, records, text

QUALITY_FILE: Final = "quality.html"
_OF_THE_WEEK: Final = "The week as a whole"


@dataclass(frozen=True, slots=True)
class CheckedTable:
    """One table and what its checks found, those that failed first."""

    name: str
    results: tuple[Record, ...]

    @property
    def failing(self) -> int:
        """Count the checks that failed."""
        return sum(not result["passed"] for result in self.results)


def render_quality(page: Mapping[str, object]) -> str:
    """Return the HTML of a week's quality page; the same page always gives the same text."""
    style = pages.style()
    rendered = (
        pages.templates()
        .get_template("quality.html")
        .render(
            page=page,
            fig=Figures(page).fig,
            style=Markup(style),
            policy=pages.content_security_policy(style),
            tables=_by_table(records(page, "checks.results")),
            accepted={text(row, "check"): row for row in records(page, "checks.accepted")},
        )
    )
    return "\n".join(line for line in rendered.split("\n") if line.strip()) + "\n"


def _by_table(results: Sequence[Record]) -> list[CheckedTable]:
    """Group results by table: tables with a failure first, then by name."""
    groups: dict[str, list[Record]] = {}
    for result in results:
        groups.setdefault(text(result, "table") or _OF_THE_WEEK, []).append(result)
    tables = [
        CheckedTable(name, tuple(sorted(rows, key=lambda row: (bool(row["passed"]), row["name"]))))
        for name, rows in groups.items()
    ]
    return sorted(tables, key=lambda table: (not table.failing, table.name))
