"""What is asked of the price book by name, and the records that answer."""

from datetime import date
from decimal import Decimal

import pytest

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.pricing import EMBEDDED
from fleet_pipeline.pricing.book import book_of
from fleet_pipeline.pricing.enquiry import Alias, history, price_record, questioned, resolve
from fleet_pipeline.pricing.hours import HourlyPrice
from fleet_pipeline.pricing.model_price import PRICE_COLUMNS, ModelPrice, PriceTier

from .conftest import day, seen
from .feed_answers import GLM

AT = date(2026, 6, 17)


def test_a_price_that_nobody_knows_is_null_in_every_field() -> None:
    record = price_record(None, "zai", "glm-9", AT)
    known = {"model": "glm-9", "provider": "zai", "at": AT, "tiers": [], "by_hour": []}
    assert record == {**dict.fromkeys(record), **known}


def test_a_record_says_all_that_is_known_of_a_price() -> None:
    tier = PriceTier(200_000, Decimal(2), None, None, None, Decimal(5))
    nights = HourlyPrice(
        60, 245, (("input_usd_per_mtok", Decimal("0.5")),), frozenset({7, 1}), 1_000
    )
    usd = (Decimal(1), Decimal(4), None, None, None)
    price = ModelPrice(
        "zai", "glm", "GLM", *usd, 1_000_000, 32_000, "models.dev", AT, AT,
        is_free=True, tiers=(tier,), seen_on=AT, hours="[]", by_hour=(nights,),
    )  # fmt: skip
    record = price_record(price, "zai", "glm", AT)
    unknown = dict.fromkeys(PRICE_COLUMNS)
    assert record == {
        "model": "glm",
        "provider": "zai",
        "name": "GLM",
        "at": AT,
        **unknown,
        "input_usd_per_mtok": 1.0,
        "output_usd_per_mtok": 4.0,
        "is_free": True,
        "tiers": [
            {
                **unknown,
                "above_tokens": 200_000,
                "input_usd_per_mtok": 2.0,
                "cache_write_1h_usd_per_mtok": 5.0,
            }
        ],
        "hours": "[]",
        "by_hour": [
            {
                "from": "01:00",
                "up_to": "04:05",
                "weekdays": [1, 7],
                "above_tokens": 1_000,
                "input_usd_per_mtok": 0.5,
            }
        ],
        "context_tokens": 1_000_000,
        "max_output": 32_000,
        "source": "models.dev",
        "effective_from": AT,
        "seen_on": AT,
        "age_days": 0,
    }


def test_what_spoke_against_a_price_is_told_from_the_day_of_its_first_sighting() -> None:
    book = book_of([seen(0, "1"), seen(1, "2"), seen(2, "1"), seen(3, "0", "0")])
    assert [len(questioned(book, day(n))) for n in (0, 1, 2, 3)] == [0, 1, 1, 2]
    [jump, _] = questioned(book, day(3))
    assert jump == {
        "provider": "openrouter",
        "model": GLM,
        "first_seen": day(1),
        "last_seen": day(1),
        "input_usd_per_mtok": 2.0,
        "output_usd_per_mtok": 4.4,
        "cache_read_usd_per_mtok": None,
        "source": "openrouter",
        "reason": "jump",
        "believed": False,
        "confirmed_by": None,
    }


def test_a_models_history_begins_with_what_has_no_date() -> None:
    rows = history(book_of([seen(3, "1.3")]), "openrouter", GLM)
    dates = [row["effective_from"] for row in rows]
    assert dates == [None, day(3), date(2026, 10, 19), date(2026, 11, 3)]
    assert {row["believed"] for row in rows} == {True}
    own = history(book_of([seen(3, model="vendor/own")]), "openrouter", "vendor/own")
    assert [row["source"] for row in own] == ["openrouter"]


def test_an_alias_goes_before_a_price_list_and_a_provider_before_a_bare_name() -> None:
    aliases = [Alias("My GLM", "zai", "glm-5.2"), Alias(GLM, "openrouter", "z-ai/glm-5")]
    asked = ("my glm", GLM, "openrouter/z-ai/glm-5.2", "z-ai/glm-5", "claude-opus-5", "gpt-5.5")
    assert [resolve(name, aliases, EMBEDDED, AT) for name in asked] == [
        ("zai", "glm-5.2"),
        ("openrouter", "z-ai/glm-5"),
        ("openrouter", GLM),
        ("openrouter", "z-ai/glm-5"),
        ("anthropic", "claude-opus-5"),
        ("openai", "gpt-5.5"),
    ]


def test_a_name_that_nobody_knows_is_answered_with_up_to_three_like_it() -> None:
    with pytest.raises(ConfigurationError, match="did you mean") as raised:
        resolve("glm-5.3x", [Alias("GLM 5.3X!", "zai", "glm")], EMBEDDED, AT)
    near = str(raised.value).partition("did you mean ")[2].split(", ")
    assert (near[0], len(near)) == ("GLM 5.3X!", 3)
    with pytest.raises(ConfigurationError, match="no price list has anything like it"):
        resolve("&&&&&&&&&&", [], EMBEDDED, AT)
