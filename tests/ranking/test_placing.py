"""Places and the reasons for their changes, from beliefs that are given."""

from dataclasses import replace

import pytest

from fleet_pipeline.ranking.beta import Beta, probability_above
from fleet_pipeline.ranking.evidence import Evidence
from fleet_pipeline.ranking.placing import Place, places, reason


def known(model: str, passes: float, failures: float, *, probes: int = 0, passed: int = 0):
    belief = Beta(passes, failures)
    return Evidence("overall", model, belief, Beta(1, 1), probes, passed, 0, 0, has_public=False)


def test_the_ends_of_a_belief_are_what_it_exceeds_nearly_always_and_hardly_ever():
    uniform = known("a", 1, 1)
    assert (uniform.q05, uniform.q95) == pytest.approx((0.05, 0.95))


@pytest.mark.parametrize(
    ("probes", "days", "unanswered", "thin"),
    [
        (20, 2, 2, False),
        (19, 2, 2, True),
        (20, 1, 2, True),
        (20, 2, 3, True),
        (27, 2, 3, False),
        (0, 0, 0, True),
    ],
)
def test_evidence_is_provisional_where_it_is_few_of_one_day_or_of_a_flaky_provider(
    probes, days, unanswered, thin
):
    one = replace(known("a", 1, 1), n_probes=probes, n_days=days, n_unavailable=unanswered)
    assert one.is_provisional is thin
    asked = probes + unanswered
    assert one.availability == (probes / asked if asked else None)


def at(rank: int, evidence: Evidence, curated: int = 1) -> Place:
    return Place(evidence, rank, 1, 1, 1, curated)


def test_a_tier_takes_the_curated_order_and_says_which_places_it_spans():
    good, alike, bad = known("a", 90, 10), known("b", 89, 11), known("c", 10, 90)
    assert places([good, bad, alike], ["c", "b", "a"]) == [
        Place(alike, rank=1, tier=1, rank_low=1, rank_high=2, curated_rank=2),
        Place(good, rank=2, tier=1, rank_low=1, rank_high=2, curated_rank=3),
        Place(bad, rank=3, tier=2, rank_low=3, rank_high=3, curated_rank=1),
    ]


@pytest.mark.parametrize(("passes", "tiers"), [(17.05, [1, 1]), (19.05, [1, 2])])
def test_nine_in_ten_is_enough_to_stand_in_another_tier(passes, tiers):
    """Beta(a, 1) is above Beta(b, 1) with probability a / (a + b)."""
    placed = places([known("a", passes, 1), known("b", 2, 1)], ["a", "b"])
    assert [place.tier for place in placed] == tiers


def test_a_tier_ends_where_one_is_surely_worse_than_its_best():
    chain = [known("a", 80, 20), known("b", 74, 26), known("c", 67, 33)]
    assert probability_above(chain[1].belief, chain[2].belief) < 0.9
    assert [place.tier for place in places(chain, ["a", "b", "c"])] == [1, 1, 2]


def test_models_of_the_same_belief_stand_as_curated():
    same = [known(model, 5, 5) for model in "abc"]
    assert [place.evidence.model for place in places(same, ["b", "c", "a"])] == ["b", "c", "a"]


def test_who_stays_needs_no_reason():
    place = at(2, known("a", 5, 5))
    assert reason(place, [place], {"a": place}, "last week") is None


def test_who_rises_is_better_than_the_one_that_was_passed():
    now = known("a", 90, 10, probes=30, passed=28), known("b", 50, 50)
    was = known("a", 40, 10, probes=20, passed=19), known("b", 50, 50)
    rose, fell = at(1, now[0]), at(2, now[1])
    before = {"a": at(2, was[0]), "b": at(1, was[1])}
    quantiles = f"5% quantile {was[0].q05:.2f} to {now[0].q05:.2f}"
    assert reason(rose, [rose, fell], before, "last week") == (
        "up from 2 to 1 against last week; 10 more probes, 9 passed;"
        f" {quantiles}; better than b with probability 1.00"
    )
    stays = f"5% quantile {now[1].q05:.2f} to {now[1].q05:.2f}"
    assert reason(fell, [rose, fell], before, "the curated order") == (
        f"down from 1 to 2 against the curated order; {stays}; worse than a with probability 1.00"
    )


def test_a_model_that_was_swapped_under_its_name_says_so():
    now, was = known("a", 2, 1, probes=1, passed=1), known("a", 9, 1, probes=9, passed=9)
    told = reason(at(1, now), [at(1, now)], {"a": at(3, was)}, "last week")
    assert told is not None
    assert "another model answers under its name, earlier probes no longer count; 5%" in told
    assert "probability" not in told, "nobody was passed"


def test_the_clearest_of_those_that_were_passed_is_the_reason_and_no_other():
    rose = at(1, known("a", 60, 40), 3)
    near, far = at(2, known("b", 55, 45), 1), at(3, known("c", 30, 70), 2)
    behind = at(4, known("d", 1, 99), 4)
    now = [rose, near, far, behind]
    before = {
        "a": at(3, rose.evidence),
        "b": at(1, near.evidence),
        "c": at(2, far.evidence),
        "d": at(4, behind.evidence),
    }
    told = reason(rose, now, before, "last week")
    assert told is not None and told.endswith("; better than c with probability 1.00")
    sure = probability_above(near.evidence.belief, rose.evidence.belief)
    told = reason(near, now, before, "last week")
    assert told is not None and told.endswith(f"; worse than a with probability {1 - sure:.2f}")


def test_of_two_that_are_as_clear_the_one_that_the_operator_prefers_is_named():
    rose = at(1, known("a", 60, 40), 3)
    first, second = at(2, known("b", 30, 70), 2), at(3, known("c", 30, 70), 1)
    before = {"a": at(3, rose.evidence), "b": at(1, first.evidence), "c": at(2, second.evidence)}
    told = reason(rose, [rose, first, second], before, "last week")
    assert told is not None and "better than c" in told
