"""What a million tokens of the fleet's own mix cost: worked by hand, and where it is not known."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from fleet_pipeline import org
from fleet_pipeline.costing import cost_at_own_mix
from fleet_pipeline.pricing import EMBEDDED, ModelPrice, PriceBook, PriceTier

ORG = org.load(Path(__file__).parents[2] / "orgs" / "riles-fleet")
CLOSE = date(2026, 6, 17)
USED = {"input_tokens": 300, "cache_read_tokens": 600, "output_tokens": 100}
LISTED = {
    "input_usd_per_mtok": Decimal(10),
    "output_usd_per_mtok": Decimal(40),
    "cache_read_usd_per_mtok": Decimal(1),
}
NOTHING = dict.fromkeys(LISTED, Decimal(0))


@dataclass(frozen=True)
class OnePrice(PriceBook):
    """A book that knows one candidate's price, or none."""

    price: ModelPrice | None

    def find(self, provider: str, model: str, at: date) -> ModelPrice | None:
        return self.price


def price(**listed: object) -> ModelPrice:
    stated = {
        **LISTED,
        "cache_write_5m_usd_per_mtok": None,
        "cache_write_1h_usd_per_mtok": None,
        **listed,
    }
    return ModelPrice(
        provider="openrouter", model="m", name="M", context_tokens=None, max_output=None,
        source="a test", effective_from=None, at=CLOSE, **stated,
    )  # fmt: skip


@pytest.fixture
def cost(requests: Callable[..., pl.DataFrame]) -> Callable[..., float | None]:
    """Return the cost of one candidate for requests of Claude, beside one of Codex."""

    def found(listed: ModelPrice | None, *used: dict[str, int], free: bool = False) -> float | None:
        candidate = ORG.models[0].model_copy(update={"free": free})
        frame = requests(*(used or (USED,)), {"client": "codex", "input_tokens": 7_000})
        return cost_at_own_mix(
            frame,
            ORG.model_copy(update={"models": (candidate,)}),
            window_start=date(2026, 5, 18),
            window_end=CLOSE,
            book=OnePrice(EMBEDDED.ledger, listed),
        )[candidate.id]

    return found


def test_reads_cost_the_cached_price_and_all_other_input_the_input_price(cost):
    """300 x 10 + 600 x 1 + 100 x 40 for a thousand tokens."""
    assert cost(price()) == pytest.approx(7.6)


def test_where_no_cached_price_is_listed_reads_cost_the_input_price(cost):
    assert cost(price(cache_read_usd_per_mtok=None)) == pytest.approx(13.0)


def test_writes_cost_the_price_of_a_write_where_it_is_above_that_of_input(cost):
    written = {"cache_write_5m_tokens": 1000}
    assert cost(price(cache_write_5m_usd_per_mtok=Decimal("12.5")), written) == 12.5
    assert cost(price(cache_write_5m_usd_per_mtok=Decimal("0.1")), written) == 10


def test_a_long_request_costs_the_long_price_as_a_whole_and_a_short_one_does_not(cost):
    """Of 1,900 tokens 1,000 stand in a request above the threshold, at three times the price."""
    thrice = {name: 3 * usd for name, usd in LISTED.items()}
    unlisted = {"cache_write_5m_usd_per_mtok": None, "cache_write_1h_usd_per_mtok": None}
    tiered = price(tiers=(PriceTier(above_tokens=900, **thrice, **unlisted),))
    short, long = {"input_tokens": 900}, {"input_tokens": 1000}
    assert cost(tiered, short) == 10
    assert cost(tiered, short, long) == pytest.approx((900 * 10 + 1000 * 30) / 1900)


@pytest.mark.parametrize("unknown", ["input_usd_per_mtok", "output_usd_per_mtok"])
def test_without_a_price_it_is_not_known(cost, unknown):
    assert cost(price(**{unknown: None})) is None


def test_a_candidate_that_nobody_lists_has_no_cost(cost):
    assert cost(None) is None


def test_without_use_there_is_no_mix(cost):
    assert cost(price(), {}) is None


def test_output_alone_is_a_mix(cost):
    assert cost(price(), {"output_tokens": 5}) == pytest.approx(40)


def test_a_zero_is_believed_only_of_a_model_that_the_organisation_calls_free(cost):
    assert cost(price(is_free=True, **NOTHING)) is None
    assert cost(price(is_free=True, **NOTHING), free=True) == 0
    assert cost(price(), free=True) == pytest.approx(7.6)
