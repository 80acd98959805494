"""What a feed wrote, as numbers and days of ours, at the bounds."""

from datetime import date
from decimal import Decimal

import pytest

from fleet_pipeline.pricing import observations
from fleet_pipeline.pricing.model_price import PriceTier
from fleet_pipeline.pricing.observations import count, number, tiers_of, tiers_text

from .conftest import seen


@pytest.mark.parametrize(
    ("told", "tokens"),
    [(1, 1), ("200000", 200_000), (10**12, 10**12), (10**12 + 1, None), (0, None), (-1, None),
     (1.5, None), (True, None), (None, None), ("many", None)],
)  # fmt: skip
def test_a_count_of_tokens_is_a_positive_whole_number_that_can_be_true(
    told: object, tokens: int | None
) -> None:
    assert count(told) == tokens


@pytest.mark.parametrize(
    ("told", "amount"),
    [("1.40", "1.4"), (2, "2"), (0.1, "0.1"), (Decimal(3), "3"), ("-1", "-1"), (True, None),
     ("inf", None), ("NaN", None), ("free", None), ([1], None)],
)  # fmt: skip
def test_a_price_is_read_as_it_was_written(told: object, amount: str | None) -> None:
    assert number(told) == (None if amount is None else Decimal(amount))


def test_a_day_is_read_out_of_a_date_and_out_of_a_moment() -> None:
    told = ("2026-06-01", "2026-06-01T23:59:59Z", "soon", None)
    assert [observations.day(one) for one in told] == [date(2026, 6, 1)] * 2 + [None] * 2


@pytest.mark.parametrize(("told", "kept"), [("1e12", 10**8), ("-1e12", -(10**8)), ("99", 99)])
def test_what_no_price_can_be_is_kept_as_a_bound(told: str, kept: int) -> None:
    assert seen(0, told)["input_usd_per_mtok"].item() == kept


def test_tiers_come_back_as_they_were_kept_from_the_shortest_on() -> None:
    long, longer = (
        PriceTier(above, Decimal("2.5"), Decimal(above), None, None, Decimal("0.1"))
        for above in (200_000, 400_000)
    )
    assert tiers_of(tiers_text([longer, long])) == (long, longer)
    assert tiers_text([]) is None
    assert tiers_of(None) == ()
