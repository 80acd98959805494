from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_pipeline.costing import TokenClasses
from fleet_pipeline.costing.tokens import round_half_up

AMOUNTS = st.integers(0, 10**12)
TOKENS = st.builds(TokenClasses, AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS)


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        (Fraction(49, 100), 0), (Fraction(1, 2), 1), (Fraction(3, 2), 2), (Fraction(-1, 2), 0),
        (Fraction(-51, 100), -1), (Fraction(7), 7),
    ],
)  # fmt: skip
def test_a_half_goes_up_and_all_else_to_the_nearest(value: Fraction, rounded: int) -> None:
    assert round_half_up(value) == rounded


def test_the_classes_are_told_apart() -> None:
    tokens = TokenClasses(1, 20, 300, 4_000, 50_000)
    assert tokens.cache_write_tokens == 320
    assert tokens.full_input_tokens == 4_321
    assert tokens + TokenClasses(1, 1, 1, 1, 1) == TokenClasses(2, 21, 301, 4_001, 50_001)
    assert tokens.part(Fraction(1, 2)) == TokenClasses(1, 10, 150, 2_000, 25_000)


@given(TOKENS, st.fractions(0, 1, max_denominator=1000))
def test_a_share_and_the_rest_are_the_whole_to_a_token(
    tokens: TokenClasses, share: Fraction
) -> None:
    both = tokens.part(share) + tokens.part(1 - share)
    assert 0 <= both.output_tokens - tokens.output_tokens <= 1
    assert tokens.part(Fraction(1)) == tokens
    assert tokens.part(Fraction(0)) == TokenClasses()
