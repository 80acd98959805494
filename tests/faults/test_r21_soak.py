"""R21: a year of work under random faults ends with the oracle's totals.

Here at a hundredth of its size; `make reliability ARGS=--full` runs 107,338 requests a month.
"""

import pytest

from .soak import run


@pytest.mark.slow
def test_after_a_year_of_faults_every_total_is_the_oracles(tmp_path):
    seen = run(tmp_path, weeks=52, requests_a_week=250, seed=2026)
    assert seen["counted"] == seen["true"]
    assert seen["weeks_in_which_a_total_fell"] == 0
    assert seen["struck"] > 40, "hardly anything broke"
    assert len(seen["faults"]) == 8
    assert seen["requests"] > 12_000
