"""A week is priced with what was known when it closed, and says where that came from."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from assets import runs
from fleet_pipeline.pricing import snapshots
from fleet_pipeline.pricing.observations import Offer, snapshot

from .fleets import CLOSE, Fleet

pytestmark = pytest.mark.slow
GLM = "z-ai/glm-5.2"


def heard(fleet: Fleet, at: datetime, price: str) -> None:
    offer = Offer("openrouter", GLM, "GLM", Decimal(price), Decimal("4.1"), Decimal("0.2"))
    snapshots.add(fleet.home, snapshot("openrouter", [offer], at, at))


def test_a_weeks_page_names_the_row_of_its_prices_and_later_prices_change_no_byte(
    fleet: Fleet,
) -> None:
    heard(fleet, datetime(2026, 6, 15, 3, 30, tzinfo=UTC), "1.3")
    heard(fleet, datetime(2026, 6, 16, 3, 30, tzinfo=UTC), "0")
    assert runs.publish_week(fleet.settings, CLOSE)["refusals"] == []
    page = fleet.page(CLOSE)
    price = page["costs"]["price"]
    assert (price["input_usd_per_mtok"], price["source"]) == (1.3, "openrouter")
    assert (price["effective_from"], price["seen_on"]) == ("2026-06-15", "2026-06-15")
    assert page["prices"]["age_days"] == 0
    held = page["prices"]["held"]
    assert [(row["subject"], row["field"]) for row in held] == [(GLM, "zero")]
    html = (fleet.home.site / "weeks" / CLOSE.isoformat() / "index.html").read_text()
    assert "held back" in html

    published = fleet.published()
    heard(fleet, datetime(2026, 6, 18, 3, 30, tzinfo=UTC), "0.5")
    assert runs.publish_week(fleet.settings, CLOSE)["refusals"] == []
    assert fleet.published() == published


def test_prices_that_are_too_old_leave_the_page_and_take_the_ranking(fleet: Fleet) -> None:
    heard(fleet, datetime(2026, 5, 30, tzinfo=UTC), "1.3")
    outcome = runs.publish_week(fleet.settings, CLOSE)
    assert outcome["published"]
    assert any("no ranking is made of them" in warning for warning in outcome["warnings"])
    page = json.loads((fleet.home.site / "latest" / "page.json").read_bytes())
    assert page["ranking"] == []
    assert page["prices"]["ranking_withheld"] == "the newest prices are 18 days old"
