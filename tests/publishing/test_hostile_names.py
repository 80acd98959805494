"""Hostile names are harmless in the changelog, the feed and CSV; the page has tests of its own."""

import csv
import io
import re
from xml.etree import ElementTree as Xml

import polars as pl
import pytest

from fleet_pipeline.publishing.changelog import ATOM_FILE, MARKDOWN_FILE, changelog_files
from fleet_pipeline.publishing.tables import csv_bytes

from .hostile import HOSTILE
from .reference_page import changed


def a_change(name: str) -> dict[str, object]:
    return {
        "kind": "repriced", "subject": name, "field": "input", "before": name, "after": name,
        "on": "2026-06-16", "source": name, "is_candidate": True,
    }  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_in_the_feed_and_breaks_no_line_of_the_changelog(name: str) -> None:
    files = changelog_files([changed(changes=[a_change(name)], title=name, org=name)])
    feed = Xml.fromstring(files[ATOM_FILE])
    known = {"feed", "id", "title", "updated", "author", "name", "entry", "link", "content"}
    assert {element.tag.rpartition("}")[2] for element in feed.iter()} == known
    markdown = files[MARKDOWN_FILE].decode()
    assert "<" not in markdown and not re.search(r"(?<!\\)\]\(", markdown)
    assert len([line for line in markdown.split("\n") if line.startswith("- ")]) == 1


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_one_cell_of_csv_and_no_formula(name: str) -> None:

    written = csv_bytes("agents", pl.DataFrame({"agent": [name], "requests": [1]})).decode()
    rows = list(csv.reader(io.StringIO(written, newline="")))
    assert len(rows) == 2 and len(rows[1]) == 2
    assert rows[1][0][:1] not in {"=", "+", "@", "\t", "\r"}
