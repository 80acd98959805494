"""Several weeks of one ledger: in any order, the same bytes; `latest` never moves back."""

from datetime import date
from pathlib import Path

import pytest

from .fleets import CLOSE, Fleet, Published

pytestmark = pytest.mark.slow  # five weeks are made, some of them twice

EARLIER, BEFORE = date(2026, 6, 3), date(2026, 6, 10)


@pytest.fixture(scope="module")
def newest_first(published: Published, tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """The newest week was published already; the oldest comes next, then the one between."""
    fleet = published.fleet.copy(tmp_path_factory.mktemp("newest_first") / "fleet")
    for close in (EARLIER, BEFORE):
        assert fleet.run(close).success
        assert fleet.page("latest")["as_of"] == CLOSE.isoformat()
    return fleet


@pytest.fixture(scope="module")
def oldest_first(new_fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    fleet = new_fleet.copy(tmp_path_factory.mktemp("oldest_first") / "fleet")
    for close in (EARLIER, BEFORE, CLOSE):
        assert fleet.run(close).success
        assert fleet.page("latest")["as_of"] == close.isoformat()
    return fleet


def test_in_any_order_every_published_byte_is_the_same(
    newest_first: Fleet, oldest_first: Fleet
) -> None:
    found = oldest_first.published()
    assert {Path(name).parts[3] for name in found if "weeks/" in name} == {
        "2026-06-03",
        "2026-06-10",
        "2026-06-17",
    }
    assert found == newest_first.published()


def test_latest_and_the_copy_of_the_ranking_are_those_of_the_newest_week(
    newest_first: Fleet,
) -> None:
    found = newest_first.published()
    ranking = "cheap-model-offload-ranking.md"
    assert found["home/site/latest"] == "weeks/2026-06-17"
    assert found[f"org/shared/{ranking}"] == found[f"home/site/weeks/2026-06-17/{ranking}"]


def test_a_week_that_is_not_wholly_covered_is_published_with_a_warning(
    newest_first: Fleet,
) -> None:
    page = newest_first.page(EARLIER)
    window, checks = page["window"], page["checks"]
    assert isinstance(window, dict) and isinstance(checks, dict)
    assert window["days_covered"] == 16
    warnings = {result["name"] for result in checks["results"] if not result["passed"]}
    assert checks["failed"] == 0
    assert "window_is_whole" in warnings <= {"window_is_whole", "targets_are_movable"}
