"""``fleet refresh`` as it is installed, with the real graph, on a small demo fleet."""

import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

RunReally = Callable[..., "subprocess.CompletedProcess[str]"]

AS_OF = "2026-06-17"


def digests(folder: Path) -> dict[str, str]:
    found = {}
    for parent, _, names in os.walk(folder, followlinks=True):
        for name in names:
            path = Path(parent, name)
            found[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@pytest.fixture
def demo(fleet_process: RunReally) -> Path:
    made = fleet_process("demo", "--out", "demo", "--requests", 200, "--as-of", AS_OF)
    assert made.returncode == 0
    return Path("demo").absolute()


@pytest.mark.slow  # the whole graph, twice
def test_a_demo_fleet_is_published_as_it_truly_was_and_again_byte_for_byte(
    fleet_process: RunReally, org: Path, demo: Path
) -> None:
    arguments = (
        "refresh", "--home", "home", "--claude", demo / ".claude", "--codex", demo / ".codex",
        "--as-of", AS_OF,
    )  # fmt: skip
    first = fleet_process(*arguments)
    assert first.returncode == 0, first.stderr
    site = Path("home/site").absolute()
    week = site / "weeks" / AS_OF
    assert first.stdout.splitlines() == [
        f"page: {week}/index.html",
        f"ranking: {week}/cheap-model-offload-ranking.md",
    ]
    assert (site / "latest").resolve() == week

    page = json.loads((week / "page.json").read_text())
    truth = json.loads((demo / "truth.json").read_text())
    assert (page["as_of"], page["org"]) == (AS_OF, "riles-fleet")
    for client in ("claude", "codex"):
        true = truth["usage"][client]
        assert {name: page["usage"][client][name] for name in true} == pytest.approx(true, rel=1e-9)
        counts = {name: count for name, count in true.items() if isinstance(count, int)}
        assert {name: page["usage"][client][name] for name in counts} == counts
    columns = (
        "requests", "input_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens",
        "cache_read_tokens", "output_tokens", "full_input_tokens",
    )  # fmt: skip
    published = {
        row["agent"]: [row[column] for column in columns]
        for row in page["agents"]
        if row["requests"]
    }
    true_agents = {
        row["agent"]: [row[column] for column in columns]
        for row in truth["agents"]
        if row["client"] == "claude"
    }
    assert published == true_agents

    before = digests(site)
    assert {f"weeks/{AS_OF}/index.html", f"weeks/{AS_OF}/SHA256SUMS"} <= set(before)
    second = fleet_process(*arguments, "--json")
    assert second.returncode == 0, second.stderr
    outcome = json.loads(second.stdout)
    assert (outcome["published"], outcome["page"]) == (True, f"{week}/index.html")
    assert digests(site) == before


@pytest.mark.slow
def test_folders_without_a_transcript_publish_nothing(fleet_process: RunReally, org: Path) -> None:
    Path("empty").mkdir()
    result = fleet_process("refresh", "--claude", "empty", "--as-of", AS_OF, "--json")
    assert result.returncode == 1, result.stderr
    outcome = json.loads(result.stdout)
    assert (outcome["published"], outcome["page"]) == (False, None)
    assert any("window_holds_requests" in refusal for refusal in outcome["refusals"])
    assert f"fleet: nothing was published for {AS_OF}: window_holds_requests" in result.stderr
    assert not Path(".fleet/site/latest").exists()
    assert not Path(".fleet/demo").exists()
