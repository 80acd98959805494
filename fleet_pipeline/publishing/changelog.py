"""What changed from week to week, over all weeks of a site: JSON lines, Markdown, an Atom feed.

Pure, and made anew from the weeks' own pages at each publication. A model's words reach these files
escaped; the feed's addresses are relative to the site, which does not know where it is served.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Final
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree as Xml

from fleet_pipeline.publishing.escaping import markdown_id, markdown_text, printable
from fleet_pipeline.publishing.figures import Record, records, text

JSONL_FILE: Final = "changelog.jsonl"
MARKDOWN_FILE: Final = "changelog.md"
ATOM_FILE: Final = "feed.xml"
WEEKS_SHOWN: Final = 26
"""Half a year: in Markdown and in the feed. The JSON lines hold every week."""

_ATOM: Final = "http://www.w3.org/2005/Atom"
_VERBS: Final = {
    "held": "held back",
    "repriced": "repriced",
    "place": "place",
    "gone": "gone",
    "new": "new",
    "retires": "end of life",
    "quota": "quota",
    "policy": "policy",
}


def changelog_files(pages: Iterable[Mapping[str, object]]) -> dict[str, bytes]:
    """Return the files by name, made of the pages of all weeks, in whatever order."""
    weeks = sorted(pages, key=lambda page: text(page, "as_of"))
    newest_first = weeks[::-1][:WEEKS_SHOWN]
    return {
        JSONL_FILE: _json_lines(weeks),
        MARKDOWN_FILE: _markdown(newest_first),
        ATOM_FILE: _atom(newest_first),
    }


def is_told(change: Record) -> bool:
    """Say whether a change is worth a line: of a candidate, a free model, or a free tier."""
    return (
        bool(change.get("is_candidate"))
        or change.get("kind") in ("quota", "policy")
        or text(change, "subject").endswith(":free")
    )


def _json_lines(weeks: Iterable[Record]) -> bytes:
    lines = [
        json.dumps({"as_of": text(page, "as_of"), **change}, ensure_ascii=True)
        for page in weeks
        for change in records(page, "changes")
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def _markdown(weeks: Iterable[Record]) -> bytes:
    parts = ["# What changed, week by week", "Generated; the newest week first."]
    for page in weeks:
        told = [change for change in records(page, "changes") if is_told(change)]
        lines = [
            f"- {_VERBS.get(text(change, 'kind'), '')}: {markdown_id(text(change, 'subject'))},"
            f" {markdown_text(_what(change))}"
            for change in told
        ]
        parts.append(f"## {text(page, 'as_of')}")
        parts.append("\n".join(lines) or "Nothing that is known changed.")
    return ("\n\n".join(parts) + "\n").encode(errors="backslashreplace")


def _atom(weeks: list[Record]) -> bytes:
    Xml.register_namespace("", _ATOM)
    org = text(weeks[0], "org") if weeks else ""
    feed = Xml.Element(f"{{{_ATOM}}}feed")
    _add(feed, "id", _urn(org))
    _add(feed, "title", f"{text(weeks[0], 'title') if weeks else org}: what changed")
    _add(feed, "updated", _midnight(weeks[0]) if weeks else "1970-01-01T00:00:00Z")
    _add(_add(feed, "author"), "name", org or "fleet")
    for page in weeks:
        as_of = text(page, "as_of")
        told = [change for change in records(page, "changes") if is_told(change)]
        entry = _add(feed, "entry")
        _add(entry, "id", _urn(f"{org}/{as_of}"))
        _add(entry, "title", f"{as_of}: {len(told)} {'change' if len(told) == 1 else 'changes'}")
        _add(entry, "updated", _midnight(page))
        _add(entry, "link").set("href", f"weeks/{as_of}/index.html")
        lines = [
            f"{_VERBS.get(text(change, 'kind'), '')}: {text(change, 'subject')}, {_what(change)}"
            for change in told
        ]
        _add(entry, "content", "; ".join(lines) or "Nothing that is known changed.")
    Xml.indent(feed)
    return bytes(Xml.tostring(feed, encoding="utf-8", xml_declaration=True)) + b"\n"


def _what(change: Record) -> str:
    """Return what of a subject became what, and since when by whose word."""
    field = text(change, "field").replace("_", " ")
    before, after = text(change, "before", "n/a"), text(change, "after", "n/a")
    moved = f"{field} {before} to {after}"
    if text(change, "kind") in ("new", "gone"):
        moved = "listed" if text(change, "kind") == "new" else "no longer listed"
    elif text(change, "kind") == "held":
        moved = f"{after} ({field})"
    by = " ".join(part for part in (text(change, "source"), text(change, "on")) if part)
    return f"{moved} ({by})" if by else moved


def _add(parent: Xml.Element, name: str, content: str = "") -> Xml.Element:
    child = Xml.SubElement(parent, f"{{{_ATOM}}}{name}")
    child.text = printable(content) or None
    return child


def _urn(name: str) -> str:
    return f"urn:uuid:{uuid5(NAMESPACE_URL, f'fleet-pipeline/{name}')}"


def _midnight(page: Record) -> str:
    return f"{text(page, 'as_of')}T00:00:00Z"
