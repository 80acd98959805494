"""The week that most tests publish, and one that is published once for all who only read it."""

from pathlib import Path

import polars as pl
import pytest

from .ready import CLOSE, Ready, prepare


@pytest.fixture
def tables() -> dict[str, pl.DataFrame]:
    return {
        "usage_totals": pl.DataFrame({"client": ["claude", "codex"], "requests": [107_338, 8_211]}),
        "agent_usage": pl.DataFrame({"agent": ["forge", "sage"], "requests": [28_653, 24_982]}),
    }


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Ready:
    """What ``ready`` is a copy of; no test changes it."""
    return prepare(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def ready(prepared: Ready, tmp_path: Path) -> Ready:
    return prepared.copied(tmp_path)


@pytest.fixture(scope="session")
def published(prepared: Ready, tmp_path_factory: pytest.TempPathFactory) -> Ready:
    """One that has published the week that closes at ``CLOSE``; no test changes it."""
    made = prepared.copied(tmp_path_factory.mktemp("published"))
    made.publish(CLOSE)
    return made


@pytest.fixture(scope="session")
def published_week(published: Ready) -> Path:
    return published.home.site / "weeks" / CLOSE.isoformat()
