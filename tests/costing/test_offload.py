from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_pipeline.costing import TokenClasses, cost_parts, cost_usd_micros
from fleet_pipeline.costing.offload import CacheAssumption, billed_tokens
from fleet_pipeline.costing.tokens import round_half_up
from fleet_pipeline.errors import PriceError
from fleet_pipeline.pricing import ModelPrice, PriceTier

from .reference_month import GLM, TOKENS, USD


def moved(share: str) -> TokenClasses:
    return TOKENS.part(Fraction(share))


def priced(
    cache_read: Decimal | None = Decimal("0.26"), write_5m: Decimal | None = None
) -> ModelPrice:
    return replace(GLM, cache_read_usd_per_mtok=cache_read, cache_write_5m_usd_per_mtok=write_5m)


def no_cache(tokens: TokenClasses, price: ModelPrice = GLM) -> int | None:
    return cost_usd_micros(tokens, price, hit_rate=0, mode="no_cache")


def cached(
    tokens: TokenClasses, hit_rate: Fraction | Decimal | int, price: ModelPrice = GLM
) -> int | None:
    return cost_usd_micros(tokens, price, hit_rate=hit_rate, mode="listed_cache_price")


tokens_ = st.builds(TokenClasses, *[st.integers(0, 10**12)] * 5)
shares = st.fractions(0, 1, max_denominator=1000)
assumptions = st.sampled_from(get_args(CacheAssumption))
cache_prices = st.decimals(0, "1.40", places=3)


@pytest.mark.parametrize(
    ("share", "usd"), [("0.09131", 3_593), ("0.18260", 7_185), ("0.27140", 10_679)]
)
def test_the_reference_pages_scenarios_come_out_to_the_dollar(share: str, usd: int) -> None:
    assert no_cache(moved(share)) == pytest.approx(usd * USD, abs=USD)


def test_the_reference_pages_trap_is_the_fresh_part_of_the_same_slice() -> None:
    parts = cost_parts([(moved("0.18260"), GLM)], hit_rate=0, mode="no_cache")
    assert parts is not None
    assert parts.naive_usd_micros == pytest.approx(58 * USD, abs=USD // 2)


def test_the_listed_cache_price_makes_the_same_slice_a_fifth() -> None:
    assert cached(moved("0.18260"), 1) == pytest.approx(1_528 * USD, abs=2 * USD)


@pytest.mark.parametrize(("hit_rate", "usd"), [("0.5", 4_357), ("0.8", 2_660), ("0.9", 2_094)])
def test_partial_hits_on_what_claude_read_lie_between(hit_rate: str, usd: int) -> None:
    assert cached(moved("0.18260"), Fraction(hit_rate)) == pytest.approx(usd * USD, abs=2 * USD)


@given(tokens_)
def test_without_a_single_hit_a_cache_changes_nothing(tokens: TokenClasses) -> None:
    assert cached(tokens, 0) == no_cache(tokens)


@given(tokens_, shares, shares, cache_prices)
def test_more_hits_never_cost_more_where_a_hit_is_cheaper(
    tokens: TokenClasses, one: Fraction, other: Fraction, cache_read: Decimal
) -> None:
    price = priced(cache_read)
    fewer, more = cached(tokens, min(one, other), price), cached(tokens, max(one, other), price)
    assert fewer is not None
    assert more is not None
    assert more <= fewer


@given(tokens_, shares)
def test_moving_nothing_costs_nothing(tokens: TokenClasses, hit_rate: Fraction) -> None:
    assert no_cache(tokens.part(Fraction(0))) == 0
    assert cached(tokens.part(Fraction(0)), hit_rate) == 0


@given(tokens_, shares)
def test_a_cache_price_that_is_not_listed_is_refused(
    tokens: TokenClasses, hit_rate: Fraction
) -> None:
    assert cached(tokens, hit_rate, priced(cache_read=None)) is None
    assert no_cache(tokens, priced(cache_read=None)) == no_cache(tokens)


@given(tokens_, shares, assumptions)
def test_the_parts_of_a_cost_add_up_to_the_rounded_whole(
    tokens: TokenClasses, hit_rate: Fraction, mode: CacheAssumption
) -> None:
    parts = cost_parts([(tokens, GLM)], hit_rate=hit_rate, mode=mode)
    hits = 0
    if mode == "listed_cache_price":
        hits = round_half_up(hit_rate * tokens.cache_read_tokens)
    exact = (
        (tokens.full_input_tokens - hits) * Fraction("1.4")
        + hits * Fraction("0.26")
        + tokens.output_tokens * Fraction("4.4")
    )
    assert parts is not None
    assert exact - Fraction(1, 2) < parts.total_usd_micros <= exact + Fraction(1, 2)


@given(tokens_, tokens_)
def test_two_slices_cost_what_their_sum_costs(one: TokenClasses, other: TokenClasses) -> None:
    apart = cost_parts([(one, GLM), (other, GLM)], hit_rate=0, mode="no_cache")
    assert apart is not None
    assert apart.total_usd_micros == no_cache(one + other)


def test_half_a_micro_dollar_goes_up() -> None:
    half = replace(GLM, input_usd_per_mtok=Decimal("0.5"))
    assert [no_cache(TokenClasses(input_tokens=n), half) for n in (1, 2, 3)] == [1, 1, 2]


def test_writes_are_billed_at_the_write_price_where_one_is_listed() -> None:
    writes = TokenClasses(cache_write_5m_tokens=1_000_000, cache_write_1h_tokens=1_000_000)
    assert cached(writes, 0) == 2_800_000
    assert cached(writes, 0, priced(write_5m=Decimal("1.75"))) == 3_500_000
    assert no_cache(writes, priced(write_5m=Decimal("1.75"))) == 2_800_000


def test_a_write_is_never_cheaper_than_reading_the_tokens_afresh() -> None:
    storage_rent = priced(write_5m=Decimal("0.0833"))
    assert cached(TokenClasses(cache_write_5m_tokens=1_000_000), 0, storage_rent) == 1_400_000


@given(tokens_, shares)
def test_hits_never_exceed_what_claude_read_from_its_cache(
    tokens: TokenClasses, hit_rate: Fraction
) -> None:
    terms = {term.billed_as: term.tokens for term in billed_tokens(tokens, GLM, hit_rate=hit_rate)}
    assert terms["cache hit"] + terms["cache miss"] == tokens.cache_read_tokens
    assert 0 <= terms["cache hit"] <= tokens.cache_read_tokens
    assert sum(terms.values()) == tokens.full_input_tokens + tokens.output_tokens


@pytest.mark.parametrize("hit_rate", [Decimal("-0.01"), Decimal("1.01")])
def test_a_hit_rate_outside_a_share_is_a_mistake(hit_rate: Decimal) -> None:
    with pytest.raises(ValueError, match="is not a share"):
        cached(TOKENS, hit_rate)


def test_a_model_without_an_input_price_cannot_be_priced() -> None:
    with pytest.raises(PriceError, match="choose another model, for the week in reference_model"):
        no_cache(TOKENS, replace(GLM, input_usd_per_mtok=None))


def test_a_price_with_tiers_is_never_applied_to_a_sum_of_requests() -> None:
    tier = PriceTier(200_000, Decimal(6), Decimal(22), None, None, None)
    with pytest.raises(ValueError, match="for_context"):
        no_cache(TOKENS, replace(GLM, tiers=(tier,)))
