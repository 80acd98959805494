"""The Dagster instance of a home: its settings, who may change them, what the wheel carries."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager

from assets import runs
from fleet_pipeline.home import Home
from fleet_pipeline.settings import Settings

CHECKOUT = Path(__file__).parents[2]
SHIPPED = CHECKOUT / "assets" / "dagster.yaml"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    home = Home(tmp_path / "home")
    home.prepare()
    return Settings(home, CHECKOUT / "orgs" / "riles-fleet")


def test_a_home_keeps_its_runs_in_itself_and_runs_one_at_a_time(settings: Settings) -> None:
    with runs.instance_of(settings) as instance:
        assert instance.root_directory == str(settings.home.dagster)
        assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 1
        assert not instance.telemetry_enabled
        assert instance.run_monitoring_enabled
        assert isinstance(instance.compute_log_manager, NoOpComputeLogManager)
    assert (settings.home.dagster / "history" / "runs.db").is_file()


def test_settings_of_an_older_release_are_renewed(settings: Settings) -> None:
    runs.environment(settings)
    file = settings.home.dagster / "dagster.yaml"
    first_line, whole = file.read_text().splitlines()[0], file.read_bytes()
    file.write_text(f"{first_line}\ntelemetry:\n  enabled: true\n")
    runs.environment(settings)
    assert file.read_bytes() == whole


def test_settings_that_an_operator_made_their_own_stay(settings: Settings) -> None:
    file = settings.home.dagster / "dagster.yaml"
    file.write_text("telemetry:\n  enabled: true\n")
    with runs.instance_of(settings) as instance:
        assert instance.telemetry_enabled
    assert file.read_text() == "telemetry:\n  enabled: true\n"


def test_dagsters_own_commands_are_led_to_the_same_home(settings: Settings) -> None:
    assert runs.environment(settings) == {
        "DAGSTER_HOME": str(settings.home.dagster),
        "FLEET_HOME": str(settings.home.root),
        "FLEET_ORG": str(settings.org_folder),
    }


def test_a_checkout_without_dagster_home_keeps_runs_where_fleet_does() -> None:
    top = CHECKOUT / "dagster.yaml"
    assert top.read_bytes() == SHIPPED.read_bytes()
    shipped = yaml.safe_load(top.read_text())
    assert shipped["storage"]["sqlite"]["base_dir"] == ".fleet/dagster"
    assert shipped["local_artifact_storage"]["config"]["base_dir"] == ".fleet/dagster"


def test_the_wheel_carries_what_the_graph_needs_at_run_time(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        assert archive.read("assets/dagster.yaml") == SHIPPED.read_bytes()
    wanted = {f"sql/{path.name}" for path in (CHECKOUT / "sql").glob("*.sql")}
    wanted |= {f"assets/{path.name}" for path in (CHECKOUT / "assets").glob("*.py")}
    assert len(wanted) > 20
    assert wanted <= names
    assert not any(name.startswith(("tests/", "orgs/")) for name in names)
