"""Which models nothing beats, against the definition spelled out another way."""

from hypothesis import given
from hypothesis import strategies as st

from fleet_pipeline.ranking.pareto import undominated

FEW = st.integers(0, 3)
MODELS = st.dictionaries(st.sampled_from("abcdefg"), st.tuples(FEW, st.none() | FEW))


@given(MODELS)
def test_whatever_is_as_good_and_as_cheap_as_an_undominated_model_is_its_equal(models):
    quality = {model: float(good) for model, (good, _) in models.items()}
    cost = {model: dear for model, (_, dear) in models.items()}
    priced = {each for each in models.values() if each[1] is not None}
    expected = {
        model
        for model, (good, dear) in models.items()
        if dear is not None
        and {(g, d) for g, d in priced if g >= good and d <= dear} == {(good, dear)}
    }
    assert undominated(quality, cost) == expected


def test_a_model_without_a_known_cost_neither_stands_nor_beats():
    quality, cost = {"a": 0.9, "b": 0.5}, {"a": None, "b": 3.0}
    assert undominated(quality, cost) == {"b"}
    assert undominated(quality, dict.fromkeys(cost)) == frozenset()


def test_equal_models_stand_together_and_a_dearer_one_of_the_same_quality_does_not():
    quality = {"a": 0.9, "b": 0.9, "c": 0.9, "d": 0.8}
    assert undominated(quality, {"a": 1.0, "b": 1.0, "c": 2.0, "d": 1.0}) == {"a", "b"}
