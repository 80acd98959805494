"""Living copies of the ranking: what fleet writes is renewed, what people wrote is kept."""

import re
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_pipeline.errors import PublicationError
from fleet_pipeline.publishing.markdown import render_ranking
from fleet_pipeline.publishing.regions import fenced, renewed
from fleet_pipeline.publishing.site import publish

from .reference_page import changed, reference_page
from .test_site import tree

Tables = dict[str, pl.DataFrame]
OLD, NEW = render_ranking(reference_page()), render_ranking(changed(ranking__0__route="New route"))
NOTE = "Our own remark: ask Zach before moving Sage.\n"


def with_notes(text: str) -> str:
    """Write a note before the first region, between two, and after the last."""
    begun = text.replace("<!-- fleet:begin head", f"{NOTE}\n<!-- fleet:begin head", 1)
    between = begun.replace("<!-- fleet:begin costs", f"## Mine\n\n{NOTE}\n<!-- fleet:begin costs")
    return f"{between}\n{NOTE}"


def test_without_notes_a_copy_is_the_new_ranking_itself() -> None:
    assert renewed(OLD, NEW) == NEW
    assert renewed("", NEW) == NEW


def test_notes_before_between_and_after_the_regions_are_kept() -> None:
    assert renewed(with_notes(OLD), NEW) == with_notes(NEW)
    assert renewed(with_notes(OLD), OLD) == with_notes(OLD)


def test_regions_may_be_put_into_another_order() -> None:
    regions = re.findall(r"<!-- fleet:begin .*?<!-- fleet:end [a-z-]+ -->", OLD, re.DOTALL)
    front = OLD.split("---\n", 2)[1]
    moved = f"---\n{front}---\n\n" + "\n\n".join(reversed(regions)) + "\n"
    again = renewed(moved, NEW)
    assert "New route" in again
    assert re.findall(r"fleet:begin ([a-z-]+)", again)[-1] == "head"


def test_a_region_that_is_new_comes_last_and_one_that_is_no_more_goes() -> None:
    front = OLD.split("---\n", 2)[1]
    body = f"{fenced('head', 'a')}\n\nnote\n\n{fenced('gone', 'b')}\n"
    again = renewed(f"---\n{front}---\n\n{body}", NEW)
    assert re.findall(r"fleet:begin ([a-z-]+)", again) == re.findall(r"fleet:begin ([a-z-]+)", NEW)
    assert "\nnote\n" in again and "gone" not in again


@pytest.mark.parametrize(
    ("edited", "says"),
    [
        (OLD.replace("GLM 5.2", "GLM 5.3"), "edited by hand in the region ranking; move your"),
        (OLD.replace("<!-- fleet:end costs -->", ""), "where none may stand; delete the region co"),
        (OLD.replace("<!-- fleet:end changes -->", ""), "lacks the end of the region changes"),
        (OLD + fenced("costs", "x"), "has the region costs twice"),
        ("# My own file\n", "was not written by fleet; move it away"),
    ],
)
def test_an_edited_file_is_refused_by_name_and_nothing_is_published(
    edited: str, says: str, tmp_path: Path, tables: Tables
) -> None:
    publish(tmp_path / "site", reference_page(), tables)
    place = tmp_path / "shared" / "ranking.md"
    place.parent.mkdir()
    place.write_text(edited)
    before = tree(tmp_path)
    with pytest.raises(PublicationError) as refused:
        publish(tmp_path / "site", changed(owner="New"), tables, [tmp_path / "ok.md", place])
    assert str(refused.value).startswith(f"{place} ")
    assert says in str(refused.value)
    assert tree(tmp_path) == before


def test_a_copy_of_a_version_without_regions_is_replaced() -> None:
    legacy = OLD.split("<!--")[0] + "Generated; do not edit\n\n## Model ranking\n"
    assert renewed(legacy, NEW) == NEW


def test_windows_line_ends_are_no_edit() -> None:
    assert renewed(with_notes(OLD).replace("\n", "\r\n"), NEW) == with_notes(NEW)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")))
def test_any_note_is_kept_word_for_word(note: str) -> None:
    note = note.replace("fleet:", "")
    once = renewed(f"{OLD}\n{note}\n.", NEW)
    assert once == f"{NEW}\n{note}\n.\n"
    assert renewed(once, NEW) == once
