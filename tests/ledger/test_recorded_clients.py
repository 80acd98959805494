"""Real clients of fourteen versions, whose usage a server dictated: the ledger, request by request.

The corpora lie beside the checkout of those who have them.
"""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from fleet_pipeline.home import Home
from fleet_pipeline.ledger import ingest, recount, sessions, sources, unfamiliar, usage
from fleet_pipeline.transcripts.discover import Places

from .machine import Witness, as_counted

CORPORA = Path(__file__).parents[3] / "shared" / "corpora" / "recorded-clients"
CLAUDE = ("0.2.126", "1.0.21", "1.0.128", "2.0.77", "2.1.0", "2.1.169", "2.1.330")
CODEX = ("0.29.0", "0.55.0", "0.74.0", "0.96.0", "0.128.0", "0.140.0", "0.169.0")


@pytest.fixture(scope="module")
def taken_in(tmp_path_factory):
    """Take in a corpus; return its folder, what was billed, and the ledger of it."""
    known = {}

    def take(client: str, version: str):
        corpus = CORPORA / f"{client}-{version}"
        if not corpus.is_dir():
            pytest.skip("the recorded clients lie beside the checkout of those who have them")
        if corpus not in known:
            home = Home(tmp_path_factory.mktemp(corpus.name))
            left = corpus / "home"
            ingest(home, [Places((left / ".claude",), (left / ".codex",), "fleet")])
            recount(home)
            truth = json.loads((corpus / "truth.json").read_text())["requests"]
            billed = [request for request in truth if request["billed"] and request.get("usage")]
            known[corpus] = corpus, billed, home
        return known[corpus]

    return take


def replies(corpus: Path) -> dict[str, list[dict]]:
    """Return what the transcripts have of each message, line by line."""
    lines: dict[str, list[dict]] = {}
    for path in corpus.rglob("*.jsonl"):
        for line in path.read_bytes().splitlines():
            record = json.loads(line)
            message = record.get("message")
            is_reply = record.get("type") == "assistant" and message.get("usage")
            if is_reply and message["model"] != "<synthetic>":
                lines.setdefault(message["id"], []).append(message)
    return lines


def as_billed(request: dict, lines: list[dict]) -> tuple[int, int, int, int]:
    """Return what the server billed; a compaction counts where the client logs iterations."""
    counters = request["usage"]
    parts = [counters]
    if any(message["usage"].get("iterations") for message in lines):
        parts += [part for part in counters.get("iterations", ()) if part["type"] != "message"]
    names = (
        "input_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "output_tokens",
    )
    return tuple(sum(part.get(name) or 0 for part in parts) for name in names)


@pytest.mark.parametrize("version", CLAUDE)
def test_each_billed_request_of_claude_code_has_one_row_and_no_other_has(taken_in, version):
    corpus, billed, home = taken_in("claude", version)
    counted = usage(home)["message_id"].to_list()
    logged = replies(corpus)
    assert sorted(counted) == sorted(r["message_id"] for r in billed if r["message_id"] in logged)
    assert len(counted) > 80


@pytest.mark.parametrize("version", CLAUDE)
def test_what_the_ledger_calls_final_is_what_was_billed(taken_in, version):
    corpus, billed, home = taken_in("claude", version)
    truth = {request["message_id"]: request for request in billed}
    logged = replies(corpus)
    finals = 0
    for row in usage(home).iter_rows(named=True):
        lines = logged[row["message_id"]]
        tokens = (
            row["input_tokens"],
            row["cache_write_5m_tokens"] + row["cache_write_1h_tokens"],
            row["cache_read_tokens"],
            row["output_tokens"],
        )
        ends = any(message.get("stop_reason") is not None for message in lines)
        assert row["output_is_final"] >= ends
        if row["output_is_final"]:
            finals += 1
            assert tokens == as_billed(truth[row["message_id"]], lines), row["message_id"]
    assert finals > 0.7 * len(logged)


@pytest.mark.parametrize("version", ["2.0.77", "2.1.0", "2.1.169"])
def test_parents_repair_some_of_what_their_subagents_never_logged(taken_in, version):
    _, _, home = taken_in("claude", version)
    rows = usage(home)
    assert rows.filter(rows["output_is_final"] & rows["stop_reason"].is_null()).height > 0


@pytest.mark.parametrize("version", CLAUDE)
def test_nothing_that_a_real_client_wrote_is_quarantined(taken_in, version):
    _, _, home = taken_in("claude", version)
    held = sources(home)
    assert held["quarantined"] == {}
    assert held["duplicates"] == held["requests_lines"] - usage(home).height


@pytest.mark.parametrize("version", CODEX)
def test_each_billed_request_of_codex_has_one_row_and_no_other_has(taken_in, version):
    """Cache writes are compared as input: clients before 0.169 do not log them apart."""
    _, billed, home = taken_in("codex", version)

    def tokens(request):
        counters = request["usage"]
        cached = counters["input_tokens_details"]["cached_tokens"]
        return counters["input_tokens"] - cached, cached, counters["output_tokens"]

    whole = [request for request in billed if request["delivered"] == "whole"]
    sure = Counter(tokens(request) for request in whole if request["expected"] == "yes")
    possible = Counter(map(tokens, whole))
    counted = Counter(
        (
            row["input_tokens"] + row["cache_write_5m_tokens"],
            row["cache_read_tokens"],
            row["output_tokens"],
        )
        for row in usage(home).iter_rows(named=True)
    )
    assert sure - counted == Counter()
    assert counted - possible == Counter()
    assert (sure.total() > 60) == (version != "0.29.0")


TOTALLED = "2.1.330"
"""The recorded client of Claude Code that keeps totals."""


def billed_in_all(requests: list[dict]) -> tuple[int, int, int, int]:
    """Return fresh input, cache writes, cache reads and output of these requests together."""
    names = (
        "input_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "output_tokens",
    )
    return tuple(sum(r["usage"].get(name) or 0 for r in requests) for name in names)


def side(rows: list[dict], name: str) -> tuple[int, int, int, int]:
    """Return the same of one side of a reconciled session."""
    parts = (
        ("input_tokens",),
        ("cache_write_5m_tokens", "cache_write_1h_tokens"),
        ("cache_read_tokens",),
        ("output_tokens",),
    )
    return tuple(
        sum(row[f"{name}_{part}"] for row in rows for part in together) for together in parts
    )


def test_what_a_session_is_told_to_have_been_billed_is_what_the_server_billed(taken_in):
    """But for what the client itself does not know for sure: streams that broke off, and kills.

    Forks and resumed sessions are among them; compaction, titles and searches are in no line.
    """
    _, billed, home = taken_in("claude", TOTALLED)
    of_session: dict[str, list[dict]] = {}
    for request in billed:
        of_session.setdefault(request["session_id"], []).append(request)
    found = sessions(home).partition_by("session_id", as_dict=True)
    assert {session for (session,) in found} == of_session.keys()
    logged = set(usage(home)["message_id"])
    sure = 0
    for (session,), rows in found.items():
        requests = of_session[session]
        if any(request["fault"] and request["delivered"] == "cut" for request in requests):
            continue
        sure += 1
        assert side(rows.to_dicts(), "billed") == billed_in_all(requests), session
        in_lines = [request for request in requests if request["message_id"] in logged]
        if not any(request["usage"].get("iterations") for request in requests):
            assert side(rows.to_dicts(), "logged") == billed_in_all(in_lines), session
            agrees = len(in_lines) == len(requests)
            assert rows["status"][0] == ("agrees" if agrees else "billed_more"), session
    assert sure > 30


def test_a_session_that_was_killed_is_compared_from_where_it_was_resumed(taken_in):
    _, billed, home = taken_in("claude", TOTALLED)
    [killed] = {r["session_id"] for r in billed if r["label"].startswith("kill.")}
    [row] = [row for row in sessions(home).to_dicts() if row["session_id"] == killed]
    assert row["status"] == "agrees"
    assert (row["requests"] > 0, row["requests_without_totals"]) == (True, 1)


def test_nearly_all_that_the_recorded_client_was_billed_is_in_its_transcripts(taken_in):
    _, _, home = taken_in("claude", TOTALLED)
    short = sources(home)["reconciliation"]["claude"]
    assert short["comparable"] == short["sessions"] == 41
    assert short["agreeing"] >= 31
    assert short["completeness_share"] > 0.99
    assert short["logged_more"] == 1, "the session that was compacted on the server"


@pytest.mark.parametrize("version", CLAUDE[:-1])
def test_clients_without_totals_are_not_comparable(taken_in, version):
    _, _, home = taken_in("claude", version)
    short = sources(home)["reconciliation"]["claude"]
    assert (short["comparable"], short["agreeing"], short["completeness_share"]) == (0, 0, None)
    assert short["sessions"] > 20


@pytest.mark.parametrize("version", CODEX[1:])
def test_every_thread_total_of_codex_grew_by_what_the_ledger_has(taken_in, version):
    """Resumed, forked, compacted, reviewed: the total begins anew or goes on, none of it lost."""
    _, _, home = taken_in("codex", version)
    short = sources(home)["reconciliation"]["codex"]
    assert short["agreeing"] == short["comparable"] == short["sessions"] > 20
    assert short["completeness_share"] == 1


@pytest.mark.parametrize(
    ("client", "version"),
    [("claude", version) for version in CLAUDE] + [("codex", version) for version in CODEX],
)
def test_nothing_that_a_recorded_client_wrote_is_unfamiliar(taken_in, client, version):
    corpus, _, home = taken_in(client, version)
    assert unfamiliar(home).rows() == []
    assert next(corpus.rglob("*.jsonl")).stat().st_size > 0


@pytest.mark.parametrize(
    ("client", "version"),
    [*(("claude", version) for version in CLAUDE), *(("codex", version) for version in CODEX)],
)
def test_the_slow_and_obvious_counter_finds_the_same_requests(taken_in, client, version):
    corpus, _, home = taken_in(client, version)
    witness = Witness()
    witness.look(corpus / "home")
    counted = as_counted(usage(home))
    assert counted == witness.count()
    assert bool(counted) == (version != "0.29.0")


def test_every_corpus_that_there_is_is_held_against_the_ledger():
    if not CORPORA.is_dir():
        pytest.skip("the recorded clients lie beside the checkout of those who have them")
    known = {f"claude-{version}" for version in CLAUDE} | {f"codex-{version}" for version in CODEX}
    assert {folder.name for folder in CORPORA.iterdir()} == known


@pytest.mark.parametrize("version", ["2.1.169", "2.1.330"])
def test_where_the_files_lie_changes_no_row(taken_in, tmp_path, version):
    """A fork repeats its parent's lines with their times: no path decides whose they are."""
    corpus, _, home = taken_in("claude", version)
    for name in ("moved", "moved again", "and again"):
        left = tmp_path / name
        shutil.copytree(corpus / "home", left)
        elsewhere = Home(tmp_path / f"home of {name}")
        ingest(elsewhere, [Places((left / ".claude",), (left / ".codex",), "fleet")])
        recount(elsewhere)
        assert usage(elsewhere).equals(usage(home))
