"""Real Codex clients of seven versions against the usage that a server dictated to them."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from fleet_pipeline.ledger.codex_rules import count_codex
from fleet_pipeline.transcripts.codex import read_rollout

from .codex_fixtures.rollouts import kept, located

CORPORA = Path(__file__).parents[3] / "shared" / "corpora" / "recorded-clients"
VERSIONS = {"0.29.0": 0, "0.55.0": 61, "0.74.0": 65, "0.96.0": 72, "0.128.0": 72, "0.140.0": 66,
            "0.169.0": 79}  # fmt: skip
"""Client version to the number of requests whose usage its rollouts are sure to hold."""


@pytest.fixture(params=VERSIONS)
def corpus(request):
    folder = CORPORA / f"codex-{request.param}"
    if not folder.is_dir():
        pytest.skip("the recorded clients lie beside the checkout of those who have them")
    return folder


def evidence_of(corpus: Path) -> pl.DataFrame:
    written = datetime(2026, 11, 23, tzinfo=UTC)
    frames = []
    for file_id, path in enumerate(sorted(corpus.rglob("*.jsonl"))):
        lines = located(path.read_bytes().split(b"\n")[:-1])
        file = read_rollout(lines, file_id=file_id, written=written)
        assert file.rejected == []
        frames.append(kept(file.events))
    return pl.concat(frames).with_columns(host=pl.lit("fleet"))


def test_every_billed_request_is_counted_exactly_once(corpus):
    """Cache writes are compared as input: clients before 0.169 do not log them apart."""
    billed = [
        (request["usage"], request["expected"])
        for request in json.loads((corpus / "truth.json").read_text())["requests"]
        if request["billed"] and request.get("usage") and request["delivered"] == "whole"
    ]

    def vector(usage):
        cached = usage["input_tokens_details"]["cached_tokens"]
        return usage["input_tokens"] - cached, cached, usage["output_tokens"]

    sure = Counter(vector(usage) for usage, expected in billed if expected == "yes")
    possible = Counter(vector(usage) for usage, _ in billed)
    ledger = count_codex(evidence_of(corpus))
    counted = Counter(
        ledger.select(
            pl.col("input_tokens") + pl.col("cache_write_5m_tokens"),
            "cache_read_tokens",
            "output_tokens",
        ).rows()
    )
    assert sure.total() == VERSIONS[corpus.name.removeprefix("codex-")]
    assert sure - counted == Counter()
    assert counted - possible == Counter()
    assert bool(counted) == bool(sure)


def test_the_same_rollouts_from_two_machines_change_nothing(corpus):
    evidence = evidence_of(corpus)
    elsewhere = evidence.with_columns(host=pl.lit("other"), file_id=pl.col("file_id") + 1000)
    both = pl.concat([elsewhere.sort("ts", descending=True), evidence])
    assert count_codex(both).equals(count_codex(evidence))


def test_forks_without_their_parents_bill_only_their_own_requests(corpus):
    """What a fork asked itself is the same whether its parent's file is there or not."""
    evidence = evidence_of(corpus)
    alone = evidence.filter(pl.col("forked_from").is_not_null())
    forks = alone.get_column("thread_id").unique().to_list()
    whole = count_codex(evidence)
    together = whole.filter(pl.coalesce("agent_id", "session_id").is_in(forks))
    assert count_codex(alone).equals(together)
