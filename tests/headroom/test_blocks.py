"""Blocks of five hours: where they begin, what is in them, what a target would have taken off."""

import itertools
from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from fleet_pipeline.headroom.blocks import BLOCK, block_starts, five_hour_blocks

NINE = datetime(2026, 6, 1, 9, tzinfo=UTC)
TARGETS = pl.DataFrame({"agent": ["forge", "sage"], "target_share": [0.5, 0.1]})
CLASSES = (
    "input_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_read_tokens",
    "full_input_tokens",
    "output_tokens",
)


def requests(*rows: tuple[float, str, int], client: str = "claude") -> pl.DataFrame:
    """Requests at hours after nine, of an agent, with so much full input."""
    return pl.DataFrame(
        [
            {
                "client": client,
                "agent": agent,
                "ts": NINE + timedelta(hours=hours),
                **dict.fromkeys(CLASSES, 0),
                "full_input_tokens": tokens,
            }
            for hours, agent, tokens in rows
        ]
    )


def moments(*times: datetime) -> pl.Series:
    return pl.Series(times, dtype=pl.Datetime("us", "UTC"))


def starts(*hours: float) -> list[float]:
    found = block_starts(moments(*(NINE + timedelta(hours=hour) for hour in hours)))
    return [(start - NINE) / timedelta(hours=1) for start in found]


def test_a_block_begins_at_the_full_hour_of_its_first_request() -> None:
    assert starts(0.5, 0.9, 4.9) == [0, 0, 0]


def test_the_next_block_begins_with_the_first_request_after_five_hours() -> None:
    assert starts(0.5, 4.5, 5.0, 5.1) == [0, 0, 0, 5]


def test_silence_of_five_hours_ends_a_block() -> None:
    assert starts(0, 30.25) == [0, 30]


def test_what_the_target_share_would_have_moved_is_told_block_by_block() -> None:
    table = five_hour_blocks(
        requests((0, "forge", 1000), (1, "sage", 100), (7, "nobody", 50)), TARGETS
    )
    assert table["full_input_tokens"].to_list() == [1100, 50]
    assert table["target_tokens"].to_list() == [510, 0]
    assert table["ends_at"].to_list() == [NINE + BLOCK, NINE + timedelta(hours=12)]


def test_codex_has_blocks_of_its_own_and_no_target() -> None:
    both = pl.concat([requests((0, "forge", 10)), requests((1, "forge", 20), client="codex")])
    table = five_hour_blocks(both, TARGETS)
    assert table.select("client", "full_input_tokens", "target_tokens").rows() == [
        ("claude", 10, 5),
        ("codex", 20, None),
    ]


@given(st.lists(st.integers(0, 60 * 24 * 4), min_size=1, max_size=60))
def test_every_request_lies_in_its_block_and_blocks_never_overlap(minutes: list[int]) -> None:
    times = [NINE + timedelta(minutes=minute) for minute in sorted(minutes)]
    found = block_starts(moments(*times)).to_list()
    assert all(start <= time <= start + BLOCK for start, time in zip(found, times, strict=True))
    apart = sorted(set(found))
    assert all(later - start >= BLOCK for start, later in itertools.pairwise(apart))


def test_no_request_makes_no_block() -> None:
    assert five_hour_blocks(requests((0, "forge", 1)).clear(), TARGETS).height == 0
