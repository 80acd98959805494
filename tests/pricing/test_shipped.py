"""The snapshot that ships with the package: from its day on, for its provider, believed or not."""

from datetime import date

import pytest

from fleet_pipeline.pricing import EMBEDDED, shipped

TAKEN_ON = date(2026, 5, 12)
GRATIS = "baidu/cobuddy:free"


def test_it_speaks_from_its_own_day_on_and_of_its_own_provider_alone() -> None:
    for model in shipped.model_ids("openrouter"):
        assert shipped.find("openrouter", model, date(2026, 5, 11)) is None
        assert shipped.find("zai", model, TAKEN_ON) is None
    assert shipped.model_ids("zai") == []
    assert shipped.find("openrouter", "no/such-model", TAKEN_ON) is None


def test_each_price_says_that_it_is_of_that_day() -> None:
    for model in shipped.model_ids("openrouter"):
        price = shipped.find("openrouter", model, TAKEN_ON)
        assert price is not None
        assert (price.effective_from, price.age_days) == (TAKEN_ON, 0)
        assert price.source == "openrouter list of 2026-05-12, shipped"
        assert price.name == shipped.offers()[model].name


def test_only_what_calls_itself_free_costs_nothing() -> None:
    """Nobody judges these prices as those of a feed are judged: they were, when they came in."""
    for model in shipped.model_ids("openrouter"):
        price = shipped.find("openrouter", model, TAKEN_ON)
        assert price is not None
        assert price.is_free is model.endswith(":free") is (price.input_usd_per_mtok == 0)


@pytest.mark.parametrize("at", [TAKEN_ON, date(2026, 11, 20)])
def test_the_book_asks_it_last(at: date) -> None:
    price = EMBEDDED.require("openrouter", GRATIS, at)
    assert (price.source, price.age_days) == (shipped.SOURCE, (at - TAKEN_ON).days)
