"""``fleet init``: a starting organisation, guessed from where the clients have worked."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from click.testing import Result

from fleet_pipeline import org as organisations
from fleet_pipeline.cli import starting

Run = Callable[..., Result]
WriteTranscript = Callable[..., Path]

FILES = (
    "fleet.yaml", "agents.yaml", "routing.yaml", "free_apis.yaml", "models.yaml", "offload.yaml",
    "lanes.yaml",
)  # fmt: skip


def agents(folder: str = "orgs/my-fleet") -> dict[str, tuple[str, ...]]:
    return {agent.name: agent.folders for agent in organisations.load(Path(folder)).agents}


def test_it_writes_an_organisation_that_loads_and_is_called_like_its_folder(fleet: Run) -> None:
    result = fleet("init", "--org", "orgs/night-shift")
    assert (result.exit_code, result.stderr) == (0, "")
    written = [line.removeprefix("wrote ") for line in result.stdout.splitlines()[:-1]]
    assert written == [f"orgs/night-shift/{name}" for name in FILES]
    assert "fleet refresh --org orgs/night-shift" in result.stdout
    assert organisations.load(Path("orgs/night-shift")).name == "night-shift"


def test_without_an_option_it_goes_beside_the_example(fleet: Run) -> None:
    assert fleet("init").exit_code == 0
    assert agents() == {}


def test_the_environment_may_name_the_folder(fleet: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEET_ORG", "mine")
    assert fleet("init").exit_code == 0
    assert fleet("ingest").exit_code == 0
    assert organisations.load(Path("mine")).name == "mine"


def test_each_folder_that_a_client_worked_in_becomes_an_agent(
    fleet: Run, claude_transcript: WriteTranscript, codex_transcript: WriteTranscript
) -> None:
    claude_transcript(cwd="/srv/code/web-app/src", name="one")
    claude_transcript(cwd="/srv/code/web-app", name="two")
    codex_transcript(cwd="/srv/code/billing")
    fleet("init")
    assert agents() == {
        "billing": ("/srv/code/billing",),
        "web-app": ("/srv/code/web-app",),
    }


def test_compressed_rollouts_count_too(fleet: Run, codex_transcript: WriteTranscript) -> None:
    path = codex_transcript(cwd="/srv/code/billing")
    path.with_suffix(".jsonl.zst").write_bytes(zstandard.compress(path.read_bytes()))
    path.unlink()
    fleet("init")
    assert list(agents()) == ["billing"]


def test_a_transcript_that_cannot_be_read_is_passed_over(
    fleet: Run, claude_transcript: WriteTranscript, codex_transcript: WriteTranscript
) -> None:
    claude_transcript(cwd="/srv/code/web-app")
    codex_transcript().write_bytes(b"\x28\xb5\x2f\xfd damaged")
    assert fleet("init").exit_code == 0
    assert list(agents()) == ["web-app"]


def test_only_the_newest_transcripts_are_looked_at(
    fleet: Run, claude_transcript: WriteTranscript, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "_NEWEST_FILES", 2)
    for age in range(3):
        path = claude_transcript(cwd=f"/srv/code/project-{age}", name=f"session-{age}")
        os.utime(path, (2_000_000_000 - age, 2_000_000_000 - age))
    fleet("init")
    assert list(agents()) == ["project-0", "project-1"]


def test_nothing_of_what_was_said_gets_into_the_files(
    fleet: Run, claude_transcript: WriteTranscript
) -> None:
    claude_transcript()
    fleet("init")
    assert not [
        name for name in FILES if "the secret of" in Path("orgs/my-fleet", name).read_text()
    ]


def test_an_organisation_is_never_overwritten(fleet: Run, org: Path) -> None:
    before = {path: path.read_bytes() for path in org.iterdir()}
    result = fleet("init", "--org", org)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "nothing was overwritten" in result.stderr
    assert {path: path.read_bytes() for path in org.iterdir()} == before


def test_what_is_missing_of_an_organisation_is_written_and_the_rest_left_alone(
    fleet: Run, org: Path
) -> None:
    (org / "offload.yaml").unlink()
    before = {path: path.read_bytes() for path in org.iterdir()}
    result = fleet("init", "--org", org)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == f"wrote {org / 'offload.yaml'}"
    assert {path: path.read_bytes() for path in before} == before
    assert organisations.load(org).name == "riles-fleet"


def test_a_link_that_leads_nowhere_is_not_written_through(fleet: Run) -> None:
    Path("orgs/my-fleet").mkdir(parents=True)
    Path("orgs/my-fleet/fleet.yaml").symlink_to("elsewhere.yaml")
    fleet("init")
    assert not Path("orgs/my-fleet/elsewhere.yaml").exists()


@pytest.mark.parametrize("name", ["/", "a\nb", " blank"])
def test_a_folder_whose_name_is_no_name_is_refused(fleet: Run, name: str) -> None:
    result = fleet("init", "--org", name)
    assert result.exit_code == 2
    assert "cannot be the name of an organisation" in result.stderr
    assert list(Path().iterdir()) == []


def test_a_file_is_no_folder(fleet: Run) -> None:
    Path("mine").write_text("")
    result = fleet("init", "--org", "mine")
    assert (result.exit_code, result.stderr) == (
        2,
        "fleet: mine is no folder; name a new one with --org\n",
    )


def test_a_disk_that_refuses_leaves_nothing_behind(
    fleet: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = {"fleet.yaml": "name: x\n", "agents.yaml": "\udcff"}
    monkeypatch.setattr(starting, "starting_files", lambda *_: texts)
    assert fleet("init").exit_code == 1
    assert list(Path("orgs/my-fleet").iterdir()) == []
