"""What a prompt cache of another provider would have held: hits by shared prefix and idle time.

Belongs here: two views of one rule. ``hit_tokens`` replays any trace whose prompts are known as
blocks; ``reusable_tokens`` and ``cached_tokens`` apply it to a ledger, which knows no blocks but
says what Claude's cache held. Prices and routes do not belong here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import polars as pl

CLAUDE_TTL_SECONDS = 300
"""The shortest life of an entry in Claude's cache: after a longer pause a miss may be only that."""

THREAD = ("host", "session_id", "agent_id")
"""What tells one conversation from another: each subagent has a prefix of its own."""


@dataclass(frozen=True, slots=True)
class PromptCache:
    """How a provider caches prompts.

    'none' never hits. 'implicit' keeps prefixes for ``ttl_seconds`` after their last use, in whole
    blocks of ``block_tokens``, for prompts of at least ``minimum_tokens``; whether it does is not
    promised. 'explicit' does so whenever asked, and what a request adds is written at the write
    price.
    """

    kind: Literal["none", "implicit", "explicit"] = "none"
    ttl_seconds: int = 0
    block_tokens: int = 1
    minimum_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt of a trace: when (milliseconds), its blocks in order, its length in tokens."""

    at_ms: int
    blocks: tuple[int, ...]
    tokens: int


def hit_tokens(
    prompts: Iterable[Prompt], *, block_tokens: int, ttl_seconds: float | None
) -> list[int]:
    """Return the cached tokens of each prompt, in order of time, for a cache without a size limit.

    A prompt hits the longest run of leading blocks each of which was used at most ``ttl_seconds``
    ago (None: ever), and uses all of its blocks. The rule of the Mooncake paper's traces (Qin et
    al., FAST 2025), whose blocks of 512 tokens are numbered by content and prefix.
    """
    used_at: dict[int, int] = {}
    hits = []
    for prompt in prompts:
        length = 0
        for block in prompt.blocks:
            last = used_at.get(block)
            if last is None or (
                ttl_seconds is not None and prompt.at_ms - last > ttl_seconds * 1000
            ):
                break
            length += 1
        hits.append(min(length * block_tokens, prompt.tokens))
        used_at.update(dict.fromkeys(prompt.blocks, prompt.at_ms))
    return hits


def reusable_tokens(threads: pl.DataFrame) -> pl.DataFrame:
    """Add ``gap_seconds`` and ``reusable_tokens`` to requests sorted by thread and time.

    What the thread's previous request left that this one sends again: what Claude read from its
    cache, at most that request's prompt and output. Where Claude read nothing after a pause longer
    than its cache lives and the prompt has not shrunk, all of the previous prompt; where it shrank
    (compaction) nothing is known to be shared. Null for a thread's first request.
    """
    read, full = pl.col("cache_read_tokens"), pl.col("full_input_tokens")
    previous_full, previous_output = full.shift(1), pl.col("output_tokens").shift(1)
    continues = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(1)) for name in THREAD)
    gap = (pl.col("ts") - pl.col("ts").shift(1)).dt.total_microseconds() / 1e6
    only_expired = (gap > CLAUDE_TTL_SECONDS) & (full >= previous_full)
    reused = (
        pl.when(read > 0)
        .then(pl.min_horizontal(read, previous_full + previous_output))
        .when(only_expired)
        .then(previous_full)
        .otherwise(0)
    )
    return threads.with_columns(
        gap_seconds=pl.when(continues).then(gap), reusable_tokens=pl.when(continues).then(reused)
    )


def still_held(stays: pl.Expr) -> pl.Expr:
    """Return the tokens that Claude's own cache holds of a thread, of what stayed with it.

    ``stays`` says which requests do. Needs ``reusable_tokens``' rows. The prompt of the last one
    before, as long as an entry lives at least; 0 after that, and where none stayed.
    """
    thread = pl.col("gap_seconds").is_null().cum_sum()  # null for the first of each
    asked = pl.struct("ts", "full_input_tokens", thread=thread)
    before = pl.when(stays).then(asked).shift(1).forward_fill()
    alive = (before.struct.field("thread") == thread) & (
        pl.col("ts") - before.struct.field("ts") <= pl.duration(seconds=CLAUDE_TTL_SECONDS)
    )
    held = before.struct.field("full_input_tokens")
    return pl.when(alive.fill_null(False)).then(held).otherwise(0)


def cached_tokens(cache: PromptCache, previous_moved: pl.Expr) -> pl.Expr:
    """Return the tokens that ``cache`` holds of a request, as an expression over its columns.

    Needs ``gap_seconds``, ``reusable_tokens`` and ``full_input_tokens``. The first request of a
    thread, and one whose predecessor ran elsewhere (``previous_moved`` false), find nothing.
    """
    if cache.kind == "none":
        return pl.lit(0, pl.Int64)
    alive = (
        previous_moved
        & (pl.col("gap_seconds") <= cache.ttl_seconds)
        & (pl.col("full_input_tokens") >= cache.minimum_tokens)
    )
    blocks = pl.min_horizontal("reusable_tokens", "full_input_tokens") // cache.block_tokens
    return pl.when(alive.fill_null(False)).then(blocks * cache.block_tokens).otherwise(0)
