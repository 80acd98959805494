"""A user of Claude Code with a home of their own."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

FLEET = Path(sys.executable).with_name("fleet")

Show = Callable[..., str]


@pytest.fixture
def claude(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a Claude Code that was run before."""
    for name in ("CLAUDE_CONFIG_DIR", "XDG_CONFIG_HOME", "CODEX_HOME", "FLEET_ORG", "FLEET_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / ".claude"
    folder.mkdir()
    return folder


@pytest.fixture
def show(claude: Path) -> Show:
    """Run the installed ``fleet statusline``, which must end well; return what it printed."""

    def run(told: dict[str, object] | bytes) -> str:
        data = told if isinstance(told, bytes) else json.dumps(told).encode()
        done = subprocess.run(
            [FLEET, "statusline"], input=data, capture_output=True, timeout=30, check=True
        )
        assert done.stderr == b""
        return done.stdout.decode()

    return run
