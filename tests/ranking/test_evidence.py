"""What probes and public benchmarks make of the belief in a model."""

from datetime import timedelta
from math import e

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_pipeline.probes.work_types import WORK_TYPES
from fleet_pipeline.ranking.evidence import STRONGEST_PRIOR, Evidence, evidence, prior_of
from fleet_pipeline.ranking.observations import Standing, shipped, standings

from .probed import CLOSE, result, results

OUTCOMES = st.sampled_from(["pass", "fail", "schema_fail", "refused", "truncated", "unavailable"])


def of(model: str, frame: pl.DataFrame, scope: str = "overall", models: str = "abc") -> Evidence:
    found = evidence(list(models), frame, {}, CLOSE)
    [one] = [each for each in found if (each.model, each.scope) == (model, scope)]
    return one


def asked(*outcomes: str, model: str = "a") -> list[dict[str, object]]:
    return [result(model, outcome, item_id=f"i{n}") for n, outcome in enumerate(outcomes)]


def test_a_probe_counts_half_after_four_weeks() -> None:
    fresh = result("a", "pass")
    old = {**fresh, "started_at": fresh["started_at"] - timedelta(days=28)}
    worth = []
    for row in (fresh, old):
        known = of("a", results(row), "source_triage", "a")
        worth.append(known.belief.strength - known.prior.strength)
    assert worth[1] == pytest.approx(worth[0] / 2)


@pytest.mark.parametrize("outcome", ["fail", "schema_fail", "refused", "truncated"])
def test_each_way_to_answer_badly_is_a_failure(outcome: str) -> None:
    failed, plainly = of("a", results(*asked(outcome))), of("a", results(*asked("fail")))
    assert failed == plainly
    assert failed.q05 < of("a", results()).q05


@settings(deadline=None, max_examples=40)
@given(st.lists(OUTCOMES, max_size=30), st.integers(0, 20))
def test_outages_change_availability_and_no_belief(outcomes: list[str], outages: int) -> None:
    steady = of("a", results(*asked(*outcomes)))
    shaken = of("a", results(*asked(*outcomes, *["unavailable"] * outages)))
    assert (shaken.belief, shaken.q05, shaken.n_probes) == (
        steady.belief,
        steady.q05,
        steady.n_probes,
    )
    assert shaken.n_unavailable == steady.n_unavailable + outages


def test_an_outage_that_names_no_model_does_not_hide_what_was_answered_before() -> None:
    row = result("a", "unavailable", item_id="later", fingerprint=None)
    later = {**row, "started_at": row["started_at"] + timedelta(hours=1)}
    known = of("a", results(*asked("pass", "fail"), later))
    assert (known.n_probes, known.n_passed, known.n_unavailable) == (2, 1, 1)


@settings(deadline=None, max_examples=40)
@given(st.lists(OUTCOMES, max_size=30), st.integers(0, 29))
def test_passing_instead_of_failing_never_lowers_the_quantile(
    outcomes: list[str], place: int
) -> None:
    failing = [*outcomes[:place], "fail", *outcomes[place:]]
    passing = [*outcomes[:place], "pass", *outcomes[place:]]
    assert of("a", results(*asked(*passing))).q05 > of("a", results(*asked(*failing))).q05


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("abc"), OUTCOMES), max_size=30), st.randoms())
def test_the_order_of_results_and_models_changes_nothing(
    asked_of: list[tuple[str, str]], random: object
) -> None:
    rows = [result(model, outcome, item_id=f"i{n}") for n, (model, outcome) in enumerate(asked_of)]
    shuffled = list(rows)
    random.shuffle(shuffled)
    for model in "abc":
        assert of(model, results(*rows)) == of(model, results(*shuffled), models="cab")


@settings(deadline=None, max_examples=40)
@given(st.floats(0.01, 0.99), st.floats(-3, 3), st.floats(0, 1))
def test_all_that_is_known_beforehand_is_worth_ten_probes_at_most(
    pool: float, z: float, coverage: float
) -> None:
    prior = prior_of(pool, Standing(z, coverage))
    assert prior.strength <= STRONGEST_PRIOR + 1e-9
    assert prior_of(pool, Standing(z + 0.1, coverage)).mean >= prior.mean


def test_a_model_nobody_measured_is_believed_as_good_as_the_others_by_two_probes() -> None:
    prior = prior_of(0.8, None)
    assert (prior.passes, prior.failures) == pytest.approx((1 + 2 * 0.8, 1 + 2 * 0.2))


@pytest.mark.parametrize("coverage", [0.5, 1])
def test_a_public_standing_shifts_log_odds_by_half_and_is_worth_up_to_six_probes(
    coverage: float,
) -> None:
    prior = prior_of(0.8, Standing(2, coverage))
    mean, worth = 4 * e / (1 + 4 * e), 2 + 6 * coverage  # odds of 4, one unit of log-odds up
    assert (prior.passes, prior.failures) == pytest.approx(
        (1 + worth * mean, 1 + worth * (1 - mean))
    )


def test_the_others_pass_rate_is_that_of_all_probes_and_one_more_of_either_outcome() -> None:
    weight = 2 ** (-1 / 28)  # asked a day before the close
    pool = (2 * weight + 1) / (3 * weight + 2)
    known = of("b", results(*asked("pass", "pass"), *asked("fail", model="c")))
    assert known.prior.mean == pytest.approx(prior_of(pool, None).mean, rel=1e-12)
    assert known.belief == known.prior


def test_overall_a_public_standing_is_the_mean_of_those_by_kind_and_covers_their_share() -> None:
    by_kind = {
        (WORK_TYPES[0], "a"): Standing(2, 1),
        (WORK_TYPES[1], "a"): Standing(-1, 0.5),
        (WORK_TYPES[1], "b"): Standing(5, 1),
    }
    found = {one.scope: one for one in evidence(["a"], results(), by_kind, CLOSE)}
    assert found["overall"].prior == prior_of(0.5, Standing(1, 1.5 / len(WORK_TYPES)))
    assert found[WORK_TYPES[1]].prior == prior_of(0.5, Standing(-1, 0.5))
    assert found[WORK_TYPES[2]].prior == prior_of(0.5, None)
    assert [one.has_public for one in found.values()].count(True) == 3


def test_a_model_that_another_one_answers_for_begins_anew() -> None:
    before = [{**row, "fingerprint": "old"} for row in asked("pass", "pass", "pass")]
    after = {**result("a", "fail", item_id="z"), "fingerprint": "new"}
    after["started_at"] = after["started_at"] + timedelta(hours=1)
    known = of("a", results(*before, after))
    assert (known.n_probes, known.n_passed) == (1, 0)


def test_evidence_is_provisional_until_there_is_enough_of_it_on_several_days() -> None:
    many = asked(*["pass"] * 20)
    assert of("a", results(*many)).is_provisional
    spread = [
        {**row, "started_at": row["started_at"] - timedelta(days=n % 2)}
        for n, row in enumerate(many)
    ]
    assert not of("a", results(*spread)).is_provisional
    flaky = [*spread, *asked(*["unavailable"] * 10)]
    assert of("a", results(*flaky)).is_provisional


def test_what_is_asked_after_the_close_is_not_known_yet() -> None:
    late = {**result("a", "pass")}
    late["started_at"] = late["started_at"] + timedelta(days=1)
    assert of("a", results(late)) == of("a", results())


def test_the_worst_variant_of_a_model_counts() -> None:
    found = standings(shipped())
    haiku = found["classification", "anthropic/claude-haiku-4.5"]
    others = [found["classification", model] for model in shipped()["model"].unique()]
    assert haiku.z == min(each.z for each in others)


def test_a_model_that_stands_alone_in_a_table_is_compared_with_nothing() -> None:
    alone = shipped().filter(pl.col("model") == "z-ai/glm-5.2")
    assert alone.height
    assert standings(alone) == {}


def test_a_row_of_another_days_table_is_known_from_that_day_on() -> None:
    typos = shipped().filter(pl.col("metric") == "typos, percent")
    days = dict(typos.select("model", "observed_at").iter_rows())
    assert days["anthropic/claude-haiku-4.5"] < days["z-ai/glm-5.2"]
    assert typos.group_by("observed_at").agg(pl.col("source").unique()).height == 2


def test_every_shipped_table_compares_candidates() -> None:
    tables = shipped().group_by("benchmark", "metric").agg(pl.col("model").n_unique())
    assert tables["model"].min() == 2


def test_every_public_observation_names_its_source_and_its_day() -> None:
    assert shipped().height
    for row in shipped().iter_rows(named=True):
        assert row["source"].startswith("https://")
        assert row["observed_at"] <= CLOSE
        assert row["licence"] and row["harness"] and row["variant"]
        assert 0 < row["weight"] <= 1
