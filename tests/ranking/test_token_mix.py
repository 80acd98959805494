"""What a million tokens of the fleet's own mix cost: worked by hand, and where it is not known."""

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from fleet_pipeline import org
from fleet_pipeline.ranking.token_mix import cost_at_own_mix

ORG = org.load(Path(__file__).parents[2] / "orgs" / "riles-fleet")
USED = {"full_input_tokens": 900, "cache_read_tokens": 600, "output_tokens": 100}
LISTED = {
    "input_usd_per_mtok": Decimal(10),
    "output_usd_per_mtok": Decimal(40),
    "cache_read_usd_per_mtok": Decimal(1),
    "is_free": False,
}


def cost(free: bool = False, used: dict[str, int] = USED, **listed: object) -> float | None:
    """Return the cost of one candidate, beside one that costs a thousand times as much."""
    candidate = ORG.models[0].model_copy(update={"free": free})
    priced = {"provider": candidate.price_provider, "model": candidate.price_model}
    rows = [
        {**priced, **LISTED, **listed},
        {**priced, **LISTED, "model": "another", "input_usd_per_mtok": Decimal(10_000)},
        {**priced, **LISTED, "provider": "another", "input_usd_per_mtok": Decimal(10_000)},
    ]
    types = {name: pl.Decimal(18, 6) for name in LISTED if name != "is_free"}
    prices = pl.DataFrame(rows, schema_overrides=types)
    totals = pl.DataFrame(
        [{"client": "claude", **used}, {"client": "codex", **dict.fromkeys(USED, 7)}]
    )
    fleet = ORG.model_copy(update={"models": (candidate,)})
    return cost_at_own_mix(fleet, prices, totals)[candidate.id]


def test_reads_cost_the_cached_price_and_all_other_input_the_input_price():
    """300 x 10 + 600 x 1 + 100 x 40 for a thousand tokens."""
    assert cost() == pytest.approx(7.6)


def test_where_no_cached_price_is_listed_reads_cost_the_input_price():
    assert cost(cache_read_usd_per_mtok=None) == pytest.approx(13.0)


@pytest.mark.parametrize("unknown", ["input_usd_per_mtok", "output_usd_per_mtok"])
def test_without_a_price_it_is_not_known(unknown):
    assert cost(**{unknown: None}) is None


def test_a_candidate_that_nobody_lists_has_no_cost():
    assert cost(model="another") is None


def test_without_use_there_is_no_mix():
    assert cost(used=dict.fromkeys(USED, 0)) is None


def test_output_alone_is_a_mix():
    assert cost(used={**dict.fromkeys(USED, 0), "output_tokens": 5}) == pytest.approx(40)


def test_a_zero_is_believed_only_of_a_model_that_the_organisation_calls_free():
    nothing = dict.fromkeys([name for name in LISTED if name != "is_free"], Decimal(0))
    assert cost(is_free=True, **nothing) is None
    assert cost(free=True, is_free=True, **nothing) == 0
    assert cost(free=True) == pytest.approx(7.6)
