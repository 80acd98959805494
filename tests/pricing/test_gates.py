"""What is believed of a feed's prices, at the very bounds that docs/prices.md tells."""

from datetime import timedelta
from decimal import Decimal

import pytest

from fleet_pipeline.pricing.gates import (
    Listed,
    Prices,
    Reason,
    Run,
    Verdict,
    borne_out,
    verdicts,
)

from .conftest import FIRST
from .feed_answers import GLM


def prices(
    input: str | None = "1", output: str | None = "4", cache_read: str | None = None
) -> Prices:
    return Prices(*(None if usd is None else Decimal(usd) for usd in (input, output, cache_read)))


def run(first: float, stated: Prices, last: float | None = None, source: str = "openrouter") -> Run:
    """Sightings of GLM's price by a source, from one day after the first of June to another."""
    began, ended = (FIRST + timedelta(days=day) for day in (first, first if last is None else last))
    return Run(source, "openrouter", GLM, stated, began, ended)


def last(*runs: Run) -> Verdict:
    return verdicts(runs)[-1]


BELIEVED = Verdict(True)


@pytest.mark.parametrize("usd", ["0.0005", "1000"])
@pytest.mark.parametrize("name", ["input", "output", "cache_read"])
def test_each_stated_price_may_lie_at_the_bounds_of_a_unit_price(name: str, usd: str) -> None:
    assert last(run(0, prices(**{"input": "1000", name: usd}))) == BELIEVED


@pytest.mark.parametrize("usd", ["0.00049", "1000.01"])
@pytest.mark.parametrize("name", ["input", "output", "cache_read"])
def test_no_stated_price_may_lie_beyond_the_bounds_of_a_unit_price(name: str, usd: str) -> None:
    verdict = last(run(0, prices(**{"input": "1000", name: usd})))
    assert verdict == Verdict(False, "not_a_unit_price")


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (prices("0.4"), prices("0.6"), None),
        (prices("0.4"), prices("0.61"), "jump"),
        (prices("0.6"), prices("0.4"), None),
        (prices("0.61"), prices("0.4"), "jump"),
        (prices(output="0.4"), prices(output="0.61"), "jump"),
        (prices(cache_read="0.4"), prices(cache_read="0.61"), "jump"),
        (prices(output=None), prices(output="40"), None),
        (prices(cache_read="0.4"), prices(cache_read="1"), "jump"),
        (prices(cache_read="0.4"), prices(cache_read="1.01"), "cache_read_above_input"),
        (prices(cache_read="0"), prices(cache_read="0.4"), None),
        (prices(cache_read="0"), prices("1.1", cache_read="0"), None),
        (prices(cache_read="0.4"), prices(cache_read="0"), "zero"),
        (prices(output="0.4"), prices(output="0"), "zero"),
        (prices("0.4"), prices("40"), "jump"),
        (prices("0.4"), prices("40.01"), "not_a_unit_price"),
        (prices("40.01"), prices("0.4"), "not_a_unit_price"),
        (prices(), prices("-0.1"), "negative"),
        (prices(), prices(None), "not_stated"),
    ],
)
def test_a_price_is_held_against_the_one_before_class_by_class(
    before: Prices, after: Prices, reason: str | None
) -> None:
    assert last(run(0, before), run(1, after)) == Verdict(reason is None, reason)


def test_what_costs_nothing_to_read_and_something_to_write_is_believed_at_once() -> None:
    assert last(run(0, prices("0", "4"))) == BELIEVED
    assert last(run(0, prices("0", "0"))).reason == "zero"
    assert last(run(0, prices("0", None))).reason == "zero"


def test_an_answer_that_lost_the_output_price_is_held_and_one_that_never_had_it_is_not() -> None:
    """Without it no cost could be told, of a model whose price everybody knows."""
    without = prices(output=None)
    assert last(run(0, prices()), run(1, without, 20)) == Verdict(False, "not_stated")
    assert verdicts([run(0, without)], lambda run: Listed("package", prices())) == [
        Verdict(False, "not_stated")
    ]
    assert last(run(0, without), run(1, prices("1.1", None))) == BELIEVED


def test_a_first_word_of_nothing_for_what_the_package_has_a_price_of_is_held() -> None:
    first = run(0, prices(cache_read="0"), 30)
    stated = Listed("package", prices(cache_read="0.26"))
    assert verdicts([first], lambda run: stated) == [Verdict(False, "zero")]
    confirmed = run(0, prices(cache_read="0"), source="litellm")
    assert verdicts([first, confirmed], lambda run: stated)[0] == Verdict(True, "zero", "litellm")


def test_only_what_was_seen_within_seven_days_can_have_jumped() -> None:
    assert last(run(0, prices("1")), run(7, prices("2"))).reason == "jump"
    assert last(run(0, prices("1")), run(7.5, prices("2"))) == BELIEVED


def test_seven_days_of_the_same_bear_a_jump_out_and_less_does_not() -> None:
    jumped = Verdict(True, "jump", "a week of the same")
    assert last(run(0, prices("1")), run(1, prices("2"), 8)) == jumped
    assert last(run(0, prices("1")), run(1, prices("2"), 7.9)) == Verdict(False, "jump")


def test_a_slip_of_the_unit_and_a_zero_are_ones_from_the_last_believed_price_alone() -> None:
    dearer = [run(0, prices("1")), run(1, prices("90"), 8), run(20, prices("110"))]
    assert last(*dearer) == BELIEVED
    confirmed = run(1, prices(cache_read="0"), source="litellm")
    freed = [run(0, prices(cache_read="0.4")), confirmed, run(1, prices(cache_read="0"))]
    assert last(*freed) == Verdict(True, "zero", "litellm")
    assert last(*freed, run(2, prices("1.1", cache_read="0"))) == BELIEVED


@pytest.mark.parametrize(
    ("other", "confirms"),
    [
        (run(0, prices("2"), 3, "litellm"), True),
        (run(0, prices("2"), 2.9, "litellm"), False),
        (run(12, prices("2"), 20, "litellm"), True),
        (run(12.1, prices("2"), 20, "litellm"), False),
        (run(10, prices("2"), source="models.dev"), False),
        (run(10, prices("2", "5"), source="litellm"), False),
    ],
)
def test_another_source_confirms_what_it_stated_up_to_a_week_before(
    other: Run, confirms: bool
) -> None:
    jump = Verdict(True, "jump", "litellm") if confirms else Verdict(False, "jump")
    assert last(other, run(9, prices("1")), run(10, prices("2"), 12)) == jump


def test_of_several_that_confirm_the_first_by_name_is_named() -> None:
    others = [run(1, prices("2"), source=name) for name in ("b", "a", "c")]
    assert last(*others, run(0, prices("1")), run(1, prices("2"))).confirmed_by == "a"


def test_what_a_dated_list_states_confirms_a_jump_and_refutes_a_first_word() -> None:
    def package(run: Run) -> Listed:
        return Listed("package", prices("2"))

    _, jumped = verdicts([run(0, prices("1")), run(1, prices("2"))], package)
    assert jumped == Verdict(True, "jump", "package")
    [first] = verdicts([run(0, prices("201"))], package)
    assert first == Verdict(False, "not_a_unit_price")
    [first] = verdicts([run(0, prices("200"))], package)
    assert first == BELIEVED


@pytest.mark.parametrize(
    ("questioned", "other", "same"),
    [
        (prices("100", "400"), prices("99", "396"), True),
        (prices("100", "400"), prices("98.9", "400"), False),
        (prices("100", "400"), prices("100", "395"), False),
        (prices("100", None), prices("100", None), True),
        (prices("100", None), prices("100", "400"), False),
        (prices("100", "400"), prices("100", None), False),
        (prices("100", "400", "10"), prices("100", "400", "9.9"), True),
        (prices("100", "400", "10"), prices("100", "400", "9.8"), False),
        (prices("100", "400", "10"), prices("100", "400", None), False),
        (prices("100", "400", None), prices("100", "400", "10"), True),
    ],
)
def test_a_price_is_borne_out_class_by_class_within_one_percent(
    questioned: Prices, other: Prices, same: bool
) -> None:
    assert borne_out(questioned, other) is same


@pytest.mark.parametrize(
    ("before", "now", "reason"), [("0.26", "0", "zero"), ("0.2", "0.1", "jump")]
)
def test_who_states_another_cache_price_bears_no_strange_one_out(
    before: str, now: str, reason: Reason
) -> None:
    """97 of 100 input tokens of an agent are cache reads: of all prices this one weighs most."""
    questioned = [run(0, prices(cache_read=before)), run(1, prices(cache_read=now))]

    def package(run: Run) -> Listed:
        return Listed("package", prices(cache_read=before))

    assert verdicts(questioned, package)[-1] == Verdict(False, reason)
    assert last(run(1, prices(cache_read=before), source="litellm"), *questioned) == Verdict(
        False, reason
    )
