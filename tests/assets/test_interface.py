"""Dagster's interface in a real browser: graph, a backfill of five weeks, checks, link to the page.

With FLEET_SCREENSHOTS, what is seen goes to that folder: `docs/images` has them.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from ..browser.conftest import browser
from .fleets import Fleet
from .servers import Server, served, server, wait_until
from .test_definitions import GROUPS

__all__ = ["browser", "served", "server"]

pytestmark = pytest.mark.slow

PATIENCE_MILLISECONDS = 120_000
BACKFILLS = """{ partitionBackfillsOrError(limit: 1) {
    ... on PartitionBackfills { results { status numPartitions } } } }"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 1600, "height": 1000}) as context:
        opened = context.new_page()
        opened.set_default_timeout(PATIENCE_MILLISECONDS)
        opened.set_default_navigation_timeout(PATIENCE_MILLISECONDS)
        expect.set_options(timeout=PATIENCE_MILLISECONDS)
        yield opened


def shoot(page: Page, name: str) -> None:
    if folder := os.environ.get("FLEET_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def test_an_operator_sees_the_graph_backfills_five_weeks_and_finds_checks_and_page(
    server: Server, served: Fleet, page: Page
) -> None:
    file = served.org / "fleet.yaml"
    file.write_text(f"{file.read_text()}site_url: https://fleet.example.org\n")

    page.goto(f"{server.address}/asset-groups")
    for group in GROUPS:
        expect(page.get_by_text(group, exact=True).first).to_be_visible()
    shoot(page, "graph")

    page.goto(f"{server.address}/locations/assets.definitions/jobs/weekly_sweep_job")
    page.get_by_role("button", name="Materialize all").first.click()
    page.get_by_text("Show all partitions").click()
    weeks = page.get_by_role("dialog").locator("input[type=text]").first
    weeks.fill("[2026-05-13...2026-06-10]")
    weeks.press("Enter")
    expect(page.get_by_text("5 partitions", exact=True)).to_be_visible()
    shoot(page, "backfill")
    page.get_by_role("button", name="Launch backfill").click()

    def status() -> tuple[str, int]:
        found = server.ask(BACKFILLS)["partitionBackfillsOrError"]["results"]
        assert isinstance(found, list)
        return (found[0]["status"], found[0]["numPartitions"]) if found else ("NONE", 0)

    wait_until(lambda: status()[0].startswith(("COMPLETED", "FAIL")), 1800, "the backfill")
    assert status() == ("COMPLETED_SUCCESS", 5)
    published = {path.name for path in (served.home.site / "weeks").glob("*-*-*")}
    assert published == {"2026-05-20", "2026-05-27", "2026-06-03", "2026-06-10", "2026-06-17"}

    page.goto(f"{server.address}/runs?view=backfills")
    expect(page.get_by_text("Success", exact=True).first).to_be_visible()
    page.goto(f"{server.address}/assets/routing_page?view=overview")
    link = page.locator('a[href="https://fleet.example.org/weeks/2026-06-17/"]')
    expect(link.first).to_be_visible()
    shoot(page, "page-asset")
    page.goto(f"{server.address}/assets/usage_totals?view=checks")
    expect(page.get_by_text("hosts_are_reporting").first).to_be_visible()
    page.get_by_text("ledger_has_not_shrunk").first.click()
    expect(page.get_by_text("at least as many requests as were published").first).to_be_visible()
    expect(page.get_by_text("Succeeded", exact=True).first).to_be_visible()
    shoot(page, "checks")
