"""The graph's job of probes: what an operator allows is sent, and nothing else."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml

from assets import runs
from assets.definitions import defs
from fleet_pipeline.home import Home
from fleet_pipeline.probes import results
from fleet_pipeline.settings import Settings

from .simulated_models import Models, serving

ORG = Path(__file__).parents[2] / "orgs" / "riles-fleet"
CANDIDATE = "google/gemma-4-31b"


@pytest.fixture
def models() -> Iterator[Models]:
    with serving(Models({"gemma": 1.0})) as served:
        yield served


def ran(folder: Path, models: Models, may_leave: list[str]) -> dg.ExecuteInProcessResult:
    """Run the job for an organisation with one free lane, to the models."""
    org = folder / "org"
    shutil.copytree(ORG, org)
    lane = {
        "name": "here",
        "base_url": models.url,
        "model": "gemma",
        "candidate": CANDIDATE,
        "free": True,
    }
    lanes = {"may_leave": {"agents": may_leave, "folders": []}, "lanes": [lane]}
    (org / "lanes.yaml").write_text(yaml.safe_dump(lanes))
    return defs.resolve_job_def("daily_probes_job").execute_in_process(
        run_config=runs.run_config(Settings(Home(folder / "home"), org)),
        instance=dg.DagsterInstance.ephemeral(),
    )


def test_what_the_operator_allows_is_asked_and_kept(tmp_path: Path, models: Models) -> None:
    assert ran(tmp_path, models, ["forge"]).success
    kept = results.read(Home(tmp_path / "home"))
    assert kept.height == len(models.asked) > 0
    assert set(kept["model"]) == {CANDIDATE}
    assert set(kept["outcome"]) == {"pass"}


def test_nothing_is_asked_in_the_name_of_nobody(tmp_path: Path, models: Models) -> None:
    assert ran(tmp_path, models, []).success
    assert models.asked == []
    assert results.read(Home(tmp_path / "home")).is_empty()
