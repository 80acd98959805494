from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_pipeline.costing import (
    TokenClasses,
    quote_naive,
    quote_packets,
    quote_turns,
)
from fleet_pipeline.costing.break_even import break_even
from fleet_pipeline.errors import PriceError

from .reference_month import GLM, REQUESTS, SHARE, SLICE, SONNET, USD

tokens_ = st.builds(TokenClasses, *[st.integers(0, 10**12)] * 5)
shares = st.fractions(0, 1, max_denominator=1000)


def test_one_share_and_one_output_count_give_the_reference_pages_cost_and_its_trap() -> None:
    turns = quote_turns(SLICE, GLM, hit_rate=0)
    assert turns.cost_usd_micros == pytest.approx(7_185 * USD, abs=USD)
    assert quote_naive(SLICE, GLM).cost_usd_micros == pytest.approx(58 * USD, abs=USD // 2)


def test_every_cache_read_of_claude_that_hits_at_the_listed_price_makes_it_1528() -> None:
    quote = quote_turns(SLICE, GLM, hit_rate=1)
    assert quote.cost_usd_micros == pytest.approx(1_528 * USD, abs=2 * USD)


@pytest.mark.parametrize(
    ("packet_tokens", "usd"), [(4_000, 163), (8_000, 272), (16_000, 492), (32_000, 931)]
)
def test_bounded_packets_cost_a_fraction_of_whole_turns(packet_tokens: int, usd: int) -> None:
    quote = quote_packets(REQUESTS * SHARE, packet_tokens, SLICE.output_tokens, GLM)
    assert quote.cost_usd_micros == pytest.approx(usd * USD, abs=USD)


def test_glm_beats_sonnet_with_its_cache_from_a_hit_rate_of_888_in_a_thousand_on() -> None:
    rate = break_even([(SLICE, GLM)], [(SLICE, SONNET)]).hit_rate
    assert rate is not None
    assert float(rate) == pytest.approx(0.888, abs=0.002)
    stay = quote_turns(SLICE, SONNET, hit_rate=1)
    assert stay.cost_usd_micros == pytest.approx(2_163 * USD, abs=USD)
    moved = quote_turns(SLICE, GLM, hit_rate=rate)
    assert moved.cost_usd_micros == pytest.approx(stay.cost_usd_micros, rel=1e-6)


def test_no_hit_rate_helps_where_a_hit_costs_as_much_as_a_miss() -> None:
    unchanged = replace(GLM, cache_read_usd_per_mtok=GLM.input_usd_per_mtok)
    assert break_even([(SLICE, unchanged)], [(SLICE, SONNET)]).hit_rate is None
    unlisted = replace(GLM, cache_read_usd_per_mtok=None)
    assert break_even([(SLICE, unlisted)], [(SLICE, SONNET)]).hit_rate is None


@given(tokens_, shares)
def test_the_terms_add_up_to_the_cost_and_each_is_tokens_times_price(
    tokens: TokenClasses, hit_rate: Fraction
) -> None:
    quote = quote_turns(tokens, GLM, hit_rate=hit_rate)
    assert quote.cost_usd_micros == sum(term.cost_usd_micros for term in quote.terms)
    for term in quote.terms:
        assert abs(term.cost_usd_micros - term.tokens * Fraction(term.usd_per_mtok)) < 1


@given(tokens_, shares, shares)
def test_a_higher_hit_rate_never_costs_more(
    tokens: TokenClasses, one: Fraction, other: Fraction
) -> None:
    fewer = quote_turns(tokens, GLM, hit_rate=min(one, other))
    more = quote_turns(tokens, GLM, hit_rate=max(one, other))
    assert more.cost_usd_micros <= fewer.cost_usd_micros


@given(tokens_)
def test_hit_rate_zero_is_the_full_input_at_the_input_price(tokens: TokenClasses) -> None:
    exact = tokens.full_input_tokens * Fraction("1.4") + tokens.output_tokens * Fraction("4.4")
    cost = quote_turns(tokens, GLM, hit_rate=0).cost_usd_micros
    assert exact - Fraction(1, 2) < cost <= exact + Fraction(1, 2)


@given(tokens_)
def test_counting_less_never_costs_more(tokens: TokenClasses) -> None:
    naive = quote_naive(tokens, GLM).cost_usd_micros
    assert naive <= quote_turns(tokens, GLM, hit_rate=1).cost_usd_micros


def test_a_hit_without_a_listed_price_is_refused_and_names_the_model() -> None:
    unlisted = replace(GLM, cache_read_usd_per_mtok=None)
    with pytest.raises(PriceError, match=r"z-ai/glm-5\.2"):
        quote_turns(SLICE, unlisted, hit_rate=Decimal("0.5"))
    assert quote_turns(SLICE, unlisted, hit_rate=0) == quote_turns(SLICE, GLM, hit_rate=0)


def test_an_unknown_price_of_input_is_refused_and_never_zero() -> None:
    unknown = replace(GLM, input_usd_per_mtok=None)
    for ask in (
        lambda: quote_turns(SLICE, unknown, hit_rate=0),
        lambda: quote_naive(SLICE, unknown),
        lambda: quote_packets(1, 8_000, 612, unknown),
    ):
        with pytest.raises(PriceError, match=r"z-ai/glm-5\.2"):
            ask()


def test_a_quote_lists_what_was_used_in_its_own_words_and_nothing_else() -> None:
    tokens = TokenClasses(input_tokens=100, cache_read_tokens=10, output_tokens=7)
    quote = quote_turns(tokens, GLM, hit_rate=Decimal("0.3"))
    told = [(term.name, term.tokens, term.cost_usd_micros) for term in quote.terms]
    assert told == [
        ("fresh input", 100, 140), ("cache hit", 3, 0), ("cache miss", 7, 10), ("output", 7, 31)
    ]  # fmt: skip
    assert quote.formula.startswith("fresh x input + writes")
    naive = quote_naive(tokens, GLM)
    assert [(term.name, term.tokens) for term in naive.terms] == [
        ("fresh input", 100),
        ("output", 7),
    ]
    assert "as if context were never sent again" in naive.formula
    packets = quote_packets(Fraction(5, 2), 101, 7, GLM)
    assert [term.tokens for term in packets.terms] == [253, 7]
    assert packets.formula.startswith("calls x packet tokens")
