"""Whatever a feed answers, it is read as offers or refused; its words cannot harm a page."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_pipeline.errors import SourceError
from fleet_pipeline.pricing.book import book_of
from fleet_pipeline.pricing.feeds import READERS, litellm, models_dev, openrouter
from fleet_pipeline.pricing.observations import Answer, snapshot
from fleet_pipeline.publishing.privacy import looks_like_a_path

from .conftest import FIRST, day
from .feed_answers import openrouter_model

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(
        ["", "-1", "0", "1e400", "-1e-400", "1e999999", "NaN", "9" * 400, "/etc/passwd", "x/y"]
    )
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["prompt", "input", "cost", "models", "x"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)
KEYS = {
    openrouter.SOURCE: ["prompt", "completion", "input_cache_read", "overrides",
                        "min_prompt_tokens"],
    models_dev.SOURCE: ["input", "output", "cache_read", "tiers", "context_over_200k"],
    litellm.SOURCE: ["input_cost_per_token", "output_cost_per_token", "off_peak_pricing",
                     "input_cost_per_token_above_200k_tokens", "deprecation_date"],
}  # fmt: skip
LIMITS = ["context_length", "top_provider", "limit", "expiration_date", "name", "max_output_tokens"]


def wrapped(source: str, prices: Any, others: dict[str, Any]) -> Any:
    """An answer of the right outer shape, with anything inside."""
    if source == openrouter.SOURCE:
        return {"data": [{"id": "vendor/model", "pricing": prices, **others}]}
    if source == models_dev.SOURCE:
        return {"vendor": {"models": {"model": {"cost": prices, **others}}}}
    return {"model": {"litellm_provider": "vendor", **prices, **others}}


@pytest.mark.parametrize("source", READERS)
@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_any_answer_of_the_right_outer_shape_is_read_and_judged_or_refused(
    source: str, data: st.DataObject
) -> None:
    prices = data.draw(st.dictionaries(st.sampled_from(KEYS[source]), anything, max_size=5))
    others = data.draw(st.dictionaries(st.sampled_from(LIMITS), anything, max_size=4))
    try:
        answer = READERS[source](json.dumps(wrapped(source, prices, others)).encode())
    except SourceError:
        return
    book = book_of([snapshot(source, answer.offers, FIRST, FIRST)])
    for offer in answer.offers:
        price = book.find(offer.provider, offer.model, day(0))
        assert price is None or (price.input_usd_per_mtok or 0) >= 0


@pytest.mark.parametrize("read", READERS.values())
@given(body=st.binary(max_size=60) | anything.map(lambda value: json.dumps(value).encode()))
@settings(max_examples=80, deadline=None)
def test_any_other_answer_is_refused_by_name(read: Callable[[bytes], Answer], body: bytes) -> None:
    try:
        assert read(body).offers
    except SourceError as error:
        assert str(error).startswith("the answer ")


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "x@/data/y", "c:/windows", "..", "a b", "<script>", "a\u202eb", "", "x" * 201,
     "-home-zach", "a//b", "=cmd()", "a\nb"],
)  # fmt: skip
def test_an_id_that_could_be_anything_else_is_left_out(name: str) -> None:
    answer = openrouter.read(json.dumps({"data": [openrouter_model(name)]}).encode())
    assert (answer.offers, answer.left_out) == ((), {"nameless or without prices": 1})


@given(name=st.from_regex(r"[@~/A-Za-z0-9._:+-]{1,40}", fullmatch=True))
def test_no_id_that_is_kept_looks_like_a_path(name: str) -> None:
    answer = openrouter.read(json.dumps({"data": [openrouter_model(name)]}).encode())
    assert not [offer.model for offer in answer.offers if looks_like_a_path(offer.model)]


@pytest.mark.parametrize(
    "name",
    [
        "z-ai/glm-5.2",
        "google/gemma-4-31b-it:free",
        "~openai/gpt-mini-latest",
        "@cf/meta/llama-3",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "accounts/fireworks/models/x",
        "claude-opus-5@20260601",
    ],
)
def test_the_ids_that_feeds_really_use_are_kept(name: str) -> None:
    answer = openrouter.read(json.dumps({"data": [openrouter_model(name)]}).encode())
    assert [offer.model for offer in answer.offers] == [name]


def test_a_display_name_that_could_be_a_path_is_not_taken() -> None:
    model = {**openrouter_model(), "name": "/home/zach/notes"}
    [offer] = openrouter.read(json.dumps({"data": [model]}).encode()).offers
    assert offer.name is None


@pytest.mark.parametrize("exponent", ["999999", "-999999"])
def test_a_number_that_nobody_can_reckon_with_is_no_price(exponent: str) -> None:
    model = {**openrouter_model(), "pricing": {"prompt": f"1e{exponent}", "completion": "0.1"}}
    [offer] = openrouter.read(json.dumps({"data": [model]}).encode()).offers
    assert offer.input_usd_per_mtok is None


@pytest.mark.parametrize("read", READERS.values())
def test_a_number_beyond_any_decimal_is_no_answer(read: Callable[[bytes], Answer]) -> None:
    with pytest.raises(SourceError, match="no whole JSON"):
        read(b'{"data": 1e99999999999999999999}')


def test_a_tier_beyond_any_count_of_tokens_is_none() -> None:
    model = {"litellm_provider": "vendor", "input_cost_per_token": 1e-6}
    tier = {f"input_cost_per_token_above_{'9' * 20}k_tokens": 2e-6}
    [offer] = litellm.read(json.dumps({"model": {**model, **tier}}).encode()).offers
    assert offer.tiers == ()
