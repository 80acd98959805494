"""The graph as a server and as several processes: Dagster's own daemons on one home."""

import subprocess
import sys
from pathlib import Path

import pytest

from fleet_pipeline.publishing.week import TABLES

from .fleets import CLOSE, Fleet, Published
from .servers import Server, served, server, wait_until

__all__ = ["served", "server"]

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).parents[2]

SCHEDULES = """{ schedulesOrError(repositorySelector: {repositoryName: "__repository__",
    repositoryLocationName: "assets.definitions"}) {
    ... on Schedules { results { name scheduleState { status } } } } }"""
LAUNCH = """mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(
    backfillParams: $params) { __typename ... on LaunchBackfillSuccess { backfillId } } }"""
BACKFILL = """query ($id: String!) { partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill { status } } }"""
RUNS = "{ runsOrError { ... on Runs { results { status tags { key value } } } } }"


def test_a_backfill_of_two_weeks_runs_under_dagsters_own_daemons(
    server: Server, served: Fleet
) -> None:
    schedules = server.ask(SCHEDULES)["schedulesOrError"]["results"]
    assert isinstance(schedules, list)
    assert {row["name"]: row["scheduleState"]["status"] for row in schedules} == {
        "nightly_ingest": "RUNNING",
        "wednesday_sweep": "RUNNING",
        "daily_probes": "STOPPED",
    }
    repository = {
        "repositoryName": "__repository__",
        "repositoryLocationName": "assets.definitions",
    }
    params = {
        "selector": {
            "partitionSetName": "weekly_sweep_job_partition_set",
            "repositorySelector": repository,
        },
        "partitionNames": ["2026-05-27", "2026-06-03"],
    }
    launched = server.ask(LAUNCH, params=params)["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess"

    def status() -> object:
        answer = server.ask(BACKFILL, id=launched["backfillId"])
        return answer["partitionBackfillOrError"]["status"]

    wait_until(lambda: "COMPLETED" in str(status()) or "FAIL" in str(status()), 900, "the backfill")
    assert status() == "COMPLETED_SUCCESS"
    found = server.ask(RUNS)["runsOrError"]["results"]
    assert isinstance(found, list)
    assert [run["status"] for run in found] == ["SUCCESS"] * 3  # `fleet refresh` is one of them
    weeks = {path.name for path in (served.home.site / "weeks").iterdir()}
    assert weeks == {"2026-06-03", "2026-06-10", "2026-06-17"}
    assert served.page("latest")["as_of"] == "2026-06-17"


def test_two_processes_at_once_on_one_home_leave_what_one_leaves(
    new_fleet: Fleet, published: Published, tmp_path: Path
) -> None:
    fleet = new_fleet.copy(tmp_path / "fleet")
    fleet.home.prepare()
    script = """
import sys
from datetime import date
from pathlib import Path
from assets import runs
from fleet_pipeline.home import Home
from fleet_pipeline.settings import Settings

home, org, claude, codex, close = sys.argv[1:]
settings = Settings(Home(Path(home)), Path(org), (Path(claude),), (Path(codex),))
is_busy = True
while is_busy:  # on a slow machine the other one may take longer than a writer waits
    outcome = runs.publish_week(settings, date.fromisoformat(close))
    is_busy = "is in use by process" in str(outcome["refusals"])
sys.exit(0 if outcome["published"] else str(outcome["refusals"]))
"""
    folders = [fleet.home.root, fleet.org, *fleet.settings.claude, *fleet.settings.codex, CLOSE]
    command = [sys.executable, "-c", script, *map(str, folders)]
    both = [subprocess.Popen(command, cwd=CHECKOUT) for _ in range(2)]
    assert [process.wait(600) for process in both] == [0, 0]
    assert fleet.published() == published.fleet.published()
    weekly = [path for path in (fleet.home.lake / "weekly").rglob("*") if path.is_file()]
    assert len(weekly) == len(TABLES)
    for path in weekly:
        one_alone = published.fleet.home.root / path.relative_to(fleet.home.root)
        assert path.read_bytes() == one_alone.read_bytes()
