from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fleet_pipeline.costing import Policy, Target, break_even, cost_corners, policy_of
from fleet_pipeline.org import load

from .reference_month import REQUESTS, TOKENS

Make = Callable[..., pl.DataFrame]

START, END = date(2026, 5, 18), date(2026, 6, 17)
GLM, GEMMA = "z-ai/glm-5.2", "google/gemma-4-31b"


@pytest.fixture(scope="module")
def policy() -> Policy:
    made = policy_of(load(Path(__file__).parents[2] / "orgs" / "riles-fleet"))
    assert made is not None
    return made


@pytest.fixture(scope="module")
def month(requests: Make) -> pl.DataFrame:
    """The reference page's month: its requests and tokens, thirty days of them."""
    tokens = {
        name: getattr(TOKENS, name)
        for name in ("input_tokens", "cache_write_5m_tokens", "cache_read_tokens", "output_tokens")
    }
    first = {
        "date": START,
        **{name: amount - amount // REQUESTS * (REQUESTS - 1) for name, amount in tokens.items()},
    }
    rest = [
        {
            "date": START + timedelta(days=n % 30),
            **{name: amount // REQUESTS for name, amount in tokens.items()},
        }
        for n in range(1, REQUESTS)
    ]
    return requests(first, *rest)


@pytest.fixture(scope="module")
def corners(month: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    return cost_corners(month, policy, window_start=START, window_end=END)


def glm(corners: pl.DataFrame, corner: str, packet_tokens: int | None = None) -> dict[str, Any]:
    size = pl.col("packet_tokens").eq_missing(packet_tokens)
    return corners.filter(size, model=GLM, corner=corner).row(0, named=True)


@pytest.mark.parametrize(
    ("corner", "packet_tokens", "usd", "tolerance"),
    [
        ("naive", None, 58, 0.5),
        ("no_cache", None, 7_185, 1),
        ("listed_cache_price", None, 1_528, 2),
        ("packets", 4_000, 163, 1),
        ("packets", 8_000, 272, 1),
        ("packets", 16_000, 492, 1),
        ("packets", 32_000, 931, 1),
    ],
)
def test_the_reference_month_has_the_corners_that_the_calculator_has(
    corners: pl.DataFrame, corner: str, packet_tokens: int | None, usd: float, tolerance: float
) -> None:
    cost = glm(corners, corner, packet_tokens)["cost_usd_micros"]
    assert cost == pytest.approx(usd * 1e6, abs=tolerance * 1e6)


def test_the_parts_of_every_corner_add_up(corners: pl.DataFrame) -> None:
    parts = ("input", "cache_write", "cache_read", "output")
    sums = corners.select(pl.sum_horizontal(f"{part}_cost_usd_micros" for part in parts))
    assert sums.to_series().to_list() == corners["cost_usd_micros"].to_list()


def test_a_packet_is_checked_by_claude_and_the_check_has_a_price(corners: pl.DataFrame) -> None:
    row = glm(corners, "packets", 8_000)
    each = 4_000 * 3 + 300 * 15  # of the expected case, at Sonnet's $3 in and $15 out
    assert row["verify_cost_usd_micros"] == pytest.approx(row["requests"] * each, rel=1e-4)
    assert glm(corners, "no_cache")["verify_cost_usd_micros"] is None


def test_every_corner_says_its_formula(corners: pl.DataFrame) -> None:
    assert corners["formula"].null_count() == 0
    assert corners["model"].n_unique() == 8


def test_glm_breaks_even_with_sonnet_at_888_in_a_thousand_hits(
    month: pl.DataFrame, policy: Policy
) -> None:
    table = break_even(month, policy, window_start=START, window_end=END)
    row = table.filter(model=GLM).row(0, named=True)
    assert row["break_even_hit_rate"] == pytest.approx(0.888, abs=0.002)
    assert row["stay_cost_usd_micros"] == pytest.approx(2_163e6, abs=1e6)
    free = table.filter(model=GEMMA).row(0, named=True)
    assert (free["no_hit_cost_usd_micros"], free["break_even_hit_rate"]) == (0, None)


UNKNOWN = Target("glm-99", "GLM 99", "openrouter", "z-ai/glm-99")
WITHOUT_OUTPUT = Target("embedding", "Embedding", "openai", "text-embedding-3-small")


@pytest.mark.parametrize("unpriced", [UNKNOWN, WITHOUT_OUTPUT])
def test_a_model_without_a_price_of_turns_has_no_amount_in_any_corner(
    requests: Make, policy: Policy, unpriced: Target
) -> None:
    changed = replace(policy, targets=(unpriced,))
    rows = requests({"date": START, "input_tokens": 1_000})
    table = cost_corners(rows, changed, window_start=START, window_end=END)
    assert table.height == 7
    assert table["cost_usd_micros"].null_count() == 7
    unsolved = break_even(rows, changed, window_start=START, window_end=END)
    assert unsolved["stay_cost_usd_micros"].item() is None


def test_without_a_policy_there_are_no_corners(requests: Make) -> None:
    for table in (cost_corners, break_even):
        assert table(requests(), None, window_start=START, window_end=END).is_empty()


TIERED = Target("gpt", "GPT", "openai", "gpt-5.5")
"""$5 in and $30 out per million tokens, above 272,000 of input $10 and $45."""


def packets(requests: pl.DataFrame, policy: Policy, *sizes: int) -> list[dict[str, Any]]:
    changed = replace(policy, packet_tokens=sizes)
    table = cost_corners(requests, changed, window_start=START, window_end=END)
    return table.filter(corner="packets").to_dicts()


def test_a_packet_is_priced_at_the_tier_of_its_own_size(requests: Make, policy: Policy) -> None:
    one = requests({"date": START, "input_tokens": 10, "output_tokens": 1_000})
    tiered = replace(policy, share=1.0, targets=(TIERED,))
    small, large = packets(one, tiered, 272_000, 272_001)
    assert (small["sent_tokens"], small["output_tokens"], small["requests"]) == (272_000, 1_000, 1)
    assert (small["input_cost_usd_micros"], small["output_cost_usd_micros"]) == (
        272_000 * 5, 1_000 * 30,
    )  # fmt: skip
    assert (large["input_cost_usd_micros"], large["output_cost_usd_micros"]) == (
        272_001 * 10, 1_000 * 45,
    )  # fmt: skip
    for row in (small, large):
        assert (row["cache_write_cost_usd_micros"], row["cache_read_cost_usd_micros"]) == (0, 0)


def test_the_check_of_a_packet_is_priced_at_its_own_small_size(
    requests: Make, policy: Policy
) -> None:
    many = requests(*({"date": START, "input_tokens": 1} for _ in range(100)))
    at_a_tier = replace(policy, share=1.0, stays_on=TIERED.priced_as)
    [row] = [row for row in packets(many, at_a_tier, 8_000) if row["model"] == GLM]
    assert row["verify_cost_usd_micros"] == 100 * (4_000 * 5 + 300 * 30)


@pytest.mark.parametrize("stays_on", [("anthropic", "claude-nothing"), WITHOUT_OUTPUT.priced_as])
def test_a_check_without_a_price_is_unknown(
    requests: Make, policy: Policy, stays_on: tuple[str, str]
) -> None:
    one = requests({"date": START, "input_tokens": 1})
    nowhere = replace(policy, stays_on=stays_on)
    assert {row["verify_cost_usd_micros"] for row in packets(one, nowhere, 8_000)} == {None}


def test_the_naive_corner_counts_only_what_is_new(requests: Make, policy: Policy) -> None:
    one = requests(
        {"date": START, "input_tokens": 10, "cache_read_tokens": 1_000, "output_tokens": 100}
    )
    table = cost_corners(one, replace(policy, share=1.0), window_start=START, window_end=END)
    row = glm(table, "naive")
    assert (row["sent_tokens"], row["output_tokens"]) == (10, 100)
    assert (row["input_cost_usd_micros"], row["output_cost_usd_micros"]) == (14, 440)
    assert (row["cache_write_cost_usd_micros"], row["cache_read_cost_usd_micros"]) == (0, 0)
    whole = glm(table, "no_cache")
    assert (whole["sent_tokens"], whole["cache_read_cost_usd_micros"]) == (1_010, 1_400)
    assert glm(table, "listed_cache_price")["cache_read_cost_usd_micros"] == 260
    assert set(table["basis"]) == {"covered_days"}


def test_a_break_even_tells_its_three_costs(requests: Make, policy: Policy) -> None:
    one = requests(
        {"date": START, "input_tokens": 1_000, "cache_read_tokens": 9_000, "output_tokens": 100}
    )
    table = break_even(one, replace(policy, share=1.0), window_start=START, window_end=END)
    row = table.filter(model=GLM).row(0, named=True)
    assert row["stay_cost_usd_micros"] == 1_000 * 3 + 9_000 * 3 // 10 + 100 * 15
    assert row["no_hit_cost_usd_micros"] == 10_000 * 14 // 10 + 440
    assert row["all_hit_cost_usd_micros"] == 1_400 + 2_340 + 440
    assert row["staying_model"] == "claude-sonnet-4-6"
    assert row["break_even_hit_rate"] == pytest.approx((14_440 - 7_200) / (14_440 - 4_180))
