"""docs/reliability.md: every section is written by the command that measured it."""

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


def write_section(heading: str, lines: Sequence[str]) -> None:
    """Put ``lines`` under a heading of ``ORDER``; every other section stays as it is."""
    text = PAGE.read_text() if PAGE.exists() else ""
    sections = {}
    for section in ("\n" + text).split("\n## " if not text else "\n#")[1:]:
        title, _, body = section.lstrip("#").strip().partition("\n")
        sections[title] = body.strip()
    sections[heading] = "\n".join(lines).strip()
    PAGE.write_text(
        "\n".join(
            f"{'#' if title == ORDER[0] else '##'} {title}\n\n{sections[title]}\n"
            for title in ORDER
            if title in sections
        )
    )
