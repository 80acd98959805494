"""docs/reliability.md: every section is written by the command that measured it."""

import re
from collections.abc import Sequence

from tests.strength.subjects import ROOT

PAGE = ROOT / "docs" / "reliability.md"
ORDER = (
    "Reliability",
    "Where a proof is weaker than its row",
    "The soak",
    "Mutation testing",
    "Branch coverage",
)


def section(heading: str) -> list[str]:
    """Return the lines that now stand under a heading."""
    return _sections().get(heading, "").splitlines()


def write_section(heading: str, lines: Sequence[str]) -> None:
    """Put ``lines`` under a heading of ``ORDER``; every other section stays as it is."""
    sections = {**_sections(), heading: "\n".join(lines).strip()}
    PAGE.write_text(
        "\n".join(
            f"{'#' if title == ORDER[0] else '##'} {title}\n\n{sections[title]}\n"
            for title in ORDER
            if title in sections
        )
    )


def _sections() -> dict[str, str]:
    text = PAGE.read_text() if PAGE.exists() else ""
    found = re.split(r"^##? (.+)$", text, flags=re.MULTILINE)[1:]
    return {title: body.strip() for title, body in zip(found[::2], found[1::2], strict=True)}
