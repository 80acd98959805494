"""``fleet refresh``: when it runs the weekly job, for which week, and how it tells the outcome.

The job itself is stood in for here; it is run for real in ``test_refresh_for_real``.
"""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import pytest
from click.testing import Result

from fleet_pipeline import demo
from fleet_pipeline.cli import graph, options
from fleet_pipeline.cli.graph import Outcome
from fleet_pipeline.demo import stand_in
from fleet_pipeline.settings import Settings

from ..alerts.hooks import hooked

Run = Callable[..., Result]
WriteTranscript = Callable[..., Path]

PUBLISHED = Outcome(
    as_of="2026-06-17",
    published=True,
    page="/srv/site/weeks/2026-06-17/index.html",
    ranking="/srv/site/weeks/2026-06-17/cheap-model-offload-ranking.md",
    run_id="run",
    warnings=["window_is_whole: 3 of 30 days hold no request"],
    refusals=[],
)
REFUSED = Outcome(
    as_of="2026-06-17",
    published=False,
    page=None,
    ranking=None,
    run_id="run",
    warnings=[],
    refusals=["nothing was published for 2026-06-17: agents_add_up: output_tokens by +1"],
)


class Job:
    """Stands in for the graph: remembers the weeks that it was asked for."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.weeks: list[date] = []

    def publish_week(self, settings: Settings, close: date) -> Outcome:
        self.weeks.append(close)
        return self.outcome


@pytest.fixture
def job(org: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    standing_in = Job(PUBLISHED)
    monkeypatch.setattr(graph, "runs", lambda: standing_in)
    monkeypatch.setattr(options, "now", lambda: datetime(2026, 6, 18, 9, tzinfo=UTC))
    return standing_in


@pytest.fixture
def small_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stand_in, "write_demo", partial(demo.write_demo, requests=60))


def test_the_week_is_the_latest_that_is_over(
    fleet: Run, job: Job, claude_transcript: WriteTranscript
) -> None:
    claude_transcript()
    assert fleet("refresh").exit_code == 0
    assert job.weeks == [date(2026, 6, 17)]


def test_another_week_can_be_asked_for(
    fleet: Run, job: Job, claude_transcript: WriteTranscript
) -> None:
    claude_transcript()
    fleet("refresh", "--as-of", "2026-06-10")
    assert job.weeks == [date(2026, 6, 10)]


@pytest.mark.parametrize(
    ("as_of", "says"),
    [
        ("2026-06-16", "use 2026-06-10 or 2026-06-17"),
        ("2026-06-24", "that week is not over; the latest is 2026-06-17"),
        ("2026-06-19", "that week is not over; the latest is 2026-06-17"),
        ("2024-06-19", "weeks begin to close at 2025-01-08"),
        ("june", "write a date such as 2026-06-17"),
    ],
)
def test_a_day_that_closes_no_week_is_bad_usage_and_names_one_that_does(
    fleet: Run, job: Job, as_of: str, says: str
) -> None:
    result = fleet("refresh", "--as-of", as_of)
    assert (result.exit_code, result.stdout, job.weeks) == (2, "", [])
    assert says in result.stderr
    assert not Path(".fleet").exists()


def test_where_the_page_is_goes_to_stdout_and_warnings_do_not(
    fleet: Run, job: Job, claude_transcript: WriteTranscript
) -> None:
    claude_transcript()
    result = fleet("refresh")
    assert result.stdout == (
        "page: /srv/site/weeks/2026-06-17/index.html\n"
        "ranking: /srv/site/weeks/2026-06-17/cheap-model-offload-ranking.md\n"
    )
    assert "warning: window_is_whole: 3 of 30 days hold no request\n" in result.stderr


def test_whom_fleet_yaml_names_is_told_of_a_refusal_and_only_where_it_is_asked_for(
    fleet: Run,
    job: Job,
    org: Path,
    claude_transcript: WriteTranscript,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    claude_transcript()
    file = org / "fleet.yaml"
    named = "alerts: [{webhook: FLEET_ALERT_URL}, {slack: NOT_SET}]"
    file.write_text(file.read_text().replace("alerts: []", named))
    with hooked() as hook:
        monkeypatch.setenv("FLEET_ALERT_URL", hook.url)
        assert fleet("refresh", "--alert").exit_code == 0
        job.outcome = REFUSED
        assert fleet("refresh").exit_code == 1
        assert hook.taken == []
        result = fleet("refresh", "--alert")
    assert result.exit_code == 1
    assert "warning: not told: slack: NOT_SET is not set in the environment" in result.stderr
    [document] = hook.taken
    assert document["as_of"] == "2026-06-17"
    assert document["reasons"] == ["agents_add_up: output_tokens by +1"]


@pytest.mark.parametrize(("outcome", "status"), [(PUBLISHED, 0), (REFUSED, 1)])
def test_with_json_the_outcome_is_the_only_thing_on_stdout(
    fleet: Run, job: Job, claude_transcript: WriteTranscript, outcome: Outcome, status: int
) -> None:
    claude_transcript()
    job.outcome = outcome
    result = fleet("refresh", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (status, outcome)


def test_a_refusal_says_which_check_and_why(
    fleet: Run, job: Job, claude_transcript: WriteTranscript
) -> None:
    claude_transcript()
    job.outcome = REFUSED
    result = fleet("refresh")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith(
        "fleet: nothing was published for 2026-06-17: agents_add_up: output_tokens by +1\n"
    )


def test_a_mistake_in_the_organisation_stops_before_anything_is_written(
    fleet: Run, job: Job, org: Path
) -> None:
    (org / "agents.yaml").write_text("agents: 3\n")
    result = fleet("refresh")
    assert (result.exit_code, job.weeks) == (2, [])
    assert f"{org}/agents.yaml:1: agents" in result.stderr
    assert not Path(".fleet").exists()


def test_an_organisation_is_needed_and_init_is_named(fleet: Run, job: Job, org: Path) -> None:
    org.rename("away")
    result = fleet("refresh")
    assert (result.exit_code, job.weeks) == (2, [])
    assert "fleet init --org" in result.stderr


def test_a_machine_without_transcripts_gets_a_demo_and_is_told_so_in_one_line(
    fleet: Run, job: Job, small_demo: None
) -> None:
    result = fleet("refresh")
    assert (result.exit_code, job.weeks) == (0, [date(2026, 6, 17)])
    assert Path(".fleet/demo/truth.json").is_file()
    [line] = [line for line in result.stderr.splitlines() if "demo fleet" in line and "--" in line]
    assert line.startswith("No transcripts on this machine: the page will show a demo fleet.")


def test_the_demo_gives_way_to_the_first_transcript(
    fleet: Run, job: Job, small_demo: None, claude_transcript: WriteTranscript
) -> None:
    fleet("refresh")
    claude_transcript(2)
    assert "demo" not in fleet("refresh").stderr
    totals = json.loads(fleet("ingest", "--json").stdout)
    assert totals["usage"]["claude"]["requests"] == 2
    assert [host["host"] for host in totals["sources"]["hosts"]] == ["local"]


def test_once_read_transcripts_are_not_replaced_by_a_demo_when_the_client_deletes_them(
    fleet: Run, job: Job, claude_transcript: WriteTranscript
) -> None:
    path = claude_transcript()
    fleet("ingest")
    path.unlink()
    assert "demo" not in fleet("refresh").stderr
    assert not Path(".fleet/demo").exists()


@pytest.mark.parametrize("how", ["option", "organisation"])
def test_named_folders_without_a_transcript_are_never_replaced_by_a_demo(
    fleet: Run, job: Job, org: Path, how: str
) -> None:
    empty = Path("empty").absolute()
    empty.mkdir()
    if how == "organisation":
        file = org / "fleet.yaml"
        listed = f"sources:\n  - host: box\n    claude: [{empty}]\n"
        file.write_text(file.read_text().replace("sources: []", listed))
    result = fleet("refresh", *(["--claude", empty] if how == "option" else []))
    assert job.weeks == [date(2026, 6, 17)], "whether there is enough is for the checks to say"
    assert "demo" not in result.stderr
    assert not Path(".fleet/demo").exists()
