"""Numbers of a page that no address explains: there must be none."""

import re
from collections.abc import Iterator
from typing import Final

from .outline import Outline

STATED: Final = frozenset((
    "title", "owner", "week", "version", "rules_version", "cache_assumption", "because", "role",
    "use", "provider", "best_lane", "use_when", "avoid_when", "task_type", "work_type", "driver",
    "effort", "now", "target", "rationale", "default_route", "escalate_when", "route", "limit",
    "name", "display_name", "model", "reference_model", "reference_model_name", "stays_on",
    "provider_model", "subject", "source", "host", "table",
))  # fmt: skip
"""Fields that hold a name or the operator's own prose; what a table measured is not among them."""
PROSE: Final = frozenset(("principles", "hard_rules", "operating_rule", "badges"))
NAMED: Final = (
    r"\b(5|five)[ -]hours?|\b5 ?m(in)?\b|\b1 ?h\b|\b30 days|\b7 days|30/7",  # lengths of windows
    r"9\d(%|th)",  # which interval, which percentile
    r"1\.1 to 1\.35|never 0|weight 1|by 1 in the last digit|beyond 3\.5|2,000 draws",  # method
    r"00:00 UTC|sha256:\w+|SHA256",
)
"""Digits that name something and measure nothing."""


def loose_numbers(read: Outline, page: dict[str, object]) -> list[str]:
    """Return what is seen with a digit that is no figure; of descriptions, what none beside says.

    Left aside are axes, names, and what the operator wrote.
    """
    told = {text for text in _stated(page) if re.search(r"\d", text)}
    shown = {text for _, text in read.figures}
    return [
        text
        for texts, known in ((read.untraced, told), (read.described, told | shown))
        for text in texts
        if re.search(r"\d", _without(text, known))
    ]


def _without(text: str, known: set[str]) -> str:
    for each in sorted(known, key=len, reverse=True):
        text = text.replace(each, "")
    for pattern in NAMED:
        text = re.sub(pattern, "", text)
    return text


def _stated(node: object, name: str = "", *, prose: bool = False) -> Iterator[str]:
    if isinstance(node, dict):
        for inner, value in node.items():
            yield from _stated(value, str(inner), prose=prose or inner in PROSE)
    elif isinstance(node, list):
        for value in node:
            yield from _stated(value, name, prose=prose)
    elif isinstance(node, str) and (prose or name in STATED):
        yield node
