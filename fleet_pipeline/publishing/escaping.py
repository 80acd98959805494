"""What hostile text looks like once it is harmless: in HTML, Markdown, CSV and anchors.

Names of models, agents and hosts come out of logs that anybody may have written. HTML escaping
itself is Jinja's; this module adds what Jinja leaves through.
"""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Final

MARKDOWN_CAP: Final = 120
PROSE_CAP: Final = 600
REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"

_PLAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]*")
_MARKDOWN_MARKS = re.compile(r"([\\`*_\[\]|~])")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def printable(value: str) -> str:
    """Replace what has no glyph of its own: control, bidirectional and other format characters.

    Line breaks and tabs become spaces. A right-to-left override would otherwise rewrite the row it
    stands in, and a NUL is not allowed in HTML at all.
    """
    spaced = re.sub(r"[\t\r\n\x0b\x0c\x85\u2028\u2029]+", " ", value)
    return "".join(
        REPLACEMENT if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co"} else character
        for character in spaced
    )


def markdown_text(value: str, cap: int = MARKDOWN_CAP) -> str:
    """Escape text for a Markdown table cell or paragraph; at most ``cap`` characters of it."""
    clean = printable(value).strip()
    if len(clean) > cap:
        clean = clean[: cap - 1].rstrip() + "…"
    clean = clean.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKDOWN_MARKS.sub(r"\\\1", clean)


def markdown_id(value: str) -> str:
    """Write a model or agent id as a code span.

    An id with any unusual character is escaped as text: inside a code span a pipe still ends a
    table cell and a backslash no longer escapes, so no fence is safe for every string.
    """
    if len(value) <= MARKDOWN_CAP and _PLAIN_ID.fullmatch(value):
        return f"`{value}`"
    return markdown_text(value)


def csv_text(value: str) -> str:
    """Disarm a cell that a spreadsheet would run as a formula; numbers and a lone dash stay."""
    if value[:1] in {"=", "+", "-", "@", "\t", "\r"}:
        if value == "-" or _NUMBER.fullmatch(value):
            return value
        return f"'{value}"
    return value


def slug(value: str) -> str:
    """Return an id in lower-case letters, digits and hyphens: ``z-ai-glm-5-2``."""
    return re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")[:80] or "unnamed"


def anchors(prefix: str, ids: Iterable[str]) -> dict[str, str]:
    """Give each id its own stable anchor, from the id alone and never from its rank.

    Ids that share a slug each carry six hex digits of their own hash.
    """
    distinct = set(ids)
    shared = Counter(slug(value) for value in distinct)
    return {
        value: f"{prefix}-{slug(value)}" + (f"-{_digest(value)}" if shared[slug(value)] > 1 else "")
        for value in sorted(distinct)
    }


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode(errors="surrogatepass")).hexdigest()[:6]
