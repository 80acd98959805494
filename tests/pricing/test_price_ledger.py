"""What is in force on a day, out of everything that feeds said: a function of the set alone."""

import random
import time
from datetime import UTC, datetime, timedelta
from datetime import time as midnight
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fleet_pipeline.home import Home
from fleet_pipeline.ledger.store import parquet_bytes
from fleet_pipeline.pricing import embedded, list_prices, price_book, snapshots
from fleet_pipeline.pricing.book import PriceBook, book_of
from fleet_pipeline.pricing.feeds import models_dev
from fleet_pipeline.pricing.observations import Offer, snapshot
from fleet_pipeline.pricing.price_ledger import price_ledger

from .conftest import FIRST, day, seen
from .feed_answers import GLM
from .feed_answers import models_dev as models_dev_answer


def at(book: PriceBook, number: int, model: str = GLM, provider: str = "openrouter") -> Decimal:
    price = book.require(provider, model, day(number)).input_usd_per_mtok
    assert price is not None
    return price


def test_a_price_holds_from_its_first_sighting_until_another_is_seen() -> None:
    book = book_of([seen(0, "1.4"), seen(1, "1.4"), seen(2, "1.2"), seen(5, "1.2")])
    assert [at(book, n) for n in range(4)] == [Decimal(p) for p in ("1.4", "1.4", "1.2", "1.2")]
    price = book.require("openrouter", GLM, day(9))
    assert (price.effective_from, price.seen_on, price.age_days) == (day(2), day(5), 4)
    assert price.name == GLM, "the feed gave it no name"


def test_a_zero_for_a_paid_model_never_holds_by_being_seen_for_long() -> None:
    book = book_of([seen(0, "1.4"), *(seen(n, "0", "0") for n in range(1, 40))])
    assert at(book, 39) == Decimal("1.4")


def test_a_zero_holds_where_a_second_source_says_so() -> None:
    second = seen(1, "0", "0", source="litellm")
    book = book_of([seen(0, "1.4"), seen(1, "0", "0"), second])
    assert at(book, 1) == 0


def test_a_copy_of_the_same_list_confirms_nothing() -> None:
    copy = seen(1, "0", "0", source="models.dev")
    book = book_of([seen(0, "1.4"), seen(0, "1.4", source="models.dev"), seen(1, "0", "0"), copy])
    assert at(book, 1) == Decimal("1.4")


def test_models_dev_is_a_source_of_its_own_for_any_other_provider() -> None:
    where = {"provider": "zai", "model": "glm-5.2"}
    zeros = [seen(1, "0", "0", source=source, **where) for source in ("litellm", "models.dev")]
    book = book_of([seen(0, "1.4", source="models.dev", **where), *zeros])
    assert at(book, 1, "glm-5.2", "zai") == 0


def test_a_model_that_calls_itself_free_is_believed_at_once() -> None:
    book = book_of([seen(0, "0", "0", model="vendor/new:free")])
    price = book.require("openrouter", "vendor/new:free", day(0))
    assert (price.input_usd_per_mtok, price.is_free) == (0, True)


def test_a_jump_waits_for_a_second_source() -> None:
    alone = [seen(0, "1"), seen(1, "2")]
    assert at(book_of(alone), 1) == 1
    assert at(book_of([*alone, seen(1, "2", source="litellm")]), 1) == 2


def test_a_jump_that_stays_for_a_week_holds_from_its_first_sighting() -> None:
    stays = [seen(0, "1"), *(seen(n, "2") for n in range(1, 9))]
    assert at(book_of(stays[:-1]), 7) == 1
    book = book_of(stays)
    assert (at(book, 0), at(book, 1)) == (1, 2)
    assert book.periods("openrouter", GLM)[-1]["confirmed_by"] == "a week of the same"


@pytest.mark.parametrize("factor", ["0.001", "1000"])
def test_a_price_in_another_unit_never_holds_by_being_seen_for_long(factor: str) -> None:
    """A cheap model: a thousand times its price could be the price of another one."""
    slipped = [str(Decimal(price) * Decimal(factor)) for price in ("0.6", "0.9")]
    book = book_of([seen(0, "0.6", "0.9"), *(seen(n, *slipped) for n in range(1, 40))])
    assert at(book, 39) == Decimal("0.6")
    assert [row["reason"] for row in book.periods("openrouter", GLM)] == [None, "not_a_unit_price"]


def test_the_first_word_of_a_feed_is_held_against_the_package() -> None:
    """A model at $0.25 in and $1.50 out, seen at a thousand times that and never otherwise."""
    model = "google/gemini-3.1-flash-lite"
    book = book_of(seen(n, "250", "1000", model=model) for n in range(40))
    assert at(book, 39, model) == Decimal("0.25")
    assert book.require("openrouter", model, day(39)).source.startswith("genai-prices")
    dearer = book_of([seen(0, "0.5", "3", model=model)])
    assert at(dearer, 0, model) == Decimal("0.5")


def test_small_steps_that_add_up_to_a_jump_within_a_week_are_one() -> None:
    book = book_of([seen(0, "1"), seen(2, "0.8"), seen(4, "0.64")])
    assert at(book, 4) == Decimal("0.8")


def test_a_price_that_comes_back_after_a_fault_never_went_away() -> None:
    book = book_of([seen(0, "1.4"), seen(1, "0", "0"), seen(2, "1.4")])
    believed = [row for row in book.periods("openrouter", GLM) if row["believed"]]
    assert [(row["first_seen"], row["sightings"]) for row in believed] == [(FIRST, 2)]


def test_a_missing_cache_price_stays_missing() -> None:
    book = book_of([seen(0, "1.4", cache_read="0.26"), seen(1, "1.4", cache_read=None)])
    assert book.require("openrouter", GLM, day(0)).cache_read_usd_per_mtok == Decimal("0.26")
    assert book.require("openrouter", GLM, day(1)).cache_read_usd_per_mtok is None


def test_the_feed_that_listed_a_model_last_is_asked() -> None:
    where = {"provider": "zai", "model": "glm-5.2"}
    early = [seen(n, "1", source="models.dev", **where) for n in (0, 3)]
    late = [seen(n, "1.1", source="litellm", **where) for n in (0, 6)]
    book = book_of([*early, *late])
    assert [at(book, n, "glm-5.2", "zai") for n in (3, 4)] == [1, Decimal("1.1")]


def test_of_feeds_that_listed_a_model_last_on_one_day_the_most_trusted_is_asked() -> None:
    where = {"provider": "zai", "model": "glm-5.2"}
    says = {"litellm": "1.1", "models.dev": "1"}
    book = book_of([seen(n, usd, source=one, **where) for one, usd in says.items() for n in (0, 3)])
    assert [at(book, n, "glm-5.2", "zai") for n in (0, 1, 9)] == [1, 1, 1]


def test_the_package_speaks_where_it_knows_of_a_change_after_a_feed_last_did() -> None:
    """GLM went from $1.40 to $0.62 on 19 October, 140 days after the first of June."""
    before, on_the_day = book_of([seen(139, "1.4")]), book_of([seen(140, "0.7")])
    assert [at(before, n) for n in (139, 140)] == [Decimal("1.4"), Decimal("0.62")]
    assert [at(on_the_day, n) for n in (139, 140, 141)] == [
        Decimal("1.4"), Decimal("0.7"), Decimal("0.7")
    ]  # fmt: skip


def test_what_costs_nothing_to_read_but_something_to_write_is_not_called_free() -> None:
    assert not book_of([seen(0, "0", "4")]).require("openrouter", GLM, day(0)).is_free
    assert (
        book_of([seen(0, "0", "0", model="v/m:free")])
        .require("openrouter", "v/m:free", day(0))
        .is_free
    )


def test_up_to_three_models_of_any_source_are_near_one_that_nobody_lists() -> None:
    own = [seen(0, model=f"vendor/strange-{n}") for n in range(4)]
    book = book_of(own)
    assert len(book.nearest("openrouter", "vendor/strange")) == 3
    for known in ("vendor/strange-0", GLM, "baidu/cobuddy:free"):
        assert known in book.models("openrouter")
    assert "vendor/strange-0" not in book.models("zai")


def test_before_the_first_snapshot_the_package_is_asked_and_says_so() -> None:
    book = book_of([seen(20, "1.3")])
    before = book.require("openrouter", GLM, day(16))
    assert (before.source, before.seen_on) == ("genai-prices 0.2.3", None)
    assert book.require("openrouter", GLM, day(20)).source == "openrouter"


def told_by_models_dev(
    number: int, model: str, provider: str = "anthropic", **said: Any
) -> pl.DataFrame:
    """An answer as models.dev gives it for Anthropic: nothing of writes that live for an hour."""
    cost = {"input": 3, "output": 15, "cache_read": 0.3, "cache_write": 3.75, **said}
    answer = models_dev.read(models_dev_answer(provider, model, **cost))
    at = FIRST + timedelta(days=number)
    return snapshot("models.dev", answer.offers, at, at)


def test_what_a_feed_does_not_say_of_one_hour_writes_the_package_does() -> None:
    """Most of what a subscription writes to the cache is kept for an hour: it must have a price."""
    book = book_of([told_by_models_dev(n, "claude-sonnet-4-6") for n in (0, 9)])
    for number in (0, 4, 9, 12):
        price = book.require("anthropic", "claude-sonnet-4-6[1m]", day(number))
        assert (price.source, price.cache_write_1h_usd_per_mtok) == ("models.dev", Decimal(6))
    joined = list_prices("anthropic", ["claude-sonnet-4-6"], [day(n) for n in range(12)], book)
    assert set(joined["cache_write_1h_price"]) == {6_000_000}


@pytest.mark.parametrize(("model", "usd"), [("claude-sonnet-4-6", 2.9), ("claude-99", 3)])
def test_of_a_price_that_the_package_does_not_state_it_knows_no_write_either(
    model: str, usd: float
) -> None:
    book = book_of([told_by_models_dev(0, model, input=usd)])
    assert book.require("anthropic", model, day(0)).cache_write_1h_usd_per_mtok is None


def test_the_long_context_prices_of_a_feed_are_filled_in_the_same_way() -> None:
    above = {"input": 6, "output": 22.5, "cache_read": 0.6, "cache_write": 7.5}
    book = book_of([told_by_models_dev(0, "claude-sonnet-4-5", context_over_200k=above)])
    long = book.require("anthropic", "claude-sonnet-4-5", day(0)).for_context(200_001)
    assert (long.source, long.cache_write_1h_usd_per_mtok) == ("models.dev", Decimal(12))


def test_what_the_package_learns_of_writes_holds_from_the_day_on_which_it_does() -> None:
    """The feed says the same all along; the package states one-hour writes from 13 March on."""
    opus = {"input": 5, "output": 25, "cache_read": 0.5, "cache_write": 6.25}
    book = book_of(
        told_by_models_dev(n, "claude-opus-4-6", provider="google", **opus) for n in (-90, 0)
    )
    days = [day(n) for n in range(-82, -78)]
    assert days[2] in embedded.starts("google", "claude-opus-4-6")
    joined = list_prices("google", ["claude-opus-4-6"], days, book)
    assert joined["cache_write_1h_price"].to_list() == [None, None, 10_000_000, 10_000_000]


def test_what_is_learned_when_a_week_has_closed_never_changes_it(home: Home) -> None:
    close = day(9)
    snapshots.add(home, seen(0, "1.4"))
    before = parquet_bytes(list_prices("openrouter", [GLM], [day(3)], price_book(home, close)))
    snapshots.add(home, seen(2, "1.3", learned=datetime.combine(close, midnight(), UTC)))
    snapshots.add(home, seen(31, "1.2"))
    after = parquet_bytes(list_prices("openrouter", [GLM], [day(3)], price_book(home, close)))
    assert after == before
    assert at(price_book(home), 3) == Decimal("1.3")


moments = st.lists(
    st.tuples(
        st.integers(0, 30),
        st.sampled_from(["0", "0.0001", "0.9", "1", "1.4", "2", "3"]),
        st.sampled_from(["openrouter", "models.dev", "litellm"]),
        st.sampled_from([GLM, "vendor/other", "vendor/gratis:free"]),
    ),
    min_size=1,
    max_size=25,
)


@given(
    said=st.lists(
        st.tuples(
            st.integers(136, 158),
            st.sampled_from(["0.62", "0.7", "0.9", "1.4"]),
            st.sampled_from(["openrouter", "litellm"]),
        ),
        max_size=9,
    )
)
@example(said=[(n, "0.7", "openrouter") for n in range(134, 160)])
@settings(max_examples=60, deadline=None)
def test_the_prices_of_many_days_are_those_of_each(said: list[tuple[int, str, str]]) -> None:
    """Around two changes that the package knows of, whatever feeds said and did not say."""
    book = book_of([seen(n, usd, source=source) for n, usd, source in said])
    days = [day(n) for n in range(134, 160)]
    joined = list_prices("openrouter", [GLM], days, book)
    assert joined["date"].to_list() == days
    one_by_one = [book.require("openrouter", GLM, one).input_usd_per_mtok for one in days]
    assert [Decimal(usd) / 10**6 for usd in joined["input_price"]] == one_by_one


@given(said=moments, order=st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_ledgers_bytes_depend_on_the_set_of_snapshots_alone(
    said: list[tuple[int, str, str, str]], order: random.Random
) -> None:
    frames = [seen(n, price, "4", source=source, model=model) for n, price, source, model in said]
    shuffled = [*frames, *frames[:3]]
    order.shuffle(shuffled)
    straight = parquet_bytes(price_ledger(pl.concat(frames)))
    assert parquet_bytes(price_ledger(pl.concat(shuffled))) == straight


@given(said=moments)
@settings(max_examples=60, deadline=None)
def test_no_paid_model_is_ever_free_by_one_sources_word(
    said: list[tuple[int, str, str, str]],
) -> None:
    book = book_of(seen(n, price, "0", model=model) for n, price, _, model in said)
    for row in book.ledger.filter("believed").iter_rows(named=True):
        assert row["input_usd_per_mtok"] > 0 or row["model"].endswith(":free")


@pytest.mark.slow
def test_a_year_of_daily_snapshots_of_400_models_is_joined_in_under_a_second(home: Home) -> None:
    models = [f"vendor/model-{n}" for n in range(400)]
    offers = [
        Offer("openrouter", name, name, Decimal(n + 10) / 100, None)
        for n, name in enumerate(models)
    ]
    first = snapshot("openrouter", offers, FIRST, FIRST).with_row_index("place")
    for number in range(365):  # each day four of them become a tenth of a cent dearer
        moment = pl.lit(FIRST + timedelta(days=number)).cast(pl.Datetime("us", "UTC"))
        times_changed = (number + pl.col("place")) // 100
        price = pl.col("input_usd_per_mtok") + times_changed * Decimal("0.001")
        frame = first.with_columns(
            price.cast(pl.Decimal(18, 9)), observed_at=moment, recorded_at=moment
        )
        snapshots.add(home, frame.drop("place"))
    days = [day(number) for number in range(365)]
    began = time.process_time()
    joined = list_prices("openrouter", models, days, price_book(home))
    assert time.process_time() - began < 1
    assert joined.height == 400 * 365
    assert joined["input_price"].n_unique() > 400
