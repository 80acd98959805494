"""What `make release` makes, and what the product is made of."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def supply_chain(*arguments: str, **options: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, ".ci/supply_chain.py", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_the_bill_of_materials_names_all_that_running_takes_with_hashes_and_licences():
    bill = json.loads(supply_chain("sbom").stdout)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    names = {part["name"] for part in bill["components"]}
    assert {"dagster", "duckdb", "polars", "pydantic", "msgspec"} <= names
    assert not {"pytest", "mypy", "hypothesis"} & names
    assert all(part["externalReferences"][0]["hashes"] for part in bill["components"])
    references = {part["bom-ref"] for part in bill["components"]}
    for edge in bill["dependencies"]:
        assert set(edge["dependsOn"]) <= references
    assert supply_chain("sbom").stdout == json.dumps(bill, indent=1) + "\n"


def test_every_locked_package_has_a_licence_that_is_told():
    lines = supply_chain("licences").stdout.splitlines()
    assert len(lines) > 100
    untold = [line.split()[0] for line in lines if line.endswith("not stated")]
    assert len(untold) <= 2, untold


def test_no_start_up_file_is_there_that_nobody_expects():
    done = supply_chain("pth")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_the_wheel_and_the_sdist_work_where_there_is_no_checkout(tmp_path):
    environment = os.environ | {"SOURCE_DATE_EPOCH": "1780000000"}
    for folder in ("dist", "again"):
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "--directory", str(tmp_path / folder)],
            cwd=ROOT,
            check=True,
            capture_output=True,
            env=environment,
        )
    for path in (tmp_path / "dist").iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name
    (tmp_path / "dist" / "requirements.txt").write_text(supply_chain("runtime").stdout)
    tried = subprocess.run(
        [sys.executable, ".ci/try_release.py", str(tmp_path / "dist")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert "the sdist builds the same wheel" in tried.stdout
    assert "as the truth has it" in tried.stdout
    assert "dagster dev serves" in tried.stdout
