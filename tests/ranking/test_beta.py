"""The Beta distribution against values that can be known without it."""

from math import comb, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_pipeline.ranking.beta import Beta, probability_above, share_below

COUNTS = st.integers(1, 60)
AMOUNTS = st.floats(1.0, 400.0)
SHARES = st.floats(0.001, 0.999)


@settings(deadline=None)
@given(COUNTS, COUNTS, SHARES)
def test_with_whole_numbers_the_incomplete_beta_is_a_sum_of_binomial_terms(
    a: int, b: int, x: float
) -> None:
    n = a + b - 1
    exact = sum(comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(a, n + 1))
    assert share_below(x, a, b) == pytest.approx(exact, abs=1e-10)


@settings(deadline=None)
@given(AMOUNTS, SHARES)
def test_quantiles_of_power_laws_have_a_closed_form(a: float, share: float) -> None:
    assert Beta(a, 1).quantile(share) == pytest.approx(share ** (1 / a), abs=1e-10)
    assert Beta(1, a).quantile(share) == pytest.approx(1 - (1 - share) ** (1 / a), abs=1e-10)


@settings(deadline=None)
@given(AMOUNTS, AMOUNTS, SHARES)
def test_a_quantile_is_where_its_share_lies_below(a: float, b: float, share: float) -> None:
    assert share_below(Beta(a, b).quantile(share), a, b) == pytest.approx(share, abs=1e-9)


def test_large_counts_stay_near_the_normal_distribution() -> None:
    belief = Beta(40_000, 10_000)
    spread = sqrt(0.8 * 0.2 / 50_000)
    assert belief.quantile(0.05) == pytest.approx(0.8 - 1.6449 * spread, abs=1e-5)


@settings(deadline=None, max_examples=30)
@given(AMOUNTS, AMOUNTS)
def test_one_exceeds_another_as_often_as_the_exact_law_of_power_laws_says(
    a: float, b: float
) -> None:
    assert probability_above(Beta(a, 1), Beta(b, 1)) == pytest.approx(a / (a + b), abs=0.002)


@settings(deadline=None, max_examples=30)
@given(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS)
def test_either_one_or_the_other_is_larger(a: float, b: float, c: float, d: float) -> None:
    one, other = Beta(a, b), Beta(c, d)
    both = probability_above(one, other) + probability_above(other, one)
    assert both == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(("x", "below"), [(-0.5, 0.0), (0.0, 0.0), (1.0, 1.0), (1.5, 1.0)])
def test_a_rate_lies_between_nothing_and_all(x: float, below: float) -> None:
    assert share_below(x, 2.5, 0.5) == below


def test_of_two_equal_beliefs_either_may_be_larger() -> None:
    assert probability_above(Beta(3, 2), Beta(3, 2)) == 0.5


def test_a_belief_is_worth_its_pseudo_probes_and_expects_their_share() -> None:
    belief = Beta(3, 1)
    assert (belief.strength, belief.mean) == (4, 0.75)
