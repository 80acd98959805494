import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_pipeline.costing.prefix_cache import (
    Prompt,
    PromptCache,
    cached_tokens,
    hit_tokens,
    reusable_tokens,
)

TRACE = Path(__file__).parents[3] / "shared" / "data" / "mooncake-conversation-trace.jsonl.gz"
START = datetime(2026, 6, 1, tzinfo=UTC)
BLOCK = 512


@pytest.fixture(scope="module")
def mooncake() -> list[Prompt]:
    """The public conversation trace of Mooncake (FAST 2025): 12,031 prompts, blocks of 512."""
    if not TRACE.exists():
        pytest.skip("the Mooncake trace does not lie beside the checkout")
    with gzip.open(TRACE, "rt") as lines:
        rows = [json.loads(line) for line in lines]
    return [Prompt(row["timestamp"], tuple(row["hash_ids"]), row["input_length"]) for row in rows]


@pytest.mark.parametrize(("ttl", "share"), [(60, 0.105), (300, 0.293), (600, 0.350), (None, 0.374)])
def test_a_public_trace_hits_as_often_as_its_own_replay_says(
    mooncake: list[Prompt], ttl: float | None, share: float
) -> None:
    hits = hit_tokens(mooncake, block_tokens=BLOCK, ttl_seconds=ttl)
    assert sum(hits) / sum(prompt.tokens for prompt in mooncake) == pytest.approx(share, abs=5e-4)


@pytest.mark.parametrize(("at_ms", "hits"), [(2_000, 512), (2_001, 0)])
def test_a_block_lives_to_the_millisecond(at_ms: int, hits: int) -> None:
    trace = [Prompt(0, (1,), 600), Prompt(at_ms, (1,), 600)]
    assert hit_tokens(trace, block_tokens=BLOCK, ttl_seconds=2) == [0, hits]


prompts_ = st.lists(
    st.builds(
        Prompt,
        st.integers(0, 10**7),
        st.lists(st.integers(0, 5), max_size=6).map(tuple),
        st.integers(0, 6 * BLOCK),
    ),
    max_size=30,
).map(lambda prompts: sorted(prompts, key=lambda prompt: prompt.at_ms))


@given(prompts_, st.floats(0, 10**4))
def test_hits_never_exceed_the_prompt_and_never_fall_with_a_longer_life(
    prompts: list[Prompt], ttl: float
) -> None:
    hits = hit_tokens(prompts, block_tokens=BLOCK, ttl_seconds=ttl)
    longer = hit_tokens(prompts, block_tokens=BLOCK, ttl_seconds=ttl * 2)
    for prompt, some, more in zip(prompts, hits, longer, strict=True):
        assert 0 <= some <= more <= prompt.tokens


def conversation(steps: list[tuple[int, int, bool]]) -> tuple[list[Prompt], pl.DataFrame]:
    """One conversation as blocks and as Claude logs it; a step adds tokens after a pause.

    A compaction begins a new prefix, shorter than the one before.
    """
    prompts, rows = [], []
    length = at = epoch = 0
    for added, pause, compacts in steps:
        at += pause
        previous = length
        epoch += compacts
        length = previous // 2 if compacts else length + added
        read = previous if rows and not compacts and pause <= 300 else 0
        prompts.append(
            Prompt(at * 1000, tuple(epoch * 10**6 + n for n in range(length // BLOCK)), length)
        )
        rows.append((START + timedelta(seconds=at), read, length))
    frame = pl.DataFrame(
        rows, schema=["ts", "cache_read_tokens", "full_input_tokens"], orient="row"
    )
    return prompts, frame.with_columns(
        host=pl.lit("laptop"),
        session_id=pl.lit("s"),
        agent_id=pl.lit(None, pl.String),
        output_tokens=pl.lit(0, pl.Int64),
    )


steps_ = st.lists(
    st.tuples(st.integers(1, 4_000), st.integers(1, 4_000), st.booleans()), min_size=1, max_size=20
)


@given(steps_, st.integers(1, 4_000))
def test_a_ledger_tells_the_same_hits_as_the_prompts_that_it_counted(
    steps: list[tuple[int, int, bool]], ttl: int
) -> None:
    prompts, ledger = conversation(steps)
    cache = PromptCache("implicit", ttl_seconds=ttl, block_tokens=BLOCK)
    told = reusable_tokens(ledger).select(cached_tokens(cache, pl.lit(True))).to_series().to_list()
    assert told == hit_tokens(prompts, block_tokens=BLOCK, ttl_seconds=ttl)


def two_requests(pause: int, **second: int) -> pl.DataFrame:
    row = {"cache_read_tokens": 900, "full_input_tokens": 2_000, "output_tokens": 100, **second}
    first = {"cache_read_tokens": 0, "full_input_tokens": 1_000, "output_tokens": 50}
    return pl.DataFrame([first, row]).with_columns(
        ts=pl.Series([START, START + timedelta(seconds=pause)]),
        host=pl.lit("laptop"),
        session_id=pl.lit("s"),
        agent_id=pl.lit("a"),
    )


def second_hit(cache: PromptCache, requests: pl.DataFrame) -> int:
    told = reusable_tokens(requests).with_columns(hit=cached_tokens(cache, pl.lit(True)))
    hit: int = told["hit"][1]
    return hit


IMPLICIT = PromptCache("implicit", ttl_seconds=600, block_tokens=64)


def test_a_hit_is_in_whole_blocks_and_at_most_what_the_last_request_left() -> None:
    assert second_hit(IMPLICIT, two_requests(10)) == 896
    assert second_hit(IMPLICIT, two_requests(10, cache_read_tokens=1_900)) == 1_050 // 64 * 64


def test_a_pause_beyond_the_life_of_an_entry_is_a_miss() -> None:
    assert second_hit(IMPLICIT, two_requests(601)) == 0


def test_what_claude_lost_only_by_a_pause_may_still_hit_in_a_cache_that_lives_longer() -> None:
    assert second_hit(IMPLICIT, two_requests(500, cache_read_tokens=0)) == 1_000 // 64 * 64
    shrunk = two_requests(500, cache_read_tokens=0, full_input_tokens=900)
    assert second_hit(IMPLICIT, shrunk) == 0


def test_a_prompt_below_the_minimum_is_not_cached() -> None:
    assert second_hit(PromptCache("implicit", 600, 64, 4_096), two_requests(10)) == 0


def test_no_cache_and_a_cache_that_forgets_at_once_are_the_same() -> None:
    forgets = PromptCache("implicit", ttl_seconds=0)
    assert second_hit(forgets, two_requests(10)) == second_hit(PromptCache(), two_requests(10)) == 0
