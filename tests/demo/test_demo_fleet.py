"""What the demo fleet promises, checked by a reader of its files that knows no product code."""

import json
import os
import re
import stat
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from fleet_pipeline.demo import DemoTruth, volumes, write_demo
from fleet_pipeline.errors import ConfigurationError

AS_OF = date(2026, 6, 17)
REQUESTS = 3_000
CLASSES = (
    "input_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_read_tokens",
    "output_tokens",
    "reasoning_tokens",
)


def lines_of(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every readable line below a folder, in the order of paths; broken ones are left out."""
    for path in sorted(folder.rglob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            try:
                yield path, json.loads(line)
            except json.JSONDecodeError:
                continue


def agent_of(cwd: str) -> str:
    found = re.match(r"/home/fleet/orgs/riles-fleet/agents/([a-z]+)", cwd)
    return found[1] if found else "unattributed"


def recount(out: Path) -> dict[tuple[str, ...], Counter[str]]:
    """Count both clients by (client, agent, UTC day, model), each request once."""
    cells: dict[tuple[str, ...], Counter[str]] = {}
    requests: dict[str, tuple[tuple[str, ...], Counter[str]]] = {}
    for _, line in lines_of(out / ".claude"):
        if line["type"] != "assistant" or line["message"]["model"] == "<synthetic>":
            continue
        message, usage = line["message"], line["message"]["usage"]
        cell = ("claude", agent_of(line["cwd"]), line["timestamp"][:10], message["model"])
        counts = Counter(
            requests=1,
            input_tokens=usage["input_tokens"],
            cache_write_5m_tokens=usage["cache_creation"]["ephemeral_5m_input_tokens"],
            cache_write_1h_tokens=usage["cache_creation"]["ephemeral_1h_input_tokens"],
            cache_read_tokens=usage["cache_read_input_tokens"],
            output_tokens=usage["output_tokens"],
        )
        requests[message["id"]] = (cell, counts)
    for cell, counts in requests.values():
        cells.setdefault(cell, Counter()).update(counts)
    before: dict[Path, object] = {}
    model, cwd = "", ""
    for path, line in lines_of(out / ".codex"):
        if line["type"] == "turn_context":
            model, cwd = line["payload"]["model"], line["payload"]["cwd"]
        info = line["payload"].get("info")
        if not info or before.get(path) == info["total_token_usage"]:
            continue
        before[path], last = info["total_token_usage"], info["last_token_usage"]
        cell = ("codex", agent_of(cwd), line["timestamp"][:10], model)
        cells.setdefault(cell, Counter()).update(
            requests=1,
            input_tokens=last["input_tokens"] - last["cached_input_tokens"],
            cache_read_tokens=last["cached_input_tokens"],
            output_tokens=last["output_tokens"],
            reasoning_tokens=last["reasoning_output_tokens"],
        )
    return cells


def digest(out: Path) -> str:
    """One fingerprint of every path, its bytes and its age."""
    total = sha256()
    for path in sorted(path for path in out.rglob("*") if path.is_file()):
        total.update(str(path.relative_to(out)).encode())
        total.update(path.read_bytes())
        if path.name != "truth.json":
            total.update(str(path.stat().st_mtime_ns).encode())
    return total.hexdigest()


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DemoTruth]:
    out = tmp_path_factory.mktemp("demo") / "fleet"
    return out, write_demo(out, as_of=AS_OF, requests=REQUESTS)


@pytest.fixture(scope="module")
def out(demo: tuple[Path, DemoTruth]) -> Path:
    return demo[0]


@pytest.fixture(scope="module")
def truth(out: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((out / "truth.json").read_text("utf-8"))
    return read


def test_an_independent_count_of_the_lines_gives_every_cell_of_the_truth(
    out: Path, truth: dict[str, Any]
) -> None:
    told = {
        (cell["client"], cell["agent"], cell["date"], cell["model"]): {
            name: cell[name] for name in ("requests", *CLASSES)
        }
        for cell in truth["cells"]
    }
    counted = {
        cell: {name: counts[name] for name in ("requests", *CLASSES)}
        for cell, counts in recount(out).items()
    }

    assert counted == told


def test_cells_agents_and_totals_of_the_truth_add_up(truth: dict[str, Any]) -> None:
    for name in ("requests", "full_input_tokens", *CLASSES):
        for client in ("claude", "codex"):
            total = truth["usage"][client][name]
            for table in ("cells", "agents"):
                rows = [row for row in truth[table] if row["client"] == client]
                assert sum(row[name] for row in rows) == total, (table, client, name)


def test_the_returned_truth_is_the_one_on_disk(
    demo: tuple[Path, DemoTruth], truth: dict[str, Any]
) -> None:
    assert json.loads(json.dumps(demo[1].as_json())) == truth
    assert demo[1].claude.requests == REQUESTS


def test_a_small_demo_keeps_the_reference_page_s_proportions(truth: dict[str, Any]) -> None:
    usage = truth["usage"]["claude"]
    scale = REQUESTS / volumes.REQUESTS

    assert usage["full_input_tokens"] == pytest.approx(27_899e6 * scale, rel=0.01)
    assert usage["cache_read_tokens"] == pytest.approx(27_173e6 * scale, rel=0.01)
    assert usage["output_tokens"] / REQUESTS == pytest.approx(612, rel=0.01)
    assert usage["context_p50"] == pytest.approx(134_000, rel=0.03)
    assert usage["context_p90"] == pytest.approx(726_000, rel=0.03)
    agents = {row["agent"]: row for row in truth["agents"] if row["client"] == "claude"}
    assert len(agents) == 10
    assert agents["sage"]["full_input_tokens"] / agents["sage"]["requests"] == pytest.approx(
        440_357, rel=0.001
    )
    assert agents["felix"]["cache_read_share"] == pytest.approx(0.95, abs=0.001)


def test_every_day_of_the_window_has_requests_and_none_lies_outside(truth: dict[str, Any]) -> None:
    days = {row["date"] for row in truth["cells"] if row["client"] == "claude"}

    assert days == {str(AS_OF - timedelta(days=back)) for back in range(1, 31)}


def test_one_week_is_hot(truth: dict[str, Any]) -> None:
    assert hot_week_multiplier(truth) == pytest.approx(1.507, abs=0.02)


def hot_week_multiplier(truth: dict[str, Any]) -> float:
    daily: Counter[str] = Counter()
    for row in truth["cells"]:
        if row["client"] == "claude":
            daily[row["date"]] += row["full_input_tokens"]
    tokens = [daily[str(AS_OF - timedelta(days=back))] for back in range(30, 0, -1)]
    return max(sum(tokens[day : day + 7]) for day in range(24)) * 30 / 7 / sum(tokens)


def test_the_last_codex_readings_leave_72_and_83_per_cent_41_minutes_before_the_end(
    out: Path, truth: dict[str, Any]
) -> None:
    last: dict[tuple[str, int], dict[str, Any]] = {}
    for _, line in lines_of(out / ".codex"):
        limits = line["payload"].get("rate_limits")
        for slot in ("primary", "secondary") if limits else ():
            window = {**limits[slot], "read_at": line["timestamp"]}
            key = (limits["limit_id"], window["window_minutes"])
            if key not in last or last[key]["read_at"] <= window["read_at"]:
                last[key] = window
    told = {(row["limit_id"], row["window_minutes"]): row for row in truth["quota"]}

    assert set(told) == {
        (name, length) for name in ("codex", "codex_bengalfox") for length in (300, 10_080)
    }
    for key, row in told.items():
        assert (last[key]["used_percent"], last[key]["read_at"]) == (
            row["used_percent"],
            row["read_at"],
        )
        assert last[key]["resets_at"] == moment(row["resets_at"]).timestamp()
        left = moment(row["resets_at"]) - moment(row["read_at"])
        assert timedelta(0) < left <= timedelta(minutes=row["window_minutes"])
    assert told["codex", 300]["used_percent"] == 28.0
    assert told["codex", 10_080]["used_percent"] == 17.0
    assert told["codex", 300]["read_at"] == "2026-06-16T23:19:00.000Z"


def test_a_codex_window_only_fills_until_it_opens_again(out: Path) -> None:
    readings = sorted(
        (
            line["timestamp"],
            limits["limit_id"],
            limits[slot]["resets_at"],
            limits[slot]["used_percent"],
        )
        for _, line in lines_of(out / ".codex")
        if (limits := line["payload"].get("rate_limits"))
        for slot in ("primary", "secondary")
    )
    fullest: dict[tuple[str, int], float] = {}
    for _, limit, resets_at, used in readings:
        assert 0 <= fullest.get((limit, resets_at), 0.0) <= used < 100
        fullest[limit, resets_at] = used
    assert len(fullest) > 10


def test_contexts_grow_within_a_thread_and_fall_only_at_a_compaction(out: Path) -> None:
    context: dict[Path, int] = {}
    compacted: set[Path] = set()
    falls = grows = compactions = 0
    for path, line in lines_of(out / ".claude"):
        if line.get("subtype") == "compact_boundary":
            assert line["compactMetadata"]["preTokens"] == context[path]
            compacted.add(path)
            compactions += 1
        if line["type"] != "assistant" or line["message"]["model"] == "<synthetic>":
            continue
        usage = line["message"]["usage"]
        now = sum(
            usage[name]
            for name in usage
            if name in {"input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"}
        )
        before = context.get(path, 0)
        grows += now > before
        falls += now < before and path not in compacted
        compacted.discard(path)
        context[path] = now
        assert now <= 1_000_000
    assert (falls, compactions > 0, grows > REQUESTS / 2) == (0, True, True)


def test_the_traps_of_real_transcripts_are_there(out: Path, truth: dict[str, Any]) -> None:
    seen: dict[str, set[str]] = {}
    synthetic = placeholders = sidechains = 0
    for _, line in lines_of(out / ".claude"):
        if line["type"] == "assistant":
            synthetic += line["message"]["model"] == "<synthetic>"
            placeholders += line["message"]["stop_reason"] is None
            sidechains += line["isSidechain"]
            if line["message"]["model"] != "<synthetic>":
                seen.setdefault(line["message"]["id"], set()).add(line["sessionId"])
    broken = []
    for path in sorted((out / ".claude").rglob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines(keepends=True):
            try:
                json.loads(line)
            except json.JSONDecodeError:
                broken.append(line.endswith("\n"))
    traps = truth["traps"]

    assert sorted(broken) == [False, True]
    assert (traps["truncated_last_lines"], traps["broken_lines"]) == (1, 1)
    assert sum(len(sessions) == 2 for sessions in seen.values()) == traps["copied_requests"] > 0
    assert synthetic >= traps["synthetic_lines"] > 0
    assert placeholders >= traps["placeholder_lines"] > 0
    assert sidechains > 0


def test_folders_are_named_after_the_working_directory(out: Path) -> None:
    worktrees = 0
    for path, line in lines_of(out / ".claude"):
        if "cwd" in line:
            relative = path.relative_to(out / ".claude" / "projects")
            assert relative.parts[0] == re.sub("[^A-Za-z0-9]", "-", line["cwd"])
            assert line["sessionId"] in (path.stem, relative.parts[1])
            worktrees += "/agents/forge/.worktrees/" in line["cwd"]
    assert worktrees > 0


def test_a_subagent_s_file_says_what_started_it(out: Path) -> None:
    files = sorted((out / ".claude").rglob("subagents/agent-*.jsonl"))
    started = {
        block["id"]: block["input"]["subagent_type"]
        for _, line in lines_of(out / ".claude")
        if line["type"] == "assistant"
        for block in line["message"]["content"]
        if block.get("name") == "Agent"
    }

    assert files
    for file in files:
        meta = json.loads(file.with_suffix(".meta.json").read_text("utf-8"))
        assert started[meta["toolUseId"]] == meta["agentType"]


def test_files_are_private_and_as_old_as_their_last_line(out: Path) -> None:
    for path in (out, *out.rglob("*")):
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path
    newest: dict[Path, str] = {}
    for path, line in lines_of(out):
        newest[path] = max(newest.get(path, ""), line.get("timestamp", ""))
    for path, timestamp in newest.items():
        assert path.stat().st_mtime == pytest.approx(moment(timestamp).timestamp(), abs=0.0005)


def test_progress_ends_at_the_number_of_requests(tmp_path: Path) -> None:
    told: list[int] = []
    write_demo(tmp_path / "demo", as_of=AS_OF, requests=200, progress=told.append)

    assert told == sorted(told)
    assert told[-1] == 200


def test_the_same_arguments_give_the_same_bytes_whatever_the_hash_seed(tmp_path: Path) -> None:
    program = (
        "import sys; from datetime import date; from pathlib import Path;"
        "from fleet_pipeline.demo import write_demo;"
        "write_demo(Path(sys.argv[1]), as_of=date(2026, 6, 17), requests=400, seed=3)"
    )
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(Path.cwd())}
        command = [sys.executable, "-c", program, str(tmp_path / hash_seed)]
        subprocess.run(command, check=True, env=environment)

    assert digest(tmp_path / "1") == digest(tmp_path / "2")


@pytest.mark.parametrize(
    "other", [{"seed": 8}, {"requests": 301}, {"as_of": AS_OF + timedelta(days=7)}]
)
def test_two_different_demos_share_no_request(tmp_path: Path, other: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {"as_of": AS_OF, "requests": 300, "seed": 7}
    write_demo(tmp_path / "one", **arguments)
    write_demo(tmp_path / "other", **(arguments | other))

    def ids(folder: str) -> set[str]:
        lines = lines_of(tmp_path / folder / ".claude")
        return {line["message"]["id"] for _, line in lines if line["type"] == "assistant"}

    assert not ids("one") & ids("other")


@pytest.mark.parametrize("requests", [1, 2, 29, 30, 70])
def test_a_tiny_demo_is_still_whole(tmp_path: Path, requests: int) -> None:
    truth = write_demo(tmp_path / "demo", as_of=AS_OF, requests=requests)
    counted = sum(
        counts["requests"]
        for cell, counts in recount(tmp_path / "demo").items()
        if cell[0] == "claude"
    )

    assert counted == truth.claude.requests == requests
    assert truth.codex.requests >= 6
    assert [reading.used_percent for reading in truth.quota] == [28.0, 17.0, 12.0, 6.0]
    if requests >= 30:
        assert sum(total.client == "claude" for total in truth.agents) == 10
        assert len({cell.date for cell in truth.cells if cell.client == "claude"}) == 30


@pytest.mark.parametrize("requests", [0, -5])
def test_a_demo_of_nothing_is_refused(tmp_path: Path, requests: int) -> None:
    with pytest.raises(ConfigurationError, match="at least 1 request"):
        write_demo(tmp_path / "demo", as_of=AS_OF, requests=requests)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_holds_anything_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")

    with pytest.raises(ConfigurationError, match="choose a new or an empty folder"):
        write_demo(tmp_path, as_of=AS_OF, requests=5)
    with pytest.raises(ConfigurationError, match="choose a new or an empty folder"):
        write_demo(tmp_path / "mine.txt", as_of=AS_OF, requests=5)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir(mode=0o755)
    write_demo(tmp_path / "empty", as_of=AS_OF, requests=5)

    assert sorted(path.name for path in (tmp_path / "empty").iterdir()) == [
        ".claude",
        ".codex",
        "truth.json",
    ]
    assert stat.S_IMODE((tmp_path / "empty").stat().st_mode) == 0o700


def test_an_interrupted_demo_leaves_nothing_behind(tmp_path: Path) -> None:
    def interrupt(written: int) -> None:
        if written > 50:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_demo(tmp_path / "demo", as_of=AS_OF, requests=300, progress=interrupt)
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigurationError, match=r"file/demo"):
        write_demo(tmp_path / "file" / "demo", as_of=AS_OF, requests=5)


@pytest.mark.slow
def test_the_full_demo_reproduces_the_reference_page(tmp_path: Path) -> None:
    started = time.perf_counter()
    truth = write_demo(tmp_path / "demo", as_of=AS_OF)
    seconds = time.perf_counter() - started
    usage, told = truth.claude, truth.as_json()
    written = sum(path.stat().st_size for path in (tmp_path / "demo").rglob("*"))

    assert seconds < 25
    assert written < 250e6
    assert usage.requests == 107_338
    assert usage.full_input_tokens == pytest.approx(27_899e6, rel=0.0005)
    assert usage.cache_read_tokens == pytest.approx(27_173e6, rel=0.001)
    assert usage.input_tokens == pytest.approx(20.5e6, rel=0.001)
    assert usage.cache_write_5m_tokens + usage.cache_write_1h_tokens == pytest.approx(
        705.5e6, rel=0.001
    )
    assert min(usage.cache_write_5m_tokens, usage.cache_write_1h_tokens) > 100e6
    assert usage.output_tokens == pytest.approx(65.7e6, rel=0.001)
    assert truth.claude_context.p50 == pytest.approx(134_000, rel=0.01)
    assert truth.claude_context.p90 == pytest.approx(726_000, rel=0.01)
    assert hot_week_multiplier(told) == pytest.approx(1.507, abs=0.005)
    glm_usd = 0.1826 * (usage.full_input_tokens * 1.40 + usage.output_tokens * 4.40) / 1e6
    assert glm_usd == pytest.approx(7_185, rel=0.002)

    printed = {
        "sage": (24_982, 11_001, 99, 0.08),
        "forge": (28_653, 4_471, 97, 0.55),
        "scribe": (9_704, 3_179, 94, 0.20),
        "apollo": (6_549, 2_548, 97, 0.25),
        "mercury": (10_334, 1_920, 97, 0.45),
        "analyst": (6_707, 1_802, 98, 0.50),
        "librarian": (6_850, 924, 96, 0.45),
        "hippocrates": (5_149, 701, 95, 0.20),
        "felix": (3_237, 480, 95, 0.25),
    }
    agents = {total.agent: total.usage for total in truth.agents if total.client == "claude"}
    assert set(agents) == {*printed, "unattributed"}
    for agent, (requests, millions, percent, _) in printed.items():
        assert agents[agent].requests == requests
        assert agents[agent].full_input_tokens == pytest.approx(millions * 1e6, rel=0.002)
        assert round(100 * agents[agent].cache_read_share) == percent
    assert agents["unattributed"].requests == 5_173
    assert agents["unattributed"].full_input_tokens == pytest.approx(873e6, rel=0.002)
    target = sum(agents[agent].full_input_tokens * row[3] for agent, row in printed.items())
    assert target == pytest.approx(7_053e6, rel=0.001)

    counted: Counter[str] = Counter()
    for cell, counts in recount(tmp_path / "demo").items():
        if cell[0] == "claude":
            counted.update(counts)
    assert counted["requests"] == 107_338
    assert counted["output_tokens"] == usage.output_tokens
    assert counted["cache_read_tokens"] == usage.cache_read_tokens
