"""Candidates, lists and homes for the tests of the catalogue."""

import shutil
from pathlib import Path

import pytest

from fleet_pipeline.home import Home
from fleet_pipeline.org import Org, load

ORG = Path(__file__).parents[2] / "orgs" / "riles-fleet"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.prepare()
    return made


@pytest.fixture
def org_folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ORG, tmp_path / "org", ignore=shutil.ignore_patterns("shared")))


@pytest.fixture(scope="session")
def org() -> Org:
    return load(ORG)
