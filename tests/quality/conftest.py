"""The tables of one week of a tiny demo fleet, made by the graph once."""

import shutil
from pathlib import Path

import polars as pl
import pytest

from assets import runs
from assets.partitions import key_of
from fleet_pipeline.demo import write_demo

from ..assets.fleets import CLOSE, ORG, Fleet


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    root = tmp_path_factory.mktemp("quality")
    write_demo(root / "transcripts", as_of=CLOSE, requests=200)
    shutil.copytree(ORG, root / "fleet" / "org", ignore=shutil.ignore_patterns("shared"))
    fleet = Fleet(root / "fleet", root / "transcripts")
    fleet.home.prepare()
    outcome = runs.publish_week(fleet.settings, CLOSE)
    assert outcome["published"], outcome["refusals"]
    return fleet


@pytest.fixture(scope="session")
def week(published: Fleet) -> dict[str, pl.DataFrame]:
    """The week's tables by name, the verdicts left out."""
    made = sorted((published.home.lake / "weekly").glob(f"*/{key_of(CLOSE)}.parquet"))
    return {path.parent.name: pl.read_parquet(path) for path in made if path.parent.name != "quality"}
