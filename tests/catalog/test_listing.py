"""Candidates against the lists, and how old what feeds say is."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest

from fleet_pipeline import catalog, quality
from fleet_pipeline.catalog import endpoints
from fleet_pipeline.errors import ConfigurationError, SourceError
from fleet_pipeline.org import Org
from fleet_pipeline.pricing import EMBEDDED
from fleet_pipeline.pricing.book import book_of
from fleet_pipeline.pricing.observations import SCHEMA, Offer, snapshot

MORNING = datetime(2026, 6, 1, 6, tzinfo=UTC)
NO_ENDPOINTS = pl.DataFrame(schema=endpoints.SCHEMA)


def heard(days: int, *models: str) -> pl.DataFrame:
    at = MORNING + timedelta(days=days)
    offers = [Offer("openrouter", model, None, Decimal(1), Decimal(2)) for model in models]
    return snapshot("openrouter", offers, at, at)


def statuses(org: Org, *frames: pl.DataFrame) -> dict[str, str]:
    seen = pl.concat(frames) if frames else pl.DataFrame(schema=SCHEMA)
    table = catalog.model_catalog(org, seen, NO_ENDPOINTS, date(2026, 6, 3))
    return dict(table.select("model", "status").iter_rows())


def test_a_candidate_is_listed_gone_or_not_known(org: Org) -> None:
    free = "nvidia/nemotron-3-ultra-550b-a55b:free"
    found = statuses(org, heard(0, "z-ai/glm-5.2", free), heard(1, "z-ai/glm-5.2"))
    assert found["z-ai/glm-5.2"] == "listed"
    assert found["nvidia/nemotron-3-ultra"] == "gone"
    assert found["qwen/qwen3.7-plus"] == "not known"
    assert set(statuses(org).values()) == {"not known"}


@pytest.mark.parametrize(("close", "up"), [(date(2026, 6, 9), 1), (date(2026, 6, 10), None)])
def test_what_was_heard_of_endpoints_more_than_eight_days_ago_is_not_known(
    org: Org, close: date, up: int | None
) -> None:
    body = b'{"data": {"endpoints": [{"tag": "some/fp8", "status": 0}]}}'
    health = endpoints.read(body, "z-ai/glm-5.2", MORNING)
    table = catalog.model_catalog(org, heard(0, "z-ai/glm-5.2"), health, close)
    [glm] = table.filter(model="z-ai/glm-5.2").to_dicts()
    assert (glm["status"], glm["endpoints"], glm["endpoints_up"]) == ("listed", up, up)


def test_a_candidate_that_is_gone_is_warned_of_by_name(org: Org) -> None:
    seen = pl.concat([heard(0, "z-ai/glm-5.2", "x/y"), heard(1, "x/y")])
    outcome = quality.candidates_are_listed(
        catalog.model_catalog(org, seen, NO_ENDPOINTS, date(2026, 6, 3))
    )
    assert (outcome.passed, outcome.severity) == (False, "warn")
    assert "z-ai/glm-5.2" in outcome.says


@pytest.mark.parametrize(
    ("close", "age", "days", "fresh", "too_old"),
    [
        (date(2026, 6, 2), "fresh", 0, True, False),
        (date(2026, 6, 9), "fresh", 7, True, False),
        (date(2026, 6, 11), "stale", 9, False, False),
        (date(2026, 6, 16), "stale", 14, False, False),
        (date(2026, 6, 17), "too old", 15, False, True),
    ],
)
def test_prices_grow_old_and_are_no_base_for_a_ranking_after_two_weeks(
    close: date, age: str, days: int, fresh: bool, too_old: bool
) -> None:
    seen = heard(0, "z-ai/glm-5.2")
    sources = catalog.price_sources(seen, book_of([seen]), close)
    assert sources.select("source", "age_days", "age").rows() == [
        ("openrouter", days, age),
        ("genai-prices 0.2.3", None, "dated by itself"),
    ]
    assert quality.prices_are_fresh(sources).passed is fresh
    assert quality.prices_are_too_old(sources) is too_old


def test_a_home_that_never_heard_a_feed_ranks_by_the_packages_dated_prices() -> None:
    sources = catalog.price_sources(pl.DataFrame(schema=SCHEMA), EMBEDDED, date(2026, 6, 17))
    assert quality.prices_are_fresh(sources).passed
    assert not quality.prices_are_too_old(sources)


def test_a_candidate_that_no_list_ever_had_is_told_with_the_nearest_name(org: Org) -> None:
    typo = org.models[0].model_copy(update={"price_id": "openrouter/z-ai/glm5.2"})
    wrong = org.model_copy(update={"models": (typo, *org.models[1:])})
    with pytest.raises(ConfigurationError, match=r"did you mean openrouter/z-ai/glm-5\.2"):
        catalog.require_known(wrong, EMBEDDED, date(2026, 6, 17))
    catalog.require_known(org, EMBEDDED, date(2026, 6, 17))


def test_endpoints_tell_who_serves_a_model_and_how_well() -> None:
    body = b"""{"data": {"id": "z-ai/glm-5.2", "endpoints": [
        {"provider_name": "Zed", "tag": "zed/fp8", "quantization": "fp8", "status": 0,
         "context_length": 1048576, "max_completion_tokens": 32768, "uptime_last_1d": 99.5,
         "supports_implicit_caching": true, "latency_last_30m": null},
        {"provider_name": "Acme", "status": -2, "uptime_last_1d": null}]}}"""
    found = endpoints.read(body, "z-ai/glm-5.2", MORNING)
    assert found.select("endpoint", "is_up", "uptime_1d_share").rows() == [
        ("Acme", False, None),
        ("zed/fp8", True, 0.995),
    ]
    with pytest.raises(SourceError):
        endpoints.read(b'{"data": {}}', "z-ai/glm-5.2", MORNING)
