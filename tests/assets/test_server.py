"""The graph as a server and as several processes: Dagster's own daemons on one home."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assets import runs
from fleet_pipeline.publishing.week import TABLES

from .fleets import CLOSE, Fleet, Published

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).parents[2]

LOCATION = "{ workspaceOrError { ... on Workspace { locationEntries { name loadStatus } } } }"
SCHEDULES = """{ schedulesOrError(repositorySelector: {repositoryName: "__repository__",
    repositoryLocationName: "assets.definitions"}) {
    ... on Schedules { results { name scheduleState { status } } } } }"""
LAUNCH = """mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(
    backfillParams: $params) { __typename ... on LaunchBackfillSuccess { backfillId } } }"""
BACKFILL = """query ($id: String!) { partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill { status } } }"""
RUNS = "{ runsOrError { ... on Runs { results { status tags { key value } } } } }"


class Server:
    """`dagster dev` on a free port, asked over GraphQL."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}/graphql"

    def ask(self, query: str, **variables: object) -> dict[str, dict[str, object]]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        asked = urllib.request.Request(
            self.address, body, headers={"content-type": "application/json"}
        )
        with urllib.request.urlopen(asked, timeout=30) as answer:
            found = json.load(answer)
        assert "errors" not in found, found
        data: dict[str, dict[str, object]] = found["data"]
        return data


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds:.0f} s"
        time.sleep(1)


@pytest.fixture
def served(fleet: Fleet) -> Fleet:
    """A fleet whose organisation names its transcripts: a server is told nothing else."""
    file = fleet.org / "fleet.yaml"
    named = [
        "sources:",
        "  - host: workstation",
        f"    claude: [{fleet.transcripts / '.claude'}]",
        f"    codex: [{fleet.transcripts / '.codex'}]",
    ]
    text = file.read_text()
    assert "sources: []" in text
    file.write_text(text.replace("sources: []", "\n".join(named)))
    return fleet


@pytest.fixture
def server(served: Fleet, tmp_path: Path) -> Iterator[Server]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml"]
    log = (tmp_path / "server.log").open("w")
    process = subprocess.Popen(
        [*command, "-h", "127.0.0.1", "-p", str(port)],
        cwd=CHECKOUT,
        env={**os.environ, **runs.environment(served.settings)},
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    made = Server(port)

    def is_loaded() -> bool:
        assert process.poll() is None, (tmp_path / "server.log").read_text()
        try:
            entries = made.ask(LOCATION)["workspaceOrError"]["locationEntries"]
        except OSError:
            return False
        return entries == [{"name": "assets.definitions", "loadStatus": "LOADED"}]

    try:
        wait_until(is_loaded, 120, "loading the graph")
        yield made
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        log.close()


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

    wait_until(lambda: "COMPLETED" in str(status()) or "FAIL" in str(status()), 240, "the backfill")
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
outcome = runs.publish_week(settings, date.fromisoformat(close))
sys.exit(0 if outcome["published"] else str(outcome["refusals"]))
"""
    folders = [fleet.home.root, fleet.org, *fleet.settings.claude, *fleet.settings.codex, CLOSE]
    command = [sys.executable, "-c", script, *map(str, folders)]
    both = [subprocess.Popen(command, cwd=CHECKOUT) for _ in range(2)]
    assert [process.wait(120) for process in both] == [0, 0]
    assert fleet.published() == published.fleet.published()
    weekly = [path for path in (fleet.home.lake / "weekly").rglob("*") if path.is_file()]
    assert len(weekly) == len(TABLES)
    for path in weekly:
        one_alone = published.fleet.home.root / path.relative_to(fleet.home.root)
        assert path.read_bytes() == one_alone.read_bytes()
