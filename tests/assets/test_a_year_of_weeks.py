"""A year of weeks, made in random order while the schedule ticks: the bytes of weeks made in order.

Eight weeks here; `make reliability ARGS=--full` makes all 52.
"""

import os
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest

from fleet_pipeline.demo import write_demo

from .fleets import CLOSE, Fleet

pytestmark = pytest.mark.slow

WEEKS = 52 if os.environ.get("FLEET_FAULTS_FULL") else 8
CLOSES = [CLOSE - timedelta(weeks=week) for week in reversed(range(WEEKS))]
CHECKOUT = Path(__file__).parents[2]

TICK = """
import sys
from pathlib import Path
from assets import runs
from assets.definitions import defs
from fleet_pipeline.home import Home
from fleet_pipeline.settings import Settings
import dagster as dg

home, org, claude, codex = map(Path, sys.argv[1:])
settings = Settings(Home(home), org, (claude,), (codex,))
for _ in sys.stdin:
    result = defs.resolve_job_def("nightly_ingest_job").execute_in_process(
        run_config=runs.run_config(settings), instance=dg.DagsterInstance.ephemeral(),
        raise_on_error=False,
    )
    print("done" if result.success else "failed", flush=True)
"""


@dataclass
class Ticks:
    """How often a schedule in a process of its own ran, and how often that went wrong."""

    ran: int = 0
    failed: int = 0


@contextmanager
def the_schedule_ticking(fleet: Fleet) -> Iterator[Ticks]:
    folders = [fleet.home.root, fleet.org, *fleet.settings.claude, *fleet.settings.codex]
    process = subprocess.Popen(
        [sys.executable, "-c", TICK, *map(str, folders)],
        cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    ticks, over = Ticks(), threading.Event()

    def tick() -> None:
        assert process.stdin and process.stdout
        while not over.is_set():
            process.stdin.write("now\n")
            process.stdin.flush()
            said = process.stdout.readline().strip()
            ticks.ran += said == "done"
            ticks.failed += said != "done"
            over.wait(2)

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        yield ticks
    finally:
        over.set()
        thread.join()
        process.communicate()


@pytest.fixture(scope="module")
def a_year(new_fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """A fleet with a little work in each week of the year, about as much in one as in another."""
    root = tmp_path_factory.mktemp("year")
    for weeks in range(0, WEEKS, 2):  # a month each, half of it in the next one
        write_demo(root / f"{weeks}", as_of=CLOSE - timedelta(weeks=weeks), requests=100)
        shutil.copytree(root / f"{weeks}", root / "transcripts", dirs_exist_ok=True)
    return Fleet(new_fleet.copy(root / "fleet").root, root / "transcripts")


def run(fleet: Fleet, close: date) -> None:
    result = fleet.run(close)
    refused = [
        f"{check.check_name}: {check.description}"
        for check in result.get_asset_check_evaluations()
        if not check.passed and check.severity is dg.AssetCheckSeverity.ERROR
    ]
    assert result.success, (close, refused)


def test_in_random_order_beside_the_schedule_every_byte_is_that_of_weeks_in_order(
    a_year: Fleet, tmp_path: Path
) -> None:
    in_order, at_random = a_year.copy(tmp_path / "in_order"), a_year.copy(tmp_path / "at_random")
    for fleet in (in_order, at_random):
        fleet.home.prepare()
    for close in CLOSES:
        run(in_order, close)
        assert in_order.page("latest")["as_of"] == close.isoformat()
    shuffled = random.Random(8).sample(CLOSES, len(CLOSES))
    newest = date.min
    with the_schedule_ticking(at_random) as ticks:
        for close in shuffled:
            run(at_random, close)
            newest = max(newest, close)
            assert at_random.page("latest")["as_of"] == newest.isoformat()
    assert (ticks.failed, ticks.ran > 0) == (0, True)
    assert at_random.published() == in_order.published()
    weeks = {path.name for path in (at_random.home.site / "weeks").glob("*-*-*")}
    assert weeks == {close.isoformat() for close in CLOSES}
