"""What changed between two closes: each looked at with what was known by then."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import polars as pl

from fleet_pipeline import catalog
from fleet_pipeline.catalog import readings
from fleet_pipeline.catalog.changes import KEY
from fleet_pipeline.catalog.free_apis import as_noted
from fleet_pipeline.home import Home
from fleet_pipeline.org import FreeLimits, Org
from fleet_pipeline.pricing import snapshots
from fleet_pipeline.pricing.observations import Offer, snapshot
from fleet_pipeline.ranking.model_ranking import SCHEMA as RANKING

BEFORE, CLOSE = date(2026, 6, 17), date(2026, 6, 24)
GLM = "z-ai/glm-5.2"
UNRANKED = pl.DataFrame(schema=RANKING)


def listed(home: Home, day: date, **prices: str | tuple[str, str]) -> None:
    """Keep a list of OpenRouter's: model (dots and slashes spelled out) to its input price."""
    names = {"glm": GLM, "other": "vendor/other", "gratis": "vendor/gratis:free"}
    moment = datetime.combine(day, time(3, 30), UTC)
    offers = [
        Offer("openrouter", names[name], None, Decimal(str(price)), Decimal(str(price)) * 3)
        for name, price in prices.items()
    ]
    snapshots.add(home, snapshot("openrouter", offers, moment, moment))


def told(home: Home, org: Org) -> list[tuple[object, ...]]:
    before, after = (catalog.known_at(home, day) for day in (BEFORE, CLOSE))
    made = catalog.changes(org, before, after, UNRANKED)
    return made.select("kind", "subject", "field", "before", "after").rows()


def test_a_price_that_moved_is_told_with_both_and_the_models_name_on_the_page(
    home: Home, org: Org
) -> None:
    listed(home, date(2026, 6, 16), glm="1.4")
    listed(home, date(2026, 6, 23), glm="1.2")
    assert told(home, org) == [
        ("repriced", GLM, "input", "1.4", "1.2"),
        ("repriced", GLM, "output", "4.2", "3.6"),
    ]


def test_models_that_came_and_went_are_told(home: Home, org: Org) -> None:
    listed(home, date(2026, 6, 16), glm="1.4", gratis="0")
    listed(home, date(2026, 6, 23), glm="1.4", other="2")
    assert told(home, org) == [
        ("gone", "vendor/gratis:free", "list", "listed", None),
        ("new", "vendor/other", "list", None, "listed"),
    ]


def test_a_zero_that_is_held_back_is_told_and_is_no_price_change(home: Home, org: Org) -> None:
    listed(home, date(2026, 6, 16), glm="1.4")
    listed(home, date(2026, 6, 23), glm="0")
    assert told(home, org) == [("held", GLM, "zero", None, "0 in, 0 out")]


def test_of_prices_that_a_feed_says_and_nobody_believes_the_last_of_the_week_is_told(
    home: Home, org: Org
) -> None:
    listed(home, date(2026, 6, 16), glm="1.4")
    listed(home, date(2026, 6, 21), glm="0.1")
    listed(home, date(2026, 6, 23), glm="0.2")
    before, after = (catalog.known_at(home, day) for day in (BEFORE, CLOSE))
    made = catalog.changes(org, before, after, UNRANKED)
    assert made.select(KEY).is_unique().all()
    assert made.select("after", "on").rows() == [("0.2 in, 0.6 out", date(2026, 6, 23))]


def test_without_an_earlier_list_nothing_is_called_new(home: Home, org: Org) -> None:
    listed(home, date(2026, 6, 23), other="2")
    assert told(home, org) == []


def test_before_any_feed_the_packages_dated_prices_tell_what_moved(home: Home, org: Org) -> None:
    before, after = (
        catalog.known_at(home, day) for day in (date(2026, 10, 14), date(2026, 10, 21))
    )
    made = catalog.changes(org, before, after, UNRANKED)
    glm = made.filter(subject=GLM, field="input").row(0, named=True)
    assert (glm["before"], glm["after"]) == ("1.4", "0.62")
    assert (glm["on"], glm["source"]) == (date(2026, 10, 19), "genai-prices 0.2.3")


def test_a_free_tiers_limit_and_its_use_for_training_are_told_apart(home: Home, org: Org) -> None:
    readings.add(home, "free_apis", as_noted(org, _noon(BEFORE, -1)), _noon(BEFORE, -1))
    groq = next(api for api in org.free_apis if api.provider == "Groq free")
    tighter = groq.model_copy(
        update={"limits": FreeLimits(requests_per_day=500), "training_use": "yes"}
    )
    apis = tuple(tighter if api is groq else api for api in org.free_apis)
    later = org.model_copy(update={"free_apis": apis})
    readings.add(home, "free_apis", as_noted(later, _noon(CLOSE, -1)), _noon(CLOSE, -1))
    assert told(home, org) == [
        ("quota", "Groq free", "requests_per_day", "1000", "500"),
        ("quota", "Groq free", "tokens_per_day", "200000", None),
        ("quota", "Groq free", "tokens_per_minute", "8000", None),
        ("policy", "Groq free", "training_use", "unknown", "yes"),
    ]


def placed(*places: tuple[str, str, int, int]) -> pl.DataFrame:
    """Return a ranking: scope, model, the place now and at the close before."""
    names = ("scope", "model", "rank", "previous_rank")
    rows = [dict(zip(names, place, strict=True)) for place in places]
    return pl.DataFrame(rows, schema=RANKING, orient="row")


def test_a_place_that_is_another_is_told_and_one_that_is_the_same_is_not(
    home: Home, org: Org
) -> None:
    before, after = (catalog.known_at(home, day) for day in (BEFORE, CLOSE))
    ranking = placed(
        ("overall", "qwen/qwen3.7-plus", 1, 2),
        ("overall", GLM, 2, 1),
        ("overall", "moonshotai/kimi-k2.7-code", 3, 3),
        ("code_review", "moonshotai/kimi-k2.7-code", 1, 2),
    )
    made = catalog.changes(org, before, after, ranking)
    assert made.select("kind", "subject", "field", "before", "after").rows() == [
        ("place", "qwen/qwen3.7-plus", "overall", "2", "1"),
        ("place", GLM, "overall", "1", "2"),
    ]
    assert made["is_candidate"].all()


def test_what_came_after_the_close_is_told_the_week_after(home: Home, org: Org) -> None:
    listed(home, date(2026, 6, 16), glm="1.4")
    listed(home, CLOSE, glm="1.2")
    assert told(home, org) == []


def test_a_week_is_told_the_same_whatever_comes_later(home: Home, org: Org) -> None:
    listed(home, date(2026, 6, 16), glm="1.4")
    listed(home, date(2026, 6, 23), glm="1.2")
    first = told(home, org)
    listed(home, date(2026, 7, 1), glm="0.9", other="1")
    assert told(home, org) == first


def _noon(day: date, days: int) -> datetime:
    return datetime.combine(day + timedelta(days=days), time(12), UTC)


def test_the_schema_is_the_same_with_and_without_changes(home: Home, org: Org) -> None:
    before, after = (catalog.known_at(home, day) for day in (BEFORE, CLOSE))
    empty = catalog.changes(org, before, after, UNRANKED)
    assert empty.is_empty()
    assert empty.schema["on"] == pl.Date()
