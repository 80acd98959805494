"""Places of the weeks before: by what was known then, whatever came later."""

from datetime import timedelta

import polars as pl

from fleet_pipeline.past_weeks import closes
from fleet_pipeline.ranking import model_ranking, rank_history
from fleet_pipeline.ranking.observations import SCHEMA as OBSERVED

from .probed import CLOSE, MODELS, simulated

CURATED = MODELS[:4]
TRUE_RATES = {model: 0.3 + 0.2 * place for place, model in enumerate(CURATED)}
"""The last of the curated order is the best."""
NOTHING = pl.DataFrame(schema=OBSERVED)


def history(probes: pl.DataFrame) -> pl.DataFrame:
    return rank_history(CURATED, probes, NOTHING, closes(CLOSE))


def test_every_candidate_has_a_place_in_every_scope_at_each_of_eight_closes() -> None:
    found = history(simulated(TRUE_RATES, 40))
    assert found["close"].unique().sort().to_list() == [
        CLOSE - timedelta(days=7 * number) for number in range(7, -1, -1)
    ]
    assert found.height == 8 * 9 * len(CURATED)
    for week in found.partition_by("close", "scope"):
        assert week["rank"].sort().to_list() == [1, 2, 3, 4]


def test_a_past_place_is_what_the_ranking_of_its_week_said() -> None:
    probes = simulated(TRUE_RATES, 400).with_columns(pl.col("started_at").dt.offset_by("-14d"))
    found = history(probes)
    assert found.filter(pl.col("scope") == "overall")["rank"].n_unique() == 4
    for close in closes(CLOSE):
        told = model_ranking(CURATED, probes, NOTHING, close, {})
        then = found.filter(pl.col("close") == close)
        assert then.select("scope", "model", "rank").equals(told.select("scope", "model", "rank"))


def test_what_was_found_out_later_changes_no_past_place() -> None:
    later = history(simulated(TRUE_RATES, 400))
    past = pl.col("close") < CLOSE
    assert later.filter(past).equals(history(simulated(TRUE_RATES, 0)).filter(past))
    now = later.filter(~past, pl.col("scope") == "overall")
    assert now.sort("rank")["model"].to_list() == CURATED[::-1]
