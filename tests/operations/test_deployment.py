"""What runs the product without a person: units, crontab, container; each checked by its linter."""

import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import yaml

from fleet_pipeline.weeks import latest_close

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "deploy" / "systemd").iterdir())


def test_there_is_a_unit_for_each_job_and_for_the_interface():
    assert [path.name for path in UNITS] == [
        "fleet-ingest.service",
        "fleet-ingest.timer",
        "fleet-probe.service",
        "fleet-probe.timer",
        "fleet-refresh.service",
        "fleet-refresh.timer",
        "fleet-ui.service",
    ]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_finds_no_fault_in_the_units(tmp_path):
    """The home of the user that the units name is this checkout's, so that commands are there."""
    home = tmp_path / "fleet_pipeline" / ".venv" / "bin"
    home.mkdir(parents=True)
    (home / "fleet").symlink_to(Path(sys.executable).with_name("fleet"))
    for unit in UNITS:
        (tmp_path / unit.name).write_text(unit.read_text().replace("%h", str(tmp_path)))
    files = [str(tmp_path / unit.name) for unit in UNITS]
    done = subprocess.run(["systemd-analyze", "verify", *files], capture_output=True, text=True)
    ours = [line for line in done.stderr.splitlines() if "fleet" in line]
    assert (done.returncode, ours) == (0, []), done.stderr


def test_what_runs_by_itself_is_for_the_organisation_that_the_operator_wrote_down():
    services = [unit for unit in UNITS if unit.suffix == ".service"]
    for unit in services:
        assert "EnvironmentFile=-%h/.config/fleet/environment" in unit.read_text(), unit.name
    assert len(services) == 4


def test_timers_fire_when_the_schedules_of_the_graph_do():
    from assets.definitions import defs

    repository = defs.get_repository_def()
    crons = {one.name: one.cron_schedule for one in repository.schedule_defs}
    assert crons["nightly_ingest"] == "30 3 * * *"
    assert crons["wednesday_sweep"] == "0 6 * * 3"
    assert crons["daily_probes"] == "30 4 * * *"
    by_name = {unit.name: unit.read_text() for unit in UNITS}
    assert "OnCalendar=*-*-* 03:30:00 UTC" in by_name["fleet-ingest.timer"]
    assert "OnCalendar=Wed *-*-* 06:00:00 UTC" in by_name["fleet-refresh.timer"]
    assert "OnCalendar=*-*-* 04:30:00 UTC" in by_name["fleet-probe.timer"]
    lines = (ROOT / "deploy" / "crontab").read_text().splitlines()
    cron = [re.split(r"\s{2,}(?=cd )", line) for line in lines if not line.startswith("#")]
    assert [" ".join(when.split()) for when, _ in cron] == ["30 3 * * *", "0 15 * * 3"]
    [probes] = [line for line in lines if line.endswith("probe")]
    assert probes.startswith("#30 4 * * * "), "what sends packets is turned on by an operator"


def test_cron_publishes_the_week_that_has_just_closed_wherever_the_machine_is():
    crontab = (ROOT / "deploy" / "crontab").read_text()
    [hour] = re.findall(r"^0 +([0-9]+) \* \* 3 .* refresh ", crontab, re.MULTILINE)
    wednesday = datetime(2026, 11, 25, int(hour))
    for offset in range(-12, 15):
        fires = wednesday.replace(tzinfo=timezone(timedelta(hours=offset))).astimezone(UTC)
        assert latest_close(fires.date()) == wednesday.date(), offset


def test_the_linter_of_container_recipes_finds_nothing():
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    worse = subprocess.run(
        [hadolint, "-"],
        input="FROM python\nRUN sudo pip install x\n",
        capture_output=True,
        text=True,
    )
    assert worse.returncode != 0, "the linter finds nothing in anything"


def test_the_container_is_no_root_writes_nowhere_but_its_volume_and_is_watched():
    recipe = (ROOT / "Dockerfile").read_text()
    final = recipe.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001$", final, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK ", final, re.MULTILINE)
    assert "--require-hashes" in recipe
    service = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]["fleet"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["user"] == "${FLEET_UID:-10001}"
    assert all(mount.endswith(":ro") for mount in service["volumes"] if "/transcripts" in mount)
    assert "ports" not in service
