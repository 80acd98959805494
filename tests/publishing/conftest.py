"""The week that most tests publish."""

import polars as pl
import pytest


@pytest.fixture
def tables() -> dict[str, pl.DataFrame]:
    return {
        "usage_totals": pl.DataFrame({"client": ["claude", "codex"], "requests": [107_338, 8_211]}),
        "agent_usage": pl.DataFrame({"agent": ["forge", "sage"], "requests": [28_653, 24_982]}),
    }
