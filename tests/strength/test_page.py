"""docs/reliability.md is put together of what several commands measured."""

import pytest

from . import page


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "PAGE", tmp_path / "reliability.md")


def test_a_section_is_written_in_its_place_and_leaves_the_others_as_they_are():
    page.write_section("The soak", ["52 weeks"])
    page.write_section("Reliability", ["22 of 22", "", "| a | b |"])
    page.write_section("Branch coverage", ["99 %"])
    page.write_section("The soak", ["53 weeks"])
    assert page.PAGE.read_text() == (
        "# Reliability\n\n22 of 22\n\n| a | b |\n\n"
        "## The soak\n\n53 weeks\n\n"
        "## Branch coverage\n\n99 %\n"
    )
    assert page.section("Reliability") == ["22 of 22", "", "| a | b |"]
    assert page.section("Mutation testing") == []
