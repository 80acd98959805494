"""The bounds that docs/headroom.md tells are those that the code applies."""

from pathlib import Path

import pytest

from fleet_pipeline.drift import WEEKS, chance
from fleet_pipeline.drift.agent_days import FAR, FEWEST_DAYS, LEAST_SPREAD
from fleet_pipeline.headroom import exchange
from fleet_pipeline.publishing.page_view import REFUSALS

DOC = " ".join((Path(__file__).parents[1] / "docs" / "headroom.md").read_text("utf-8").split())


@pytest.mark.parametrize(
    "told",
    [
        f"fewer than {exchange.FEWEST_STEPS} such steps",
        f"fewer than {exchange.FEWEST_WINDOWS} windows",
        f"over {exchange.MOST_UNEXPLAINED:.0%} of what was gained",
        f"by more than {exchange.MOST_DRIFT} times",
        f"less than {exchange.LEAST_R_SQUARED:.0%} of the spread",
        f"{exchange.DRAWS} draws",
        f"holds for {exchange.HOLDS_FOR.days} days",
        f"Beyond {FAR} it is",
        f"fewer than {FEWEST_DAYS} active days",
        f"of {LEAST_SPREAD} at least",
        f"{chance.DRAWS:,} months",
        {4: "the last four weeks"}[WEEKS],
        *REFUSALS.values(),
    ],
)
def test_a_bound_is_told_as_it_is(told: str) -> None:
    assert told in DOC
