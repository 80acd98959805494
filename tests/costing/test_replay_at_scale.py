"""A month of a whole fleet against ten candidates, in a process of its own so that it is measured.

The fleet is made of numbers alone: 107,338 requests of 1,200 sessions and nine agents.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import json, resource, time
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from fleet_pipeline.costing import policy_of, replay
from fleet_pipeline.org import load

start, end, n = date(2026, 5, 18), date(2026, 6, 17), 107_338
org = load(Path("orgs/riles-fleet"))
agents = [agent.name for agent in org.agents]
row = pl.int_range(n, eager=True)
session = row * 1_200 // n
read, fresh = row * 7_919 % 600_000, row * 31 % 4_000
seconds = int(datetime(2026, 5, 18, tzinfo=UTC).timestamp()) + row * (30 * 86_400) // n
ts = (seconds * 1_000_000).cast(pl.Datetime("us", "UTC"))
requests = pl.DataFrame({
    "client": ["claude"] * n, "host": ["laptop"] * n, "model": ["claude-sonnet-4-6"] * n,
    "session_id": session.cast(pl.String), "agent_id": pl.Series([None] * n, dtype=pl.String),
    "turn": row // 5, "movable": [True] * n,
    "kind": (row // 5 % 13).cast(pl.String),
    "agent": (session % 9).replace_strict(dict(enumerate(agents)), return_dtype=pl.String),
    "ts": ts, "date": ts.dt.date(),
    "input_tokens": fresh, "cache_write_5m_tokens": fresh, "cache_write_1h_tokens": fresh * 0,
    "cache_read_tokens": read, "output_tokens": row * 13 % 1_300,
    "full_input_tokens": read + 2 * fresh,
})
policy = policy_of(org)
policy = replace(policy, share=1.0, targets=(policy.targets * 2)[:10])
begun = time.monotonic()
table = replay(requests, policy, window_start=start, window_end=end, draws=2_000).offload_replay
print(json.dumps({
    "seconds": time.monotonic() - begun,
    "rows": table.height,
    "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000,
}))
"""


@pytest.mark.slow
def test_a_month_against_ten_candidates_takes_less_than_20_seconds_and_a_gigabyte() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, cwd=ROOT
    )
    measured = json.loads(done.stdout)
    assert measured["rows"] == 3 * (10 + 2)  # three cases; the example fleet has two plans
    assert measured["seconds"] < 20
    assert measured["megabytes"] < 1_000
