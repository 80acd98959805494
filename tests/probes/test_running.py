"""Probes sent through the packet runner to servers on this machine, graded, kept and ranked."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.guarded_http import Bounds
from fleet_pipeline.home import Home
from fleet_pipeline.org import Lane, Org, load
from fleet_pipeline.org.lanes import LaneLimits, PacketRules
from fleet_pipeline.probes import linter, results
from fleet_pipeline.probes.running import ProbeRun, probe
from fleet_pipeline.ranking import model_ranking
from fleet_pipeline.ranking.observations import SCHEMA as OBSERVED

from .simulated_models import Models, serving

ROOT = Path(__file__).parents[2]
WEDNESDAY = date(2026, 11, 18)
BOUNDS = Bounds(connect_seconds=2, total_seconds=10, bytes=1 << 20)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.prepare()
    return made


def organisation(models: Sequence[str], url: str, *, agents: tuple[str, ...] = ("forge",)) -> Org:
    """Return the example organisation with these candidates, each with a free lane of its own."""
    example = load(ROOT / "orgs" / "riles-fleet")
    candidates = [
        example.models[0].model_copy(update={"id": name, "name": name, "aliases": ()})
        for name in models
    ]
    lanes = [
        Lane(name=f"lane-{name}", base_url=url, model=name, candidate=name, free=True)
        for name in models
    ]
    return example.model_copy(
        update={
            "models": tuple(candidates),
            "lanes": tuple(lanes),
            "may_leave": PacketRules(agents=agents),
        }
    )


def run_on(
    home: Home, org: Org, day: date, *, only: Sequence[str] = (), dry_run: bool = False
) -> ProbeRun:
    # A second between packets: what went wrong a minute ago keeps a lane waiting.
    moments = (
        datetime(day.year, day.month, day.day, 6, tzinfo=UTC) + timedelta(seconds=number)
        for number in range(1_000_000)
    )
    return probe(
        home,
        org,
        {},
        lambda: next(moments),
        models=only,
        dry_run=dry_run,
        limits=BOUNDS,
    )


def test_what_is_due_is_sent_graded_and_kept_and_not_sent_twice(home: Home) -> None:
    with serving(Models({"good": 1.0})) as models:
        org = organisation(["good"], models.url)
        made = run_on(home, org, WEDNESDAY)
        again = run_on(home, org, WEDNESDAY)
    kept = results.read(home)
    assert made.rows.height == len(made.due) == len(models.asked) > 0
    assert set(kept["outcome"]) == {"pass"}
    assert kept.height == made.rows.height
    assert (len(again.due), again.rows.height) == (0, 0)


def test_wrong_answers_are_kept_as_failures_without_their_words(home: Home) -> None:
    with serving(Models({"bad": 0.0})) as models:
        run_on(home, organisation(["bad"], models.url), WEDNESDAY)
    kept = results.read(home)
    assert set(kept["outcome"]) <= {"fail", "schema_fail"}
    assert kept.height > 0


def test_a_provider_that_is_busy_is_unavailable_and_is_asked_again(home: Home) -> None:
    with serving(Models({"good": 1.0})) as models:
        models.down = {"good"}
        org = organisation(["good"], models.url)
        busy = run_on(home, org, WEDNESDAY)
        models.down = set()
        later = run_on(home, org, WEDNESDAY + timedelta(days=1))
    assert set(busy.rows["outcome"]) == {"unavailable"}
    assert {due.item.id for due in busy.due} <= {due.item.id for due in later.due}
    assert set(later.rows["outcome"]) == {"pass"}


@pytest.mark.parametrize("agents", [(), ("hippocrates",)])
def test_nothing_leaves_for_a_free_lane_that_nobody_permitted(
    home: Home, agents: tuple[str, ...]
) -> None:
    with serving(Models({"good": 1.0})) as models:
        made = run_on(home, organisation(["good"], models.url, agents=agents), WEDNESDAY)
    assert models.asked == []
    assert made.rows.is_empty() and results.read(home).is_empty()
    assert made.not_asked["good"]


def test_where_answers_cannot_be_graded_nobody_is_asked(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linter, "find_ruff_bin", lambda: "false")
    with serving(Models({"good": 1.0})) as models:
        with pytest.raises(ConfigurationError, match="Ruff, the linter does not run"):
            run_on(home, organisation(["good"], models.url), WEDNESDAY)
        assert models.asked == []


def test_models_that_are_asked_one_by_one_take_no_more_than_half_of_their_allowance(
    home: Home,
) -> None:
    with serving(Models({"one": 1.0, "other": 1.0})) as models:
        org = organisation(["one", "other"], models.url)
        shared = {"quota": "account", "limits": LaneLimits(requests_per_day=6)}
        lanes = tuple(lane.model_copy(update=shared) for lane in org.lanes)
        org = org.model_copy(update={"lanes": lanes})
        sent = [run_on(home, org, WEDNESDAY, only=[name]).rows.height for name in ("one", "other")]
    assert sent == [3, 0]


def test_a_dry_run_tells_what_is_due_and_sends_nothing(home: Home) -> None:
    with serving(Models({"good": 1.0})) as models:
        made = run_on(home, organisation(["good"], models.url), WEDNESDAY, dry_run=True)
    assert len(made.due) > 0
    assert models.asked == []
    assert results.read(home).is_empty()


def test_without_a_lane_a_candidate_is_named_and_not_asked(home: Home) -> None:
    org = load(ROOT / "orgs" / "riles-fleet")
    made = run_on(home, org, WEDNESDAY)
    assert set(made.not_asked) == {model.id for model in org.models}
    assert made.rows.is_empty()


@pytest.mark.slow
def test_a_sweep_over_fifteen_models_ranks_them_by_what_they_answered(home: Home) -> None:
    true_order = [f"model-{number:02}" for number in range(15)]
    rates = {model: 1 - number / 15 for number, model in enumerate(true_order)}
    curated = [*true_order[8:], *true_order[:8]]
    with serving(Models(rates)) as models:
        org = organisation(curated, models.url)
        for day in range(7):
            models.down = {true_order[0]} if day == 3 else set()
            run_on(home, org, WEDNESDAY + timedelta(days=day))
    close = WEDNESDAY + timedelta(days=7)
    kept = results.read(home, close)
    table = model_ranking(curated, kept, pl.DataFrame(schema=OBSERVED), close, {})
    overall = table.filter(pl.col("scope") == "overall")
    places = dict(overall.select("model", "rank").iter_rows())
    pairs = [(a, b) for i, a in enumerate(true_order) for b in true_order[i + 4 :]]
    assert all(places[a] < places[b] for a, b in pairs)
    assert overall["tier"].n_unique() > 2
    assert overall.filter(pl.col("rank") != pl.col("curated_rank"))["reason"].null_count() == 0
    down = overall.filter(pl.col("model") == true_order[0])
    assert down["n_unavailable"].item() > 0 and down["rank"].item() <= 4
    assert set(overall["provisional"]) == {False} or down["provisional"].item()
