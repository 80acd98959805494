"""A machine of its own for each test: nobody's real home, environment or transcripts are seen."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fleet_pipeline.cli import main

RILES_FLEET = Path(__file__).parents[2] / "orgs" / "riles-fleet"
FLEET = Path(sys.executable).with_name("fleet")

Run = Callable[..., Result]
RunReally = Callable[..., "subprocess.CompletedProcess[str]"]
WriteTranscript = Callable[..., Path]


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Stand in an empty working directory of a user whose home folder is empty; return that."""
    user, work = tmp_path / "user", tmp_path / "work"
    user.mkdir()
    work.mkdir()
    for name in (
        "CLAUDE_CONFIG_DIR", "CODEX_HOME", "XDG_CONFIG_HOME", "FLEET_HOME", "FLEET_ORG",
        "FLEET_DEBUG", "DAGSTER_HOME",
    ):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(user))
    monkeypatch.chdir(work)
    mask = os.umask(0o022)
    yield user
    os.umask(mask)


@pytest.fixture
def org(machine: Path) -> Path:
    """Put a copy of the example organisation where commands find it by themselves."""
    folder = Path("orgs/riles-fleet").absolute()
    shutil.copytree(RILES_FLEET, folder, ignore=shutil.ignore_patterns("shared"))
    return folder


@pytest.fixture
def fleet() -> Run:
    """Run a command inside this process."""
    return lambda *arguments: CliRunner().invoke(main, [str(one) for one in arguments])


@pytest.fixture
def fleet_process() -> RunReally:
    """Run the installed ``fleet``."""

    def run(*arguments: object) -> "subprocess.CompletedProcess[str]":
        command = [str(one) for one in (FLEET, *arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    return run


@pytest.fixture
def claude_transcript(machine: Path) -> WriteTranscript:
    """Write a transcript of Claude Code, one request to a line; a place in the home by default."""

    def write(
        requests: int = 1,
        *,
        folder: Path | None = None,
        name: str = "session",
        cwd: str = "/srv/fleet/orgs/riles-fleet/agents/forge",
        model: str = "claude-sonnet-4-6",
        version: str = "2.1.169",
        stop_reason: str | None = "end_turn",
        day: str = "2026-06-10",
    ) -> Path:
        lines = [
            {
                "type": "assistant",
                "uuid": f"{name}-{place}",
                "timestamp": f"{day}T10:{place:02}:00.000Z",
                "sessionId": name,
                "cwd": cwd,
                "version": version,
                "requestId": f"req_{name}_{place}",
                "message": {
                    "id": f"msg_{name}_{place}",
                    "role": "assistant",
                    "model": model,
                    "stop_reason": stop_reason,
                    "content": [{"type": "text", "text": "the secret of the transcript"}],
                    "usage": {
                        "input_tokens": 10,
                        "cache_creation_input_tokens": 200,
                        "cache_creation": {
                            "ephemeral_5m_input_tokens": 150,
                            "ephemeral_1h_input_tokens": 50,
                        },
                        "cache_read_input_tokens": 3000,
                        "output_tokens": 40,
                    },
                },
            }
            for place in range(requests)
        ]
        path = (folder or machine / ".claude") / "projects" / "some-project" / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        return path

    return write


@pytest.fixture
def codex_transcript(machine: Path) -> WriteTranscript:
    """Write a rollout of Codex with one request."""

    def write(*, folder: Path | None = None, cwd: str = "/srv/code/billing") -> Path:
        thread = "0197702b-7aa0-7000-8000-000000000001"
        usage = {
            "input_tokens": 900,
            "cached_input_tokens": 600,
            "output_tokens": 70,
            "reasoning_output_tokens": 20,
            "total_tokens": 970,
        }
        said = [
            ("session_meta", {"id": thread, "cwd": cwd, "cli_version": "0.140.0"}),
            ("turn_context", {"cwd": cwd, "model": "gpt-5.5-codex", "effort": "medium"}),
            (
                "event_msg",
                {
                    "type": "token_count",
                    "info": {"total_token_usage": usage, "last_token_usage": usage},
                },
            ),
        ]
        lines = [
            {"timestamp": f"2026-06-10T11:00:0{place}.000Z", "type": kind, "payload": payload}
            for place, (kind, payload) in enumerate(said)
        ]
        path = (folder or machine / ".codex") / f"sessions/2026/06/10/rollout-2026-{thread}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        return path

    return write
