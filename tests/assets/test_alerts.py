"""A run that fails is told of by the sensor: which check refused, and never text of a log."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.definitions import defs
from assets.sensors import failures_are_told
from fleet_pipeline.errors import SourceError

from ..alerts.hooks import Hook, hooked
from .fleets import ORG

SECRET = "what a transcript says"


@dg.asset
def table() -> int:
    return 1


@dg.asset_check(asset=table, blocking=True)
def parts_add_up() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=False, description="off by 1")


@dg.asset_check(asset=table)
def is_usual() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=False, severity=dg.AssetCheckSeverity.WARN, description="unusual"
    )


@dg.asset(deps=[table])
def page() -> None:
    raise AssertionError("a check refused before")


@dg.asset
def stumbles() -> None:
    raise ValueError(SECRET)


@dg.asset
def cannot_read() -> None:
    try:
        raise KeyError(SECRET)
    except KeyError:
        raise SourceError("the share is not mounted") from None


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    with hooked() as made:
        monkeypatch.setenv("FLEET_ALERT_URL", made.url)
        yield made


@pytest.fixture
def org(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "org"
    shutil.copytree(ORG, folder, ignore=shutil.ignore_patterns("shared"))
    file = folder / "fleet.yaml"
    text = file.read_text()
    assert "alerts: []" in text
    file.write_text(text.replace("alerts: []", "alerts: [{webhook: FLEET_ALERT_URL}]"))
    monkeypatch.setenv("FLEET_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FLEET_ORG", str(folder))
    return folder


def told_of(*assets: Any) -> None:
    """Run assets and give their failure to the sensor."""
    instance = dg.DagsterInstance.ephemeral()
    result = dg.materialize(
        list(assets),
        instance=instance,
        raise_on_error=False,
        tags={"dagster/partition": "2026-06-10"},
    )
    assert not result.success
    [failed] = [event for event in result.all_events if event.is_run_failure]
    context = dg.build_run_status_sensor_context(
        failures_are_told.name, failed, instance, result.dagster_run
    ).for_run_failure()
    failures_are_told(context)


def test_a_check_that_refused_is_told_with_its_reason_and_a_warning_is_not(
    hook: Hook, org: Path
) -> None:
    told_of(table, parts_add_up, is_usual, page)
    [document] = hook.taken
    assert document["as_of"] == "2026-06-17"
    assert document["fleet"] == "riles-fleet"
    assert document["reasons"] == ["parts_add_up: off by 1"]


def test_an_error_raised_on_purpose_is_told_in_its_words(hook: Hook, org: Path) -> None:
    told_of(cannot_read)
    [document] = hook.taken
    assert document["reasons"] == ["the share is not mounted"]


def test_of_any_other_error_only_the_kind_and_the_step_are_told(hook: Hook, org: Path) -> None:
    told_of(stumbles)
    [document] = hook.taken
    assert SECRET not in str(document)
    assert document["reasons"] == [
        "ValueError in stumbles: this is a bug; `fleet ui` shows the run"
    ]


def test_a_mistake_in_another_of_the_operators_files_is_told(hook: Hook, org: Path) -> None:
    (org / "agents.yaml").write_text("agents: [")
    told_of(cannot_read)
    assert len(hook.taken) == 1


def test_whatever_becomes_of_an_alert_the_sensor_goes_on(hook: Hook, org: Path) -> None:
    hook.status = [500]
    told_of(cannot_read)
    assert hook.taken == []
    (org / "fleet.yaml").write_text("name: [")
    told_of(cannot_read)


def test_the_sensor_watches_every_job_by_default() -> None:
    sensor = defs.resolve_sensor_def("failures_are_told")
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
