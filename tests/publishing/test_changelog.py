"""What changed over all weeks of a site: JSON lines, Markdown, an Atom feed."""

import copy
import json
from pathlib import Path
from xml.etree import ElementTree as Xml

import polars as pl

from fleet_pipeline.publishing.changelog import WEEKS_SHOWN, changelog_files
from fleet_pipeline.publishing.site import publish

from .reference_page import changed, reference_page

ATOM = {"a": "http://www.w3.org/2005/Atom"}


def week(as_of: str, **change: object) -> dict[str, object]:
    page = reference_page()
    [usual] = page["changes"]
    return copy.deepcopy({**page, "as_of": as_of, "changes": [{**usual, **change}]})


def test_the_json_lines_hold_every_change_of_every_week() -> None:
    quiet = week("2026-06-17", is_candidate=False, subject="vendor/other")
    lines = changelog_files([quiet, week("2026-06-10")])["changelog.jsonl"].decode().splitlines()
    assert [(json.loads(line)["as_of"], json.loads(line)["subject"]) for line in lines] == [
        ("2026-06-10", "qwen/qwen3.7-plus"),
        ("2026-06-17", "vendor/other"),
    ]


def test_the_markdown_tells_what_concerns_the_fleet_newest_week_first() -> None:
    quiet = week("2026-06-17", is_candidate=False, subject="vendor/other")
    told = changelog_files([week("2026-06-10"), quiet])["changelog.md"].decode()
    assert told.index("## 2026-06-17") < told.index("## 2026-06-10")
    assert "vendor/other" not in told
    assert "input 0.3 to 0.32 (openrouter 2026-06-12)" in told


def test_a_change_of_place_is_told_in_all_three() -> None:
    moved = {"kind": "place", "field": "overall", "before": "2", "after": "1"}
    files = changelog_files([week("2026-06-10", **moved, source="model_ranking", on=None)])
    assert json.loads(files["changelog.jsonl"])["kind"] == "place"
    said = "place: qwen/qwen3.7-plus, overall 2 to 1 (model_ranking)"
    feed = Xml.fromstring(files["feed.xml"])
    assert feed.findtext("a:entry/a:content", None, ATOM) == said
    assert "- place: " in files["changelog.md"].decode()


def test_the_feed_is_atom_with_an_entry_for_each_of_the_last_weeks() -> None:
    weeks = [week(f"2026-{month:02}-{day:02}") for month in (4, 5, 6) for day in range(1, 11)]
    feed = Xml.fromstring(changelog_files(weeks)["feed.xml"])
    entries = feed.findall("a:entry", ATOM)
    assert len(entries) == WEEKS_SHOWN
    newest = entries[0]
    assert newest.findtext("a:updated", None, ATOM) == "2026-06-10T00:00:00Z"
    assert newest.find("a:link", ATOM).get("href") == "weeks/2026-06-10/index.html"
    ids = [entry.findtext("a:id", None, ATOM) for entry in entries]
    assert len(set(ids)) == len(ids)


def test_a_name_that_would_be_markup_is_text_in_all_three() -> None:
    files = changelog_files([week("2026-06-10", subject="<b>&\x00]]>", kind="quota")])
    feed = Xml.fromstring(files["feed.xml"])
    assert "<b>&" in str(feed.findtext("a:entry/a:content", None, ATOM))
    assert "<b>" not in files["changelog.md"].decode()
    assert json.loads(files["changelog.jsonl"])["subject"] == "<b>&\x00]]>"


def test_a_site_keeps_its_changelog_whatever_the_order_of_its_weeks(
    tmp_path: Path, tables: dict[str, pl.DataFrame]
) -> None:
    weeks = [week("2026-06-10"), week("2026-06-17", after="0.4")]
    for site, order in (("one", weeks), ("two", weeks[::-1])):
        for page in order:
            publish(tmp_path / site, page, tables)
    for name in ("changelog.jsonl", "changelog.md", "feed.xml"):
        one = (tmp_path / "one" / name).read_bytes()
        assert one == (tmp_path / "two" / name).read_bytes()
        assert b"2026-06-10" in one and b"2026-06-17" in one


def test_a_page_of_an_older_version_tells_no_change() -> None:
    old = reference_page()
    del old["changes"]
    assert changelog_files([old])["changelog.jsonl"] == b""


def test_prices_that_are_too_old_leave_the_ranking_out_and_say_so() -> None:
    from fleet_pipeline.publishing.markdown import render_ranking
    from fleet_pipeline.publishing.page import render_page

    page = changed(ranking=[], prices__ranking_withheld="the newest prices are 17 days old")
    assert "No ranking this week:" in render_page(page)
    assert "None this week: the newest prices are 17 days old." in render_ranking(page)
