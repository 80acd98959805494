"""Fleets for the tests: a tiny demo's transcripts, a copy of the org, a home of one's own."""

import shutil
from pathlib import Path

import pytest

from assets import runs
from fleet_pipeline.demo import DemoTruth, write_demo

from .fleets import CLOSE, ORG, Fleet, Published


@pytest.fixture(autouse=True)
def nobody_elses_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("FLEET_HOME", "FLEET_ORG", "DAGSTER_HOME", "CLAUDE_CONFIG_DIR", "CODEX_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DemoTruth]:
    """Transcripts of 200 Claude requests over the 30 days before CLOSE, and their true totals."""
    folder = tmp_path_factory.mktemp("demo") / "transcripts"
    return folder, write_demo(folder, as_of=CLOSE, requests=200)


@pytest.fixture(scope="session")
def truth(demo: tuple[Path, DemoTruth]) -> DemoTruth:
    return demo[1]


@pytest.fixture(scope="session")
def new_fleet(demo: tuple[Path, DemoTruth], tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """A fleet that has nothing but its files: never run, only copied."""
    root = tmp_path_factory.mktemp("new")
    shutil.copytree(ORG, root / "org", ignore=shutil.ignore_patterns("shared"))
    return Fleet(root, demo[0])


@pytest.fixture(scope="session")
def published(new_fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """The same after `fleet refresh`: only looked at, or copied."""
    fleet = new_fleet.copy(tmp_path_factory.mktemp("published") / "fleet")
    fleet.home.prepare()
    return Published(fleet, runs.publish_week(fleet.settings, CLOSE))


@pytest.fixture
def fleet(published: Published, tmp_path: Path) -> Fleet:
    """A published fleet to do things to."""
    return published.fleet.copy(tmp_path / "fleet")
