"""The volumes that the synthetic fleet reproduces: figures and where they come from, nothing else.

Source: the hand-made routing page of 2026-06-18 (107,338 Claude Code requests over 30 days).
Its table names nine agents; its totals hold 5,173 requests and 873M tokens more than that table,
which belong to no named agent. Output tokens are not printed there: 65.7M is the one figure at
which its $7,185 and $58 use the same share of the work (18.260 %).
"""

from dataclasses import dataclass

UNATTRIBUTED = "unattributed"


@dataclass(frozen=True, slots=True)
class AgentVolume:
    """What one agent used in 30 days: requests, tokens sent (fresh + writes + reads), reads."""

    agent: str
    requests: int
    full_input_tokens: int
    cache_read_tokens: int


def _printed(agent: str, requests: int, full_input_millions: int, read_percent: int) -> AgentVolume:
    full_input_tokens = full_input_millions * 1_000_000
    return AgentVolume(agent, requests, full_input_tokens, full_input_tokens * read_percent // 100)


NAMED_AGENTS = (
    _printed("sage", 24_982, 11_001, 99),
    _printed("forge", 28_653, 4_471, 97),
    _printed("scribe", 9_704, 3_179, 94),
    _printed("apollo", 6_549, 2_548, 97),
    _printed("mercury", 10_334, 1_920, 97),
    _printed("analyst", 6_707, 1_802, 98),
    _printed("librarian", 6_850, 924, 96),
    _printed("hippocrates", 5_149, 701, 95),
    _printed("felix", 3_237, 480, 95),
)

REQUESTS = 107_338
FULL_INPUT_TOKENS = 27_899_000_000
CACHE_READ_TOKENS = 27_173_000_000
FRESH_INPUT_TOKENS = 20_500_000
OUTPUT_TOKENS = 65_700_000

CONTEXT_P50_TOKENS = 134_000
CONTEXT_P90_TOKENS = 726_000

HOT_WEEK_MULTIPLIER = 1.507
"""The page's $10,831 for a hot week's rate over its $7,185 for the month."""

VOLUMES = (
    *NAMED_AGENTS,
    AgentVolume(
        UNATTRIBUTED,
        REQUESTS - sum(volume.requests for volume in NAMED_AGENTS),
        FULL_INPUT_TOKENS - sum(volume.full_input_tokens for volume in NAMED_AGENTS),
        CACHE_READ_TOKENS - sum(volume.cache_read_tokens for volume in NAMED_AGENTS),
    ),
)

CODEX_REQUESTS = 2_400
"""Codex requests beside the full Claude fleet; the page gives none, so this is our choice."""

CODEX_GENERAL_USED_PERCENT = {300: 28.0, 10_080: 17.0}
"""Per cent used at the last reading, by window length in minutes (printed: 72 %, 83 % left)."""

CODEX_SPARK_USED_PERCENT = {300: 12.0, 10_080: 6.0}
"""The same for the Spark windows, of which the page says only that they are idle: our choice."""
