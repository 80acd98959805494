from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest
from genai_prices import Usage, calc_price

from fleet_pipeline.costing import subscription_value

Make = Callable[..., pl.DataFrame]

BEFORE, AFTER = date(2026, 3, 12), date(2026, 3, 13)


def cost(table: pl.DataFrame, model: str) -> int | None:
    value: int | None = table.filter(model=model)["cost_usd_micros"].item()
    return value


def test_every_class_has_its_own_price(requests: Make) -> None:
    million = 1_000_000
    one_each = [
        {"input_tokens": million},
        {"cache_write_5m_tokens": million},
        {"cache_write_1h_tokens": million},
        {"cache_read_tokens": million},
        {"output_tokens": million},
    ]
    totals = [cost(subscription_value(requests(row)), "claude-sonnet-4-6") for row in one_each]
    assert totals == [3_000_000, 3_750_000, 6_000_000, 300_000, 15_000_000]


@pytest.mark.parametrize("day", [BEFORE, AFTER])
@pytest.mark.parametrize("full_input", [200_000, 200_001])
def test_it_agrees_with_the_price_lists_own_calculator(
    requests: Make, day: date, full_input: int
) -> None:
    row: dict[str, object] = {
        "date": day,
        "input_tokens": 1_000,
        "cache_write_5m_tokens": 2_500,
        "cache_write_1h_tokens": 1_500,
        "cache_read_tokens": full_input - 5_000,
        "output_tokens": 100,
    }
    judged = calc_price(
        Usage(
            input_tokens=full_input,
            cache_read_tokens=full_input - 5_000,
            cache_write_tokens=4_000,
            cache_write_1h_tokens=1_500,
            output_tokens=100,
        ),
        "claude-sonnet-4-6",
        provider_id="anthropic",
        genai_request_timestamp=datetime(day.year, day.month, day.day, tzinfo=UTC),
    )
    ours = cost(subscription_value(requests(row)), "claude-sonnet-4-6")
    assert ours is not None
    assert abs(ours - judged.total_price * 1_000_000) <= Decimal("0.5")


def test_a_request_is_priced_at_the_day_it_was_made(requests: Make) -> None:
    long = {"cache_read_tokens": 300_000}
    both = subscription_value(requests({**long, "date": BEFORE}, {**long, "date": AFTER}))
    assert cost(both, "claude-sonnet-4-6") == 180_000 + 90_000


def test_a_model_without_a_price_keeps_its_tokens_and_has_no_cost(requests: Make) -> None:
    table = subscription_value(
        requests({"model": "glm-4.7", "input_tokens": 9}, {"model": None, "input_tokens": 8})
    )
    assert table.select("model", "input_tokens", "cost_usd_micros").rows() == [
        ("glm-4.7", 9, None),
        ("unknown", 8, None),
    ]


def test_a_model_of_which_one_request_has_no_price_has_no_cost(requests: Make) -> None:
    plain, cached = {"output_tokens": 1_000_000}, {"cache_read_tokens": 1}
    of_old_model = [{**row, "model": "claude-2"} for row in (plain, cached)]
    assert cost(subscription_value(requests(of_old_model[0])), "claude-2") == 24_000_000
    assert cost(subscription_value(requests(*of_old_model)), "claude-2") is None


def test_models_never_share_a_price_by_the_start_of_their_names(requests: Make) -> None:
    models = ("claude-opus-5", "claude-opus-5-5", "claude-opus-5-9")
    table = subscription_value(
        requests(*({"model": model, "output_tokens": 1_000_000} for model in models))
    )
    assert [cost(table, model) for model in models] == [25_000_000, 20_000_000, None]


def test_requests_are_summed_before_the_one_rounding(requests: Make) -> None:
    rows = [{"cache_read_tokens": 1}] * 5
    assert cost(subscription_value(requests(*rows)), "claude-sonnet-4-6") == 2


def test_sums_stay_exact_where_floats_would_not(requests: Make) -> None:
    rows = [{"output_tokens": 10**12 + n, "model": "claude-opus-4-8"} for n in range(3)]
    expected = 25 * (3 * 10**12 + 3)
    assert cost(subscription_value(requests(*rows)), "claude-opus-4-8") == expected


def test_codex_is_no_part_of_what_claude_is_worth(requests: Make) -> None:
    assert subscription_value(requests({"client": "codex", "model": "gpt-5.5"})).is_empty()


def test_no_requests_are_worth_nothing_of_any_model(requests: Make) -> None:
    assert subscription_value(requests()).is_empty()
