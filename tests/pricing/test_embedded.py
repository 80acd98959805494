from datetime import date, time, timedelta, timezone
from decimal import Decimal

import pytest
from genai_prices import types as genai

from fleet_pipeline.errors import PriceError
from fleet_pipeline.pricing import ModelPrice, embedded, find, require

PAGE_DAY = date(2026, 6, 17)


def usd(price: ModelPrice | None) -> tuple[str | None, ...]:
    """Input, output, cache read, 5m write and 1h write in USD per million tokens."""
    assert price is not None
    classes = (
        price.input_usd_per_mtok,
        price.output_usd_per_mtok,
        price.cache_read_usd_per_mtok,
        price.cache_write_5m_usd_per_mtok,
        price.cache_write_1h_usd_per_mtok,
    )
    return tuple(None if value is None else str(value) for value in classes)


def test_the_reference_models_price_on_the_reference_pages_day() -> None:
    price = require("openrouter", "z-ai/glm-5.2", PAGE_DAY)
    assert usd(price) == ("1.4", "4.4", "0.26", None, None)
    assert (price.name, price.context_tokens) == ("GLM 5.2", 1_048_576)
    assert (price.source, price.at) == ("genai-prices 0.2.3", PAGE_DAY)


@pytest.mark.parametrize(
    ("at", "expected", "since"),
    [
        (date(2026, 10, 18), "1.4", None),
        (date(2026, 10, 19), "0.62", date(2026, 10, 19)),
        (date(2026, 11, 2), "0.62", date(2026, 10, 19)),
        (date(2026, 11, 3), "1.4", date(2026, 11, 3)),
    ],
)
def test_a_price_holds_from_its_first_day(at: date, expected: str, since: date | None) -> None:
    price = require("openrouter", "z-ai/glm-5.2", at)
    assert price.input_usd_per_mtok == Decimal(expected)
    assert price.effective_from == since


@pytest.mark.parametrize(
    "model",
    [
        "claude-sonnet-4-5-20250929",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "vertex_ai/claude-sonnet-4-5@20250929",
        "anthropic/claude-sonnet-4-5",
        "claude-sonnet-4-5[1m]",
    ],
)
def test_claude_is_found_under_the_spelling_of_every_cloud(model: str) -> None:
    price = find("anthropic", model, PAGE_DAY)
    assert usd(price) == ("3", "15", "0.3", "3.75", "6")
    assert price is not None
    assert price.model == model


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-sonnet-4-6", ("3", "15", "0.3", "3.75", "6")),
        ("claude-opus-4-8", ("5", "25", "0.5", "6.25", "10")),
        ("claude-opus-5-5", ("4", "20", "0.2", "5", "8")),
        ("claude-fable-5-1", ("10", "50", "0.25", "12.5", "20")),
        ("claude-haiku-4-5-20251001", ("1", "5", "0.1", "1.25", "2")),
    ],
)
def test_a_cache_read_is_priced_by_its_list_and_not_by_a_multiplier(
    model: str, expected: tuple[str, ...]
) -> None:
    assert usd(find("anthropic", model, date(2026, 11, 20))) == expected


def test_codex_models_are_openais() -> None:
    assert usd(find("openai", "gpt-5.5", PAGE_DAY)) == ("5", "30", "0.5", None, None)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-5.3-codex-spark"),
        ("anthropic", "glm-4.7"),
        ("anthropic", "claude-opus-9"),
        ("openrouter", "z-ai/glm-5.2:free"),
        ("nowhere", "z-ai/glm-5.2"),
    ],
)
def test_an_unknown_model_has_no_price_at_all(provider: str, model: str) -> None:
    assert find(provider, model, PAGE_DAY) is None


def test_a_free_variant_costs_nothing_and_says_so() -> None:
    price = require("openrouter", "google/gemma-4-31b-it:free", PAGE_DAY)
    assert price.is_free
    assert set(usd(price)) == {"0"}


def test_an_entry_without_prices_is_not_free_but_unknown() -> None:
    assert find("openrouter", "stealth/crouton-alpha", PAGE_DAY) is None


def test_asking_for_an_unknown_price_names_the_nearest_models() -> None:
    with pytest.raises(PriceError, match=r"'z-ai/glm5\.2' on 2026-06-17.*z-ai/glm-5\.2"):
        require("openrouter", "z-ai/glm5.2", PAGE_DAY)
    with pytest.raises(PriceError, match="nowhere lists nothing like it"):
        require("nowhere", "z-ai/glm-5.2", PAGE_DAY)


def test_long_context_billed_the_whole_prompt_until_it_was_dropped() -> None:
    before = require("anthropic", "claude-sonnet-4-6", date(2026, 3, 12))
    assert [tier.above_tokens for tier in before.tiers] == [200_000]
    assert usd(before.for_context(200_000)) == ("3", "15", "0.3", "3.75", "6")
    assert usd(before.for_context(200_001)) == ("6", "22.5", "0.6", "7.5", "12")
    after = require("anthropic", "claude-sonnet-4-6", date(2026, 3, 13))
    assert after.tiers == ()
    assert after.for_context(900_000) == after


def test_of_several_tiers_the_highest_one_exceeded_holds() -> None:
    price = require("openrouter", "qwen/qwen3.7-flash", date(2026, 11, 20))
    inputs = [
        str(price.for_context(tokens).input_usd_per_mtok)
        for tokens in (32_000, 32_001, 256_000, 256_001)
    ]
    assert inputs == ["0.03", "0.1", "0.1", "0.2"]


@pytest.fixture
def listing(monkeypatch: pytest.MonkeyPatch) -> list[genai.ConditionalPrice]:
    """The prices of the one model, ``m``, of a made-up ``provider``: for a test to fill."""
    prices: list[genai.ConditionalPrice] = []
    model = genai.ModelInfo("m", genai.ClauseEquals("m"), prices=prices)
    provider = genai.Provider("provider", "Provider", "", models=[model])
    monkeypatch.setattr(embedded, "_providers", lambda: {"provider": provider})
    embedded.find.cache_clear()
    return prices


def dollars(usd: int) -> genai.ModelPrice:
    return genai.ModelPrice(input_mtok=Decimal(usd), output_mtok=Decimal(usd))


def test_hours_are_minutes_of_the_utc_day_in_whatever_zone_they_are_listed(
    listing: list[genai.ConditionalPrice],
) -> None:
    beijing = timezone(timedelta(hours=8))
    early = genai.TimeOfDateConstraint(time(7, 30, tzinfo=beijing), time(12, tzinfo=beijing))
    late = genai.TimeOfDateConstraint(time(20, 15), time(21))
    listing += [
        genai.ConditionalPrice(prices=dollars(3)),
        genai.ConditionalPrice(early, prices=dollars(2)),
        genai.ConditionalPrice(late, prices=dollars(1)),
    ]
    found = require("provider", "m", PAGE_DAY).by_hour
    assert [(one.from_minute, one.up_to_minute) for one in found] == [
        (23 * 60 + 30, 4 * 60), (20 * 60 + 15, 21 * 60)
    ]  # fmt: skip
    assert dict(found[0].prices)["input_usd_per_mtok"] == 2


def test_before_the_first_day_that_is_listed_the_first_price_holds_without_a_day(
    listing: list[genai.ConditionalPrice],
) -> None:
    for day, usd in ((18, 1), (19, 2)):
        start = genai.StartDateConstraint(PAGE_DAY.replace(day=day))
        listing.append(genai.ConditionalPrice(start, prices=dollars(usd)))
    told = [require("provider", "m", PAGE_DAY.replace(day=day)) for day in (17, 18, 19)]
    assert [(one.input_usd_per_mtok, one.effective_from) for one in told] == [
        (1, None), (1, date(2026, 6, 18)), (2, date(2026, 6, 19))
    ]  # fmt: skip
    assert told[0].name == "m"
    assert embedded.starts("provider", "m") == [date(2026, 6, 18), date(2026, 6, 19)]
