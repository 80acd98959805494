"""What public benchmarks say of models: normal scores of their ranks, worked by hand."""

from datetime import date
from statistics import NormalDist

import polars as pl
import pytest

from fleet_pipeline.probes.work_types import WORK_TYPES
from fleet_pipeline.ranking.observations import (
    SCHEMA,
    quality_observations,
    shipped,
    standings,
)

ONE, OTHER = WORK_TYPES[:2]
Z = NormalDist().inv_cdf


def said(model: str, score: float, **given: object) -> dict[str, object]:
    return {
        "benchmark": "bench",
        "metric": "accuracy",
        "model": model,
        "score": score,
        "work_type": ONE,
        "weight": 0.5,
        "higher_is_better": True,
        **given,
    }


def standing(*rows: dict[str, object]) -> dict[tuple[str, str], tuple[float, float]]:
    table = pl.DataFrame(list(rows), schema_overrides=SCHEMA)
    return {key: (found.z, found.coverage) for key, found in standings(table).items()}


def test_ranks_are_turned_into_normal_scores_by_bloms_formula():
    found = standing(said("a", 10), said("b", 30), said("c", 20))
    assert found == {
        (ONE, "a"): (pytest.approx(Z(0.625 / 3.25)), 0.5),
        (ONE, "b"): (pytest.approx(Z(2.625 / 3.25)), 0.5),
        (ONE, "c"): (pytest.approx(0, abs=1e-12), 0.5),
    }


def test_where_less_is_better_the_least_stands_highest():
    down = {"higher_is_better": False}
    found = standing(said("a", 10, **down), said("b", 30, **down))
    assert found[ONE, "a"][0] == pytest.approx(Z(1.625 / 2.25))


def test_of_several_variants_the_worst_counts():
    found = standing(said("a", 90), said("a", 10), said("b", 50))
    assert found[ONE, "a"][0] < 0 < found[ONE, "b"][0]


def test_equal_scores_share_their_mean_rank():
    found = standing(said("a", 1), said("b", 1))
    assert found[ONE, "a"] == found[ONE, "b"] == (pytest.approx(0, abs=1e-12), 0.5)


def test_a_kind_of_packets_is_told_by_its_own_tables_alone():
    found = standing(
        said("a", 1), said("b", 2), said("a", 9, work_type=OTHER), said("b", 8, work_type=OTHER)
    )
    assert found[ONE, "a"][0] < 0 < found[OTHER, "a"][0]


def test_tables_are_averaged_by_their_weight_and_cover_no_more_than_all():
    more = {"benchmark": "another", "weight": 1.5}
    found = standing(said("a", 1), said("b", 2), said("a", 9, **more), said("b", 8, **more))
    high = Z(1.625 / 2.25)
    assert found[ONE, "a"] == (pytest.approx((1.5 * high - 0.5 * high) / 2), 1.0)


def test_two_metrics_of_one_benchmark_are_two_tables():
    found = standing(
        said("a", 1), said("b", 2), said("a", 9, metric="f1"), said("b", 8, metric="f1")
    )
    assert found[ONE, "a"] == (pytest.approx(0, abs=1e-12), 1.0)


def test_a_model_alone_in_a_table_is_compared_with_nothing():
    assert standing(said("a", 1)) == {}


def test_only_what_was_published_before_the_day_and_of_the_models_asked_for_is_known():
    known = shipped()
    first, model = known["observed_at"].min(), known["model"][0]
    assert isinstance(first, date)
    assert quality_observations([model], first).is_empty()
    of_model = quality_observations([model], date(9999, 1, 1))
    assert of_model.height == known.filter(pl.col("model") == model).height > 0
