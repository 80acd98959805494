from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import polars as pl
import pytest

from fleet_pipeline.costing import cost_scenarios
from fleet_pipeline.pricing import ModelPrice, PriceTier, require

Make = Callable[..., pl.DataFrame]

START, END = date(2026, 5, 18), date(2026, 6, 17)
GLM = require("openrouter", "z-ai/glm-5.2", END)
SHARES = {"low": 0.09131, "expected": 0.1826, "high": 0.2714}


def run(requests: pl.DataFrame, price: ModelPrice | None = GLM) -> pl.DataFrame:
    return cost_scenarios(requests, price=price, shares=SHARES, window_start=START, window_end=END)


def a_day(offset: int, **tokens: int) -> dict[str, object]:
    return {"date": START + timedelta(days=offset), **tokens}


@pytest.fixture
def reference_month(requests: Make) -> pl.DataFrame:
    """The reference page's volumes, spread evenly over thirty days."""
    fresh, writes, reads, output = 20_500_000, 705_500_000, 27_173_000_000, 65_700_000
    return requests(
        *(
            a_day(
                n,
                input_tokens=fresh // 30 + (n < fresh % 30),
                cache_write_5m_tokens=writes // 30 + (n < writes % 30),
                cache_read_tokens=reads // 30 + (n < reads % 30),
                output_tokens=output // 30,
            )
            for n in range(30)
        )
    )


def costs(table: pl.DataFrame, basis: str, assumption: str) -> list[int | None]:
    rows = table.filter(basis=basis, cache_assumption=assumption)
    return rows["cost_usd_micros"].to_list()


def test_the_reference_volumes_give_the_reference_costs(reference_month: pl.DataFrame) -> None:
    table = run(reference_month)
    usd = [cost / 1e6 for cost in costs(table, "month", "no_cache") if cost is not None]
    assert usd == [pytest.approx(value, abs=1) for value in (3_593, 7_185, 10_679)]
    cached = costs(table, "month", "listed_cache_price")[1]
    assert cached == pytest.approx(1_528e6, abs=2e6)


def test_a_steady_month_has_a_hot_week_like_any_other(reference_month: pl.DataFrame) -> None:
    table = run(reference_month)
    month, hot = costs(table, "month", "no_cache"), costs(table, "hot_week", "no_cache")
    assert hot == [pytest.approx(cost, rel=1e-6) for cost in month]


def test_a_hot_week_is_scaled_to_a_month_of_such_weeks(requests: Make) -> None:
    rows = [a_day(n, input_tokens=1_000_000 * (3 if 10 <= n < 17 else 1)) for n in range(30)]
    table = run(requests(*rows))
    hot = table.filter(basis="hot_week", name="expected", cache_assumption="no_cache")
    assert hot.select("window_start", "window_end").row(0) == (
        START + timedelta(days=10),
        START + timedelta(days=17),
    )
    assert hot["basis_full_input_tokens"].item() == 90_000_000
    assert hot["cost_usd_micros"].item() == round(90_000_000 * 0.1826 * 1.4)


def test_covered_days_are_scaled_to_thirty_only_from_fourteen_on(requests: Make) -> None:
    for covered, basis, total in ((15, "month", 30_000_000), (13, "covered_days", 13_000_000)):
        table = run(requests(*(a_day(n * 2 % 29, input_tokens=1_000_000) for n in range(covered))))
        assert set(table["basis"]) == {basis}
        assert set(table["basis_full_input_tokens"]) == {total}


def test_ten_covered_days_in_a_row_speak_of_no_month_at_all(requests: Make) -> None:
    table = run(requests(*(a_day(n, input_tokens=1_000_000) for n in range(10))))
    assert set(table["basis"]) == {"covered_days"}


def test_a_day_on_which_only_codex_worked_is_covered(requests: Make) -> None:
    codex = [{**a_day(n), "client": "codex", "input_tokens": 7} for n in range(14, 28)]
    claude = [a_day(n, input_tokens=1_000_000) for n in range(14)]
    month = run(requests(*claude, *codex)).filter(basis="month")
    assert month["basis_full_input_tokens"][0] == 15_000_000


def test_no_claude_at_all_costs_nothing_and_hits_nothing(requests: Make) -> None:
    for rows in ([], [{"client": "codex", "input_tokens": 7}]):
        table = run(requests(*rows))
        assert table["cost_usd_micros"].to_list() == [0] * 6
        assert table["hit_rate"].null_count() == 6


def test_a_month_without_claude_has_no_hot_week(requests: Make) -> None:
    table = run(requests(*({**a_day(n), "client": "codex", "input_tokens": 7} for n in range(30))))
    assert set(table["basis"]) == {"month"}


def test_the_hit_rate_is_the_fleets_own_and_only_where_a_cache_is_assumed(
    requests: Make,
) -> None:
    table = run(requests(a_day(0, input_tokens=1, cache_read_tokens=3)))
    by_assumption = dict(table.select("cache_assumption", "hit_rate").rows())
    assert by_assumption == {"no_cache": None, "listed_cache_price": 0.75}


def test_a_model_without_a_cache_price_has_no_cached_cost(reference_month: pl.DataFrame) -> None:
    table = run(reference_month, replace(GLM, cache_read_usd_per_mtok=None))
    assert costs(table, "month", "listed_cache_price") == [None] * 3
    assert None not in costs(table, "month", "no_cache")


def test_an_unknown_price_moves_tokens_at_no_known_cost(reference_month: pl.DataFrame) -> None:
    table = run(reference_month, None)
    assert table["cost_usd_micros"].null_count() == table.height
    assert table["full_input_tokens"].min() == 2_547_457_690


def test_each_class_is_cut_by_the_share_and_rounded_to_whole_tokens(requests: Make) -> None:
    row = a_day(0, input_tokens=100, cache_write_1h_tokens=5, output_tokens=3)
    expected = run(requests(row)).filter(name="expected", cache_assumption="no_cache")
    classes = expected.select("input_tokens", "cache_write_1h_tokens", "output_tokens")
    assert classes.row(0) == (18, 1, 1)
    assert expected["full_input_tokens"].item() == 19


def test_the_parts_of_every_cost_add_up(reference_month: pl.DataFrame) -> None:
    parts = ("input", "cache_write", "cache_read", "output")
    table = run(reference_month)
    sums = table.select(pl.sum_horizontal(f"{part}_cost_usd_micros" for part in parts))
    assert sums.to_series().to_list() == table["cost_usd_micros"].to_list()


def test_a_request_above_a_tier_is_billed_whole_at_that_tier(requests: Make) -> None:
    tier = PriceTier(200_000, Decimal(6), Decimal(22), None, None, None)
    tiered = replace(GLM, input_usd_per_mtok=Decimal(3), tiers=(tier,))
    rows = requests(a_day(0, input_tokens=200_000), a_day(0, input_tokens=200_001))
    table = cost_scenarios(
        rows, price=tiered, shares={"expected": 1.0}, window_start=START, window_end=END
    )
    assert costs(table, "covered_days", "no_cache") == [200_000 * 3 + 200_001 * 6]
