"""``fleet explain``: what it tells of a figure, and the status that it ends with."""

import json
from pathlib import Path

import pytest

from .conftest import Run


@pytest.fixture
def published(fleet: Run, org: Path, machine: Path) -> Path:
    """Publish a tiny demo fleet's week; return the site."""
    demo = machine / "demo"
    assert fleet("demo", "--out", demo, "--requests", "60", "--as-of", "2026-06-17").exit_code == 0
    made = fleet("refresh", "--claude", demo / ".claude", "--codex", demo / ".codex",
                 "--as-of", "2026-06-17", "--home", "home")  # fmt: skip
    assert made.exit_code == 0, made.output
    return Path("home/site")


@pytest.mark.slow  # a week is made by the graph
def test_a_figure_of_a_week_that_was_really_published_is_explained(
    fleet: Run, published: Path
) -> None:
    page = json.loads((published / "latest" / "page.json").read_text())
    asked = fleet("explain", "usage.claude.requests", "--home", "home")
    assert asked.exit_code == 0
    assert f"usage.claude.requests = {page['usage']['claude']['requests']} " in asked.output
    for told in (
        "The published tables give the same.",
        "from usage_totals",
        "made by sql/usage_totals.sql",
        "quantile_cont(full_input_tokens, 0.9)",
        "Rows behind it: 1",
    ):
        assert told in asked.output
    told = json.loads(
        fleet("explain", "target.share", "--as-of", "2026-06-17", "--json", "--home", "home").output
    )
    assert told["agrees"] and told["recomputed"] == told["value"] == page["target"]["share"]
    unknown = fleet("explain", "usage.claude.request", "--home", "home")
    assert unknown.exit_code == 2
    assert "the nearest: usage.claude.requests" in unknown.output
    other = fleet("explain", "as_of", "--as-of", "2026-06-10", "--home", "home")
    assert other.exit_code == 2 and "no week is published there" in other.output


def test_before_anything_is_published_there_is_nothing_to_explain(fleet: Run) -> None:
    asked = fleet("explain", "as_of", "--home", "home")
    assert asked.exit_code == 2 and "`fleet refresh` publishes one" in asked.output
