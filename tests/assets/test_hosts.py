"""A host that is away is told by the graph, and stops no run."""

import shutil
from pathlib import Path

import dagster as dg
import pytest

from assets.ingestion import transcript_evidence
from assets.resources import Fleet

from .fleets import ORG


@pytest.fixture
def org(tmp_path: Path) -> Path:
    """An organisation with one host that is there and one that is not."""
    folder = tmp_path / "org"
    shutil.copytree(ORG, folder, ignore=shutil.ignore_patterns("shared"))
    (tmp_path / "org" / "here" / "projects").mkdir(parents=True)
    (tmp_path / "org" / "here" / "projects" / "s.jsonl").write_text("")
    file = folder / "fleet.yaml"
    listed = "[{host: desk, claude: [here]}, {host: box, claude: [mounted]}]"
    file.write_text(file.read_text().replace("sources: []", f"sources: {listed}"))
    return folder


def test_a_host_that_is_away_stands_with_the_evidence_and_the_others_are_read(
    tmp_path: Path, org: Path
) -> None:
    fleet = Fleet(home=str(tmp_path / "home"), org=str(org))
    result = dg.materialize([transcript_evidence], resources={"fleet": fleet})
    assert result.success
    [made] = result.asset_materializations_for_node("transcript_evidence")
    assert made.metadata["hosts_not_read"].value == ["box"]
    assert made.metadata["read_now"].value == 1
