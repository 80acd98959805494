"""No byte that a run of the graph leaves behind holds what people or models wrote."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from assets import runs
from assets.definitions import defs

from ..ledger.canaries import KEPT, Canaries, everything, plant
from .fleets import CLOSE, Fleet


@pytest.fixture
def canary() -> Canaries:
    return Canaries()


@pytest.fixture
def talkative(new_fleet: Fleet, tmp_path: Path, canary: Canaries) -> Fleet:
    """A fleet that has never run, with transcripts full of canaries beside those of the demo."""
    transcripts = tmp_path / "transcripts"
    shutil.copytree(new_fleet.transcripts, transcripts)
    plant(canary, transcripts / ".claude" / "projects", transcripts / ".codex" / "sessions")
    return Fleet(new_fleet.copy(tmp_path / "fleet").root, transcripts)


@pytest.mark.slow
def test_nothing_that_a_refresh_writes_or_says_holds_text(
    talkative: Fleet, canary: Canaries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lake, quarantine, page, Dagster's runs, events and logs, temporary files, both outputs."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    command = [
        Path(sys.executable).with_name("fleet"), "--debug", "refresh", "--as-of", CLOSE.isoformat(),
        "--home", talkative.home.root, "--org", talkative.org,
        "--claude", talkative.transcripts / ".claude",
        "--codex", talkative.transcripts / ".codex",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    kept = everything(talkative.root)
    for control in (*KEPT, b"STEP_SUCCESS", b"cheap-model-offload-ranking.md"):
        assert control in kept, "the search does not find what is there"
    assert len(canary.planted) > 80
    for told in (kept, everything(temporary), done.stdout, done.stderr):
        assert [bird for bird in canary.planted if bird.encode() in told] == []
        assert b"canary" not in told


def test_a_crash_inside_a_reader_leaves_no_text_in_dagsters_events(
    talkative: Fleet, canary: Canaries, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error of a bug quotes the lines at hand; Dagster keeps errors with their tracebacks."""

    def stumble(lines, **_):
        seen = b"".join(bytes(line) for _, line in lines)
        try:
            raise KeyError(seen)
        except KeyError as cause:
            raise ValueError(seen) from cause

    monkeypatch.setattr("fleet_pipeline.ledger.reading.read_transcript", stumble)
    with runs.instance_of(talkative.settings) as instance:
        result = defs.resolve_job_def("nightly_ingest_job").execute_in_process(
            run_config=runs.run_config(talkative.settings),
            instance=instance,
            raise_on_error=False,
        )
    assert not result.success
    kept = everything(talkative.home.root)
    for control in (b"STEP_FAILURE", b"ReaderError", b"ValueError at reading.py"):
        assert control in kept, "the failure was not kept"
    assert b"canary" not in kept
