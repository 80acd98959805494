from collections.abc import Callable
from datetime import UTC, date, datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from fleet_pipeline import tables

Make = Callable[..., pl.DataFrame]

AGENTS = pl.DataFrame(
    {
        "agent": ["sage", "forge"],
        "display_name": ["Sage", "Forge"],
        "target_share": [0.08, 0.55],
    }
)
TOKEN_SUMS = (
    "requests",
    "input_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_read_tokens",
    "output_tokens",
    "full_input_tokens",
)


def fleet(requests: Make) -> pl.DataFrame:
    """Three Claude requests of two agents on two days, and one of Codex."""
    first, second = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 2, tzinfo=UTC)
    return requests(
        {"agent": "forge", "ts": first, "model": "opus", "input_tokens": 10, "output_tokens": 1},
        {"agent": "forge", "ts": second, "model": "sonnet", "cache_read_tokens": 90},
        {"ts": second, "cache_write_1h_tokens": 100, "output_is_final": False},
        {
            "client": "codex",
            "agent": "forge",
            "ts": second,
            "model": "gpt-5.5",
            "effort": "high",
            "input_tokens": 5,
            "cache_read_tokens": 15,
            "output_tokens": 7,
            "reasoning_tokens": 3,
        },
    )


def test_both_clients_have_totals_even_when_one_was_never_used(requests: Make) -> None:
    totals = tables.run("usage_totals", requests=requests({"input_tokens": 4}))
    assert totals["client"].to_list() == ["claude", "codex"]
    assert totals["requests"].to_list() == [1, 0]
    assert totals["full_input_tokens"].to_list() == [4, 0]


def test_what_cannot_be_divided_is_null_and_not_zero(requests: Make) -> None:
    totals = tables.run("usage_totals", requests=requests())
    unknown = totals.select("cache_read_share", "context_p50", "context_p90", "output_final_share")
    assert unknown.null_count().row(0) == (2, 2, 2, 2)


def test_totals_are_sums_and_shares_of_the_same_requests(requests: Make) -> None:
    claude = tables.run("usage_totals", requests=fleet(requests)).row(0, named=True)
    assert claude["requests"] == 3
    assert claude["full_input_tokens"] == 200
    assert claude["cache_read_share"] == 90 / 200
    assert claude["context_p50"] == 90
    assert claude["context_p90"] == pytest.approx(98)
    assert claude["output_final_share"] == 2 / 3


def test_every_sum_of_tokens_is_a_64_bit_integer(requests: Make) -> None:
    huge = requests({"cache_read_tokens": 10**12}, {"cache_read_tokens": 10**12})
    for name in ("usage_totals", "daily_usage", "model_mix"):
        totals = tables.run(name, requests=huge)
        assert totals.schema["full_input_tokens"] == pl.Int64
        assert totals["full_input_tokens"].sum() == 2 * 10**12


@pytest.mark.parametrize("name", ["daily_usage", "model_mix"])
def test_the_parts_of_a_table_add_up_to_the_clients_totals(requests: Make, name: str) -> None:
    rows = fleet(requests)
    sums = ["requests", "output_tokens", "full_input_tokens"]
    parts = tables.run(name, requests=rows).group_by("client").agg(pl.col(sums).sum())
    totals = tables.run("usage_totals", requests=rows).select("client", *sums)
    assert_frame_equal(parts.sort("client"), totals)


@pytest.mark.parametrize(
    "name", ["usage_totals", "daily_usage", "context_profile", "model_mix", "codex_usage"]
)
def test_the_order_of_requests_changes_no_table(requests: Make, name: str) -> None:
    rows = fleet(requests)
    shuffled = rows.sample(fraction=1.0, shuffle=True, seed=1)
    assert tables.run(name, requests=rows).equals(tables.run(name, requests=shuffled))


def test_a_day_row_is_one_day_client_agent_and_model(requests: Make) -> None:
    daily = tables.run("daily_usage", requests=fleet(requests))
    assert daily.select("date", "client", "agent", "model").rows() == [
        (date(2026, 6, 1), "claude", "forge", "opus"),
        (date(2026, 6, 2), "claude", "forge", "sonnet"),
        (date(2026, 6, 2), "claude", "unattributed", "unknown"),
        (date(2026, 6, 2), "codex", "forge", "gpt-5.5"),
    ]


def test_agents_without_work_are_listed_and_unattributed_is_last(requests: Make) -> None:
    agents = tables.run("agent_usage", requests=fleet(requests), agents=AGENTS)
    assert agents.select("agent", "requests").rows() == [
        ("forge", 2),
        ("sage", 0),
        ("unattributed", 1),
    ]
    assert agents.filter(agent="sage")["context_p50"].item() is None


def test_agents_add_up_to_claudes_totals_even_when_one_left_the_org(requests: Make) -> None:
    rows = requests({"agent": "retired", "input_tokens": 3}, {"agent": "sage", "input_tokens": 4})
    agents = tables.run("agent_usage", requests=rows, agents=AGENTS)
    totals = tables.run("usage_totals", requests=rows).filter(client="claude")
    assert agents.select(pl.col(TOKEN_SUMS).sum()).row(0) == totals.select(TOKEN_SUMS).row(0)
    assert agents.filter(agent="unattributed")["input_tokens"].item() == 3


def test_an_idle_fleet_still_lists_its_agents(requests: Make) -> None:
    agents = tables.run("agent_usage", requests=requests(), agents=AGENTS)
    assert agents["agent"].to_list() == ["forge", "sage", "unattributed"]
    assert agents["full_input_tokens"].sum() == 0


def test_context_quantiles_come_from_single_requests(requests: Make) -> None:
    rows = requests(*({"agent": "forge", "cache_read_tokens": n} for n in range(1, 102)))
    profile = tables.run("context_profile", requests=rows)
    assert profile.rows() == [
        ("claude", "", 101, 51.0, 91.0, 100.0, 101),
        ("claude", "forge", 101, 51.0, 91.0, 100.0, 101),
    ]


def test_model_shares_are_of_their_own_client(requests: Make) -> None:
    mix = tables.run("model_mix", requests=fleet(requests))
    assert mix.select("client", "model", "requests_share", "full_input_share").rows() == [
        ("claude", "unknown", 1 / 3, 100 / 200),
        ("claude", "sonnet", 1 / 3, 90 / 200),
        ("claude", "opus", 1 / 3, 10 / 200),
        ("codex", "gpt-5.5", 1.0, 1.0),
    ]


def test_codex_usage_is_by_agent_model_and_effort(requests: Make) -> None:
    codex = tables.run("codex_usage", requests=fleet(requests))
    assert codex.rows() == [("forge", "gpt-5.5", "high", 1, 5, 0, 0, 15, 7, 3, 20)]


def test_target_tokens_are_the_policy_share_of_full_input_rounded_once(requests: Make) -> None:
    rows = requests(
        {"agent": "forge", "input_tokens": 4_471_000_001},
        {"agent": "sage", "input_tokens": 11_001_000_000},
        {"input_tokens": 873_000_000},
    )
    usage = tables.run("agent_usage", requests=rows, agents=AGENTS)
    targets = tables.run("target_proxy", agent_usage=usage, agents=AGENTS)
    assert targets.rows() == [
        ("sage", 11_001_000_000, 0.08, 880_080_000),
        ("forge", 4_471_000_001, 0.55, 2_459_050_001),
        ("unattributed", 873_000_000, 0.0, 0),
    ]


def test_half_a_token_of_target_goes_up_although_floats_would_lose_it(requests: Make) -> None:
    agents = AGENTS.with_columns(target_share=pl.Series([0.35, 0.29]))
    rows = requests({"agent": "sage", "input_tokens": 90}, {"agent": "forge", "input_tokens": 50})
    usage = tables.run("agent_usage", requests=rows, agents=agents)
    targets = tables.run("target_proxy", agent_usage=usage, agents=agents)
    assert targets["target_tokens"].to_list() == [32, 15, 0]


def test_coverage_counts_days_with_requests_and_assumes_none(requests: Make) -> None:
    window = {"window_start": date(2026, 5, 18), "window_end": date(2026, 6, 17)}
    seen = tables.run("window_coverage", parameters=window, requests=fleet(requests))
    assert seen.rows() == [(*window.values(), 30, 2, date(2026, 6, 1), date(2026, 6, 2))]
    blank = tables.run("window_coverage", parameters=window, requests=requests())
    assert blank.rows() == [(*window.values(), 30, 0, None, None)]
