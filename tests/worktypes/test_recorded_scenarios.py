"""Real clients on scenarios that were dictated to them: what they are known to have done.

The corpora lie beside the checkout of those who have them.
"""

import json
from collections import Counter
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from fleet_pipeline import ledger, tables, worktypes
from fleet_pipeline.home import Home
from fleet_pipeline.org import Org, agents_by_folder
from fleet_pipeline.transcripts.discover import Places

from .conftest import ROOT

CORPORA = ROOT.parent / "shared" / "corpora" / "recorded-clients"
DONE = {
    "plain": "read, wrote and edited files, ran a script",
    "subagents": "handed packets to subagents and judged what came back",
    "custom_agent": "had an indexer read, or read as one",
    "websearch": "searched the web",
    "worktree": "looked at a repository and its worktree",
    "interactive": "a human typed twice: a look at files, a talk",
}
"""What is known of the scenarios that do more than read; all others look at a file or two."""

Found = dict[tuple[str, str], Counter[str]]


@pytest.fixture(scope="module")
def classified(org: Org, tmp_path_factory: pytest.TempPathFactory):
    def classify(client: str, version: str) -> Found:
        """Return how many turns of each kind a scenario's main thread and subagents had."""
        corpus = CORPORA / f"{client}-{version}"
        if not corpus.is_dir():
            pytest.skip("the recorded clients lie beside the checkout of those who have them")
        home = Home(tmp_path_factory.mktemp(corpus.name))
        left = corpus / "home"
        ledger.ingest(home, [Places((left / ".claude",), (left / ".codex",), "fleet")])
        ledger.recount(home)
        usage = ledger.usage(home)
        requests = tables.run(
            "requests",
            parameters={"window_start": date(2026, 1, 1), "window_end": date(2027, 1, 1)},
            usage=usage,
            agents_by_cwd=agents_by_folder(org, usage["cwd"]),
        )
        return _by_scenario(worktypes.turns(requests, org), corpus / "truth.json")

    return classify


def _by_scenario(turns: pl.DataFrame, truth: Path) -> Found:
    scenario = {
        session: run["scenario"]
        for run in json.loads(truth.read_text("utf-8"))["runs"]
        for session in run.get("sessions") or run.get("threads") or ()
    }
    found: Found = {}
    for row in turns.iter_rows(named=True):
        who = "subagent" if row["is_subagent"] else "main"
        place = scenario.get(row["session_id"], ""), who
        found.setdefault(place, Counter())[row["kind"]] += 1
    return found


@pytest.mark.parametrize("version", ["2.1.169", "2.1.330"])
def test_claude_codes_scenarios_are_taken_for_what_they_did(classified, version: str) -> None:
    found: Found = classified("claude", version)
    assert found["plain", "main"] == {"implementation": 1}
    assert set(found["subagents", "main"]) == {"orchestration"}
    assert set(found["subagents", "subagent"]) == {"extraction"}
    assert found["websearch", "main"] == {"research": 1}
    assert found["worktree", "main"] == {"review": 2}
    assert found["custom_agent", "main"] == {"orchestration": 1, "extraction": 1}
    assert found["interactive", "main"] == {"extraction": 1, "conversation": 1}
    others = {kind for (name, _), kinds in found.items() if name not in DONE for kind in kinds}
    assert others == {"extraction"}


def test_what_a_client_did_to_warm_its_cache_is_overhead(classified) -> None:
    """Claude Code 2.1.0 starts three such agents in most sessions, a third of all it bills."""
    found: Found = classified("claude", "2.1.0")
    plain = found["plain", "subagent"]
    assert plain == {"overhead": 3}
    movable_by_mistake = sum(kinds["packet"] for (_, who), kinds in found.items() if who != "main")
    assert movable_by_mistake == 0


@pytest.mark.parametrize("version", ["0.128.0", "0.169.0"])
def test_codexs_scenarios_are_taken_for_what_they_did(classified, version: str) -> None:
    found: Found = classified("codex", version)
    kinds = sum(found.values(), Counter())
    assert kinds["unknown"] <= 2
    assert kinds["extraction"] > kinds.total() / 2


def test_the_scenarios_in_the_documentation_are_these(classified) -> None:
    doc = (ROOT / "docs" / "work-types.md").read_text("utf-8")
    assert scenario_table(classified("claude", "2.1.330")) in doc


def scenario_table(found: Found) -> str:
    lines = ["| Scenario | What it did | Main thread | Subagents |", "|---|---|---|---|"]
    for name, did in DONE.items():
        main, subagents = (_written(found.get((name, who))) for who in ("main", "subagent"))
        lines.append(f"| {name} | {did} | {main} | {subagents} |")
    rest: Counter[str] = Counter()
    names = sorted({name for name, _ in found} - DONE.keys())
    for name in names:
        rest += found[name, "main"]
    lines.append(f"| {len(names)} others | looked at a file or two | {_written(rest)} | none |")
    return "\n".join(lines) + "\n"


def _written(kinds: Counter[str] | None) -> str:
    if not kinds:
        return "none"
    return ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
