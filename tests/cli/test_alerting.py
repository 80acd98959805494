"""A command that fails outside of Dagster tells, with ``--alert``, whom ``fleet.yaml`` names."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from fleet_pipeline import home as homes
from fleet_pipeline.cli import ingest as ingesting

from ..alerts.hooks import Hook, hooked
from .test_front_door import held_by

Run = Callable[..., Result]
WriteTranscript = Callable[..., Path]

SECRET = "the secret of the transcript"


@pytest.fixture
def hook(org: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    file = org / "fleet.yaml"
    text = file.read_text()
    assert "alerts: []" in text
    file.write_text(text.replace("alerts: []", "alerts: [{webhook: FLEET_ALERT_URL}]"))
    with hooked() as made:
        monkeypatch.setenv("FLEET_ALERT_URL", made.url)
        yield made


def told(hook: Hook) -> str:
    """Return the one reason of the one alert."""
    [document] = hook.taken
    [reason] = document["reasons"]
    assert document["run_id"] is None
    return str(reason)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--claude", "gone"), "gone: there is no such folder; name one that exists"),
        (("--as-of", "2026-06-16"), "use 2026-06-10 or 2026-06-17"),
        (("--home", "newer"), "was written by fleet 9.9"),
        (("--claude", ""), "it is empty; name a folder"),
        (("--as-off", "2026-06-17"), "No such option"),
        (("--accept", "days_add_up"), "say which check and why"),
    ],
)
def test_what_ends_a_refresh_before_its_run_is_told_once_in_the_words_of_stderr(
    fleet: Run, hook: Hook, arguments: tuple[str, str], reason: str
) -> None:
    Path("newer/lake").mkdir(parents=True)
    Path("newer/format.json").write_text('{"format": 99, "written_by": "9.9"}')
    result = fleet("refresh", *arguments, "--alert")
    assert result.exit_code == 2
    assert reason in told(hook)
    assert told(hook).splitlines()[0] in result.stderr
    assert hook.taken[0]["job"] == "fleet refresh"


def test_a_mistake_in_a_file_of_the_operator_is_told(fleet: Run, hook: Hook, org: Path) -> None:
    (org / "agents.yaml").write_text("agents: [")
    assert fleet("refresh", "--as-of", "2026-06-17", "--alert").exit_code == 2
    assert "agents.yaml" in told(hook)
    assert hook.taken[0]["says"] == "riles-fleet: nothing was published for 2026-06-17"


@pytest.mark.parametrize("command", ["refresh", "ingest"])
def test_a_home_in_use_is_told_with_who_holds_it(
    fleet: Run, hook: Hook, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr(homes, "LONGEST_WAIT", 0.1)
    with held_by("fleet recount, process 4711"):
        assert fleet(command, "--alert").exit_code == 3
    assert "is in use by fleet recount, process 4711" in told(hook) and "try again when" in told(
        hook
    )


def test_of_an_unexpected_error_only_kind_and_place_are_told(
    fleet: Run, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object) -> None:
        raise ValueError(SECRET)

    monkeypatch.setattr(ingesting, "bring_up_to_date", stumble)
    assert fleet("ingest", "--alert").exit_code == 1
    assert "unexpected ValueError at" in told(hook) and SECRET not in str(hook.taken)


def test_nobody_is_told_who_was_not_asked_for_or_when_all_is_well(
    fleet: Run, hook: Hook, claude_transcript: WriteTranscript
) -> None:
    claude_transcript()
    assert fleet("refresh", "--claude", "gone").exit_code == 2
    assert fleet("refresh", "--as-off", "x").exit_code == 2
    assert fleet("ingest", "--alert").exit_code == 0
    assert fleet("refresh", "--help").exit_code == 0
    assert hook.taken == []


def test_a_channel_that_does_not_take_it_changes_no_exit_status(fleet: Run, hook: Hook) -> None:
    hook.status = [404]
    result = fleet("refresh", "--claude", "gone", "--alert")
    assert result.exit_code == 2
    assert "warning: not told: webhook: 127.0.0.1 answered 404" in result.stderr
    assert "gone: there is no such folder" in result.stderr


def test_where_fleet_yaml_itself_is_broken_stderr_says_that_nobody_was_told(
    fleet: Run, hook: Hook, org: Path
) -> None:
    (org / "fleet.yaml").write_text("name: [")
    result = fleet("refresh", "--alert")
    assert result.exit_code == 2 and hook.taken == []
    assert "nobody was told" in result.stderr and "fleet.yaml" in result.stderr
