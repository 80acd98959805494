"""The tables of one week of a tiny demo fleet, made by the graph once."""

import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from assets import runs
from assets.partitions import key_of
from fleet_pipeline.demo import write_demo
from fleet_pipeline.home import Home
from fleet_pipeline.settings import Settings

CLOSE = date(2026, 6, 17)
ORG = Path(__file__).parents[2] / "orgs" / "riles-fleet"


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    root = tmp_path_factory.mktemp("quality")
    write_demo(root / "demo", as_of=CLOSE, requests=200)
    shutil.copytree(ORG, root / "org", ignore=shutil.ignore_patterns("shared"))
    folders = root / "demo" / ".claude", root / "demo" / ".codex"
    settings = Settings(Home(root / "home"), root / "org", (folders[0],), (folders[1],))
    outcome = runs.publish_week(settings, CLOSE)
    assert outcome["published"], outcome["refusals"]
    return settings


@pytest.fixture(scope="session")
def week(published: Settings) -> dict[str, pl.DataFrame]:
    """The week's tables by name, the verdicts left out."""
    made = sorted((published.home.lake / "weekly").glob(f"*/{key_of(CLOSE)}.parquet"))
    frames = {path.parent.name: pl.read_parquet(path) for path in made}
    return {name: frame for name, frame in frames.items() if name != "quality"}
