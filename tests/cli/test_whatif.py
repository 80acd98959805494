"""`fleet whatif`: another policy on the same days, beside today's."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Run = Callable[..., Result]
WriteTranscript = Callable[..., Path]

WEEK = ("--as-of", "2026-06-17")


@pytest.fixture
def ingested(fleet: Run, org: Path, claude_transcript: WriteTranscript) -> Path:
    """Two of Forge's sessions in the ledger, one of them of patients' Hippocrates."""
    for name, agent in (("one", "forge"), ("two", "forge"), ("three", "hippocrates")):
        claude_transcript(6, name=name, cwd=f"/srv/fleet/orgs/riles-fleet/agents/{agent}")
    assert fleet("ingest").exit_code == 0
    return org


def asked(fleet: Run, *arguments: object) -> dict[str, Any]:
    result = fleet("whatif", *WEEK, *arguments, "--json")
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def row(document: dict[str, Any], policy: str, model: str, case: str) -> dict[str, Any]:
    [found] = [
        row
        for row in document["rows"]
        if (row["policy"], row["model"], row["name"]) == (policy, model, case)
    ]
    assert isinstance(found, dict)
    return found


def test_another_share_moves_more_sessions_and_the_change_is_told(
    fleet: Run, ingested: Path
) -> None:
    document = asked(fleet, "--share", "1")
    assert document["share"] == {"today": 0.1826, "instead": 1.0}
    today, instead = (
        row(document, policy, "z-ai/glm-5.2", "expected") for policy in ("today", "instead")
    )
    assert today["moved_requests"] < instead["moved_requests"] == 12
    for name in ("moved_requests", "cost_usd_micros", "saving_usd_micros"):
        assert instead[f"change_{name}"] == instead[name] - today[name]


def test_nothing_is_not_replayed_as_something_that_costs_nothing(fleet: Run, org: Path) -> None:
    result = fleet("whatif", *WEEK, "--share", "1")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no request of Claude from 2026-05-18 to 2026-06-17" in result.stderr
    assert not Path(".fleet/whatif").exists()


def test_the_private_agent_stays_under_every_policy(fleet: Run, ingested: Path) -> None:
    document = asked(fleet, "--share", "1")
    assert {row["moved_requests"] for row in document["rows"]} <= {0, 6, 12}


def test_a_share_of_nothing_costs_and_saves_nothing(fleet: Run, ingested: Path) -> None:
    document = asked(fleet, "--share", "0")
    instead = [row for row in document["rows"] if row["policy"] == "instead"]
    assert {(row["cost_usd_micros"], row["saving_usd_micros"]) for row in instead} == {(0, 0)}


def test_one_candidate_may_be_asked_for_by_any_of_its_names(fleet: Run, ingested: Path) -> None:
    document = asked(fleet, "--model", "glm-5.2")
    assert {row["model"] for row in document["rows"]} == {"z-ai/glm-5.2"}


def test_another_file_of_assumptions_is_a_policy(
    fleet: Run, ingested: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.yaml"
    text = (ingested / "offload.yaml").read_text()
    other.write_text(text.replace("high: 0.25", "high: 2.0"))
    document = asked(fleet, "--policy", other, "--model", "GLM", "--share", "1")
    high = row(document, "instead", "z-ai/glm-5.2", "high")
    assert high["retries_cost_usd_micros"] == pytest.approx(2 * high["target_cost_usd_micros"])


def test_a_file_without_assumptions_keeps_those_of_today(
    fleet: Run, ingested: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("scenarios: {low: 0.1, expected: 1.0, high: 1.0}\n")
    from_file = asked(fleet, "--policy", other)["rows"]
    from_share = asked(fleet, "--share", "1")["rows"]

    def billed(rows):
        return [row for row in rows if row["paid_by"] == "tokens"]

    assert billed(from_file) == billed(from_share)


def test_what_is_printed_is_written_for_its_owner_alone(fleet: Run, ingested: Path) -> None:
    result = fleet("whatif", *WEEK, "--share", "0.5", "--json")
    written = Path(".fleet/whatif/2026-06-17.json")
    assert json.loads(written.read_text()) == json.loads(result.stdout)
    assert (written.stat().st_mode & 0o777, written.parent.stat().st_mode & 0o777) == (
        0o600,
        0o700,
    )
    assert str(written.absolute()) in result.stderr


def test_a_person_reads_a_table_with_the_interval_of_the_sample(fleet: Run, ingested: Path) -> None:
    said = fleet("whatif", *WEEK, "--model", "GLM", "--share", "1").stdout
    assert "18.26% today, 100.00% instead" in said
    assert "95% of samples" in said
    assert said.count("z-ai/glm-5.2") == 6


def test_what_cannot_be_compared_is_bad_usage(fleet: Run, ingested: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("scenarios: {low: 0.3, expected: 0.2, high: 0.1}\n")
    for arguments, says in (
        ((), "--policy FILE, --model ID or --share F"),
        (("--model", "nobody/knows"), "no candidate of the organisation"),
        (("--policy", broken), "below low (0.3)"),
        (("--policy", tmp_path / "missing.yaml"), "cannot be read"),
    ):
        result = fleet("whatif", *WEEK, *arguments)
        assert (result.exit_code, says in result.stderr) == (2, True), result.stderr


def test_an_organisation_that_assumes_nothing_is_told_what_is_missing(
    fleet: Run, ingested: Path
) -> None:
    file = ingested / "offload.yaml"
    file.write_text(file.read_text().partition("\nreplay:")[0])
    result = fleet("whatif", *WEEK, "--share", "1")
    assert (result.exit_code, "replay: is missing" in result.stderr) == (2, True)
