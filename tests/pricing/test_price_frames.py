from datetime import date
from decimal import Decimal

import polars as pl

from fleet_pipeline.pricing import EMBEDDED, list_prices, model_contexts, prices_table
from fleet_pipeline.pricing.model_price import PRICE_COLUMNS

PAGE_DAY = date(2026, 6, 17)


def test_an_unknown_model_keeps_its_row_and_its_name() -> None:
    table = prices_table([("openai", "gpt-5.3-codex-spark"), ("openai", "gpt-5.5")], PAGE_DAY)
    unknown = table.row(by_predicate=pl.col("model") == "gpt-5.3-codex-spark", named=True)
    assert table.height == 2
    assert unknown["input_usd_per_mtok"] is None
    assert unknown["is_free"] is None
    assert unknown["at"] == PAGE_DAY


def test_a_price_keeps_its_decimals_and_names_what_is_not_listed() -> None:
    row = prices_table([("openrouter", "z-ai/glm-5.2")], PAGE_DAY).row(0, named=True)
    assert row["input_usd_per_mtok"] == Decimal("1.4")
    assert row["cache_write_5m_usd_per_mtok"] is None
    assert row["is_free"] is False


def test_long_context_prices_are_spelled_out() -> None:
    row = prices_table([("openai", "gpt-5.5")], PAGE_DAY).row(0, named=True)
    assert row["tiers"] == "above 272000 input tokens: input 10, output 45, cache read 1"


def test_a_model_that_is_named_twice_has_one_row() -> None:
    models = [("openrouter", "z-ai/glm-5.2"), ("anthropic", "claude-opus-5")]
    once = prices_table(models, PAGE_DAY)
    assert once.equals(prices_table([*reversed(models), *models], PAGE_DAY))


def test_published_prices_have_nine_places_in_eight_bytes_each() -> None:
    types = prices_table([("openai", "gpt-5.5")], PAGE_DAY).schema
    assert {types[name] for name in PRICE_COLUMNS} == {pl.Decimal(18, 9)}


def test_no_models_make_an_empty_table_of_the_same_columns() -> None:
    some = prices_table([("openai", "gpt-5.5")], PAGE_DAY)
    assert prices_table([], PAGE_DAY).schema == some.schema
    listed = list_prices("openai", ["gpt-5.5"], [PAGE_DAY])
    assert list_prices("openai", ["gpt-5.5"], []).equals(listed.clear())
    assert list_prices("openai", [], [PAGE_DAY]).equals(listed.clear())


def test_list_prices_leave_no_gap_between_tiers_and_no_day_out() -> None:
    days = [date(2026, 3, 12), date(2026, 3, 13)]
    prices = list_prices("anthropic", ["claude-sonnet-4-6", "made-up"], days)
    shape = prices.select("model", "date", "from_tokens", "up_to_tokens", "input_price").rows()
    assert shape == [
        ("claude-sonnet-4-6", days[0], 0, 200_000, 3_000_000),
        ("claude-sonnet-4-6", days[0], 200_001, 2**62, 6_000_000),
        ("claude-sonnet-4-6", days[1], 0, 2**62, 3_000_000),
    ]


def test_each_model_that_was_used_stands_beside_its_window_once() -> None:
    used = [("claude", "claude-opus-5", 7), ("claude", "claude-opus-5", 9), ("codex", "made-up", 5)]
    requests = pl.DataFrame(
        [*used, ("claude", None, 3)],
        schema={"client": pl.String, "model": pl.String, "full_input_tokens": pl.Int64},
        orient="row",
    )
    opus = EMBEDDED.require("anthropic", "claude-opus-5", PAGE_DAY).context_tokens
    assert opus
    table = model_contexts(requests, PAGE_DAY, EMBEDDED)
    assert set(
        table.select("client", "model", "requests", "largest_tokens", "context_tokens").iter_rows()
    ) == {
        ("claude", "claude-opus-5", 2, 9, opus),
        ("codex", "made-up", 1, 5, None),
        ("claude", None, 1, 3, None),
    }
