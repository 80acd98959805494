"""From evidence to places: simulated models, thin evidence, outages, reasons."""

from datetime import date, timedelta

import polars as pl

from fleet_pipeline.ranking import model_ranking
from fleet_pipeline.ranking.observations import SCHEMA as OBSERVED
from fleet_pipeline.ranking.observations import shipped
from fleet_pipeline.ranking.pareto import undominated

from .probed import CLOSE, MODELS, result, results, simulated

RATES = {model: 0.95 - 0.05 * number for number, model in enumerate(MODELS)}
CURATED = [*MODELS[7:], *MODELS[:7]]
"""Far from the true order."""


def overall(probes: pl.DataFrame, curated: list[str] = CURATED) -> pl.DataFrame:
    table = model_ranking(curated, probes, pl.DataFrame(schema=OBSERVED), CLOSE, {})
    return table.filter(pl.col("scope") == "overall")


def order(probes: pl.DataFrame) -> list[str]:
    return overall(probes)["model"].to_list()


def inversions(found: list[str]) -> int:
    places = [MODELS.index(model) for model in found]
    return sum(a > b for i, a in enumerate(places) for b in places[i + 1 :])


def test_the_true_order_emerges_as_probes_accumulate() -> None:
    wrong = [inversions(order(simulated(RATES, n))) for n in (0, 10, 60, 400, 4_000)]
    assert wrong == sorted(wrong, reverse=True)
    assert wrong[0] == inversions(CURATED)
    assert wrong[-1] == 0


def test_without_probes_the_curated_order_stands_in_one_tier_and_says_so() -> None:
    table = overall(simulated(RATES, 0))
    assert table["model"].to_list() == CURATED
    assert table["tier"].unique().to_list() == [1]
    assert table["provisional"].all()
    assert table["reason"].null_count() == table.height
    assert set(table["evidence"]) == {"curated order, no probes yet"}


def test_thin_evidence_reorders_nothing_among_models_that_are_alike() -> None:
    alike = dict.fromkeys(MODELS, 0.8)
    for seed in range(5):
        table = overall(simulated(alike, 6, seed=seed))
        first = table.filter(pl.col("tier") == 1)["model"].to_list()
        assert len(first) > len(MODELS) / 2
        assert first == [model for model in CURATED if model in first]


def test_outages_move_no_place() -> None:
    probes = simulated(RATES, 40)
    down = simulated(dict.fromkeys(MODELS[:3], 1.0), 40, outages=1.0)
    assert down["outcome"].unique().to_list() == ["unavailable"]
    calm, shaken = overall(probes), overall(pl.concat([probes, down]))
    assert shaken["model"].to_list() == calm["model"].to_list()
    assert shaken["q05"].to_list() == calm["q05"].to_list()
    assert shaken["availability"].to_list() != calm["availability"].to_list()


def test_a_model_that_never_answered_says_so_and_stays_in_its_curated_place() -> None:
    table = overall(results(*[result(MODELS[3], "unavailable", item_id=f"i{n}") for n in range(3)]))
    assert table["model"].to_list() == CURATED
    said = dict(table.select("model", "evidence").iter_rows())
    assert said[MODELS[3]] == "curated order; 3 probes sent, none answered"
    assert said[MODELS[4]] == "curated order, no probes yet"


def test_public_observations_alone_shift_beliefs_and_no_place() -> None:
    curated = sorted(shipped()["model"].unique())
    table = model_ranking(curated, simulated({}, 0), shipped(), CLOSE, {})
    for scope in table.partition_by("scope"):
        assert scope["model"].to_list() == curated
    table = table.filter(pl.col("scope") == "overall")
    assert table["prior_mean"].n_unique() > 1
    assert set(table["evidence"]) == {"curated order and public benchmarks, no probes yet"}


def test_an_observation_counts_from_the_week_after_its_day() -> None:
    curated = sorted(shipped()["model"].unique())
    newest = shipped()["observed_at"].max()
    assert isinstance(newest, date)
    earlier = shipped().filter(pl.col("observed_at") < newest)

    def at(close: date, observed: pl.DataFrame) -> list[float]:
        table = model_ranking(curated, simulated({}, 0), observed, close, {})
        return table["prior_mean"].to_list()

    assert at(newest, shipped()) == at(newest, earlier)
    after = newest + timedelta(days=1)
    assert at(after, shipped()) != at(after, earlier)


def test_each_change_of_place_has_its_reason_with_figures() -> None:
    table = overall(simulated(RATES, 400))
    moved = table.filter(pl.col("rank") != pl.col("previous_rank"))
    assert moved.height
    for why in moved["reason"]:
        assert "against last week" in why
        assert "more probes" in why
        assert "with probability" in why
    stayed = table.filter(
        pl.col("rank") == pl.col("previous_rank"), pl.col("rank") == pl.col("curated_rank")
    )
    assert stayed["reason"].null_count() == stayed.height


def test_a_week_without_news_names_what_sets_a_place_apart_from_the_curated_order() -> None:
    probes = simulated(RATES, 400).with_columns(pl.col("started_at").dt.offset_by("-14d"))
    table = overall(probes)
    assert (table["rank"] == table["previous_rank"]).all()
    apart = table.filter(pl.col("rank") != pl.col("curated_rank"))
    assert apart.height
    assert all("against the curated order" in why for why in apart["reason"])


def test_a_tier_tells_which_places_it_spans() -> None:
    table = overall(simulated(RATES, 60))
    for tier in table.partition_by("tier", maintain_order=True):
        assert tier["rank_low"].unique().to_list() == [tier["rank"].min()]
        assert tier["rank_high"].unique().to_list() == [tier["rank"].max()]
        assert tier["curated_rank"].is_sorted()


def test_every_kind_of_packets_has_its_own_places() -> None:
    rows = [
        result(model, outcome, item_id=f"i{n}", work_type=kind)
        for kind, best in (("classification", "a"), ("code_review", "b"))
        for model in "ab"
        for outcome in ["pass" if model == best else "fail"]
        for n in range(20)
    ]
    table = model_ranking(["a", "b"], results(*rows), pl.DataFrame(schema=OBSERVED), CLOSE, {})
    firsts = dict(table.filter(pl.col("rank") == 1).select("scope", "model").iter_rows())
    assert (firsts["classification"], firsts["code_review"]) == ("a", "b")
    assert firsts["overall"] == "a"  # nothing tells them apart


def test_undominated_models_are_those_that_none_beats_in_quality_and_cost() -> None:
    quality = {"good": 0.9, "cheap": 0.5, "both worse": 0.4, "unknown price": 0.95, "twin": 0.9}
    cost = {"good": 3.0, "cheap": 0.0, "both worse": 1.0, "unknown price": None, "twin": 3.0}
    assert undominated(quality, cost) == {"good", "cheap", "twin"}
