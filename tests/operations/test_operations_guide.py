"""docs/operations.md, done word for word by a new user of a clean machine."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fleet_pipeline.home import Home
from fleet_pipeline.probes import results

from ..ranking import probed

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "operations.md"
FLEET = Path(sys.executable).with_name("fleet")

IN_ORDER = (
    "Install", "First run with your own fleet", "Schedule", "Watch", "Backup", "Restore",
    "Making the store smaller", "Upgrade", "Uninstall",
)  # fmt: skip


def steps() -> list[tuple[str, str]]:
    """Return every block of shell commands in the guide under its heading."""
    found = []
    for section in GUIDE.read_text().split("\n## ")[1:]:
        heading = section.partition("\n")[0]
        found += [(heading, block) for block in re.findall(r"```sh\n(.*?)```", section, re.DOTALL)]
    return found


def test_the_guide_has_commands_for_every_stage_of_a_products_life():
    headings = [heading for heading, _ in steps()]
    assert list(dict.fromkeys(headings)) == list(IN_ORDER)


SERVICES = ("systemctl", "loginctl", "crontab")
"""Belong to the machine and not to the user: here they only write down what they were told."""


@pytest.fixture
def user(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a user with some transcripts, a network and nothing else."""
    home, tools = tmp_path / "user", tmp_path / "tools"
    home.mkdir()
    tools.mkdir()
    for name in SERVICES:
        tool = tools / name
        tool.write_text(f'#!/bin/sh\n{{ echo "{name} $*"; [ -t 0 ] || cat; }} >>{tmp_path}/told\n')
        tool.chmod(0o755)
    command = [FLEET, "demo", "--out", home, "--requests", "300"]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    repository = tmp_path / "repository"
    subprocess.run(["git", "clone", "-q", "--bare", ROOT, repository], check=True)
    uv_cache = subprocess.run(
        [Path(sys.executable).with_name("uv"), "cache", "dir"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(
            ("FLEET_", "DAGSTER_", "CLAUDE_", "CODEX_", "PYTEST_", "XDG_", "MAKE")
        )
        and name not in ("VIRTUAL_ENV", "PYTHONPATH", "MFLAGS", "ARGS")
    }
    return kept | {
        "HOME": str(home),
        "PATH": f"{tools}:{os.environ['PATH']}",
        "REPOSITORY": str(repository),
        "UV_CACHE_DIR": uv_cache,
        "FLEET_OFFLINE": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
    }


KEPT = ("lake/events", "lake/quota", "lake/usage", "lake/probes", "site/weeks")
"""What nobody can make again, and the ledger and the pages that hang on it."""


def kept(home: Path) -> dict[Path, bytes]:
    return {
        path: path.read_bytes()
        for folder in KEPT
        for path in (home / folder).rglob("*")
        if path.is_file()
    }


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.slow
def test_every_command_works_in_the_order_in_which_it_stands(user, tmp_path):
    checkout = Path(user["HOME"]) / "fleet_pipeline"
    published: dict[str, bytes] = {}
    before: dict[Path, bytes] = {}
    for heading, block in steps():
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            env=user,
            cwd=user["HOME"],
            capture_output=True,
            text=True,
            timeout=1800,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"{heading}:\n{block}\n{done.stdout}\n{done.stderr}"
        latest = checkout / ".fleet" / "site" / "latest"
        if heading == "First run with your own fleet":
            published = {
                path.name: path.read_bytes() for path in latest.iterdir() if path.is_file()
            }
            assert "my-fleet" in published["page.json"].decode()
        if heading == "Watch":
            results.add(Home(checkout / ".fleet"), probed.results(probed.result("a/b", "pass")))
            before = kept(checkout / ".fleet")
            assert len(before) > 10
        if heading == "Restore":
            assert contents(latest) == published
            assert kept(checkout / ".fleet") == before
    told = (tmp_path / "told").read_text()
    assert "enable --now fleet-ingest.timer fleet-refresh.timer" in told
    of_cron = told.partition("crontab -\n")[2]
    assert "fleet --log json refresh" in of_cron, "cron was told nothing"
    assert "FLEET_ORG=orgs/my-fleet" in of_cron, "cron would publish the example"
    assert not checkout.exists()
    assert list((Path(user["HOME"]) / "backup").iterdir()), "the backup went with it"
    assert list((Path(user["HOME"]) / ".claude").rglob("*.jsonl")), "transcripts are only read"
