"""Addresses of figures in page.json."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_pipeline.errors import PublicationError
from fleet_pipeline.publishing.figures import address, canonical_bytes, resolve

from .reference_page import reference_page


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("as_of", "2026-06-17"),
        ("usage.claude.requests", 107_338),
        ("agents.forge.full_input_tokens", 4_471_000_000),
        ("headroom.codex.300.remaining_share", 0.72),
        ("headroom.codex_bengalfox.10080.used_percent", 6.0),
        ("costs.scenarios.expected.share", 0.1826),
        ("costs.hot_week.scenarios.low.share", 0.09131),
        ("ranking.z-ai/glm-5%2E2.price.cache_read_usd_per_mtok", 0.26),
        ("models.codex.gpt-5%2E5-codex.requests", 8_211),
        ("sources.hosts.anvil.requests", 80_000),
    ],
)
def test_a_figure_is_found_by_natural_keys(path: str, value: object) -> None:
    assert resolve(reference_page(), path) == value


def test_an_address_survives_a_change_of_rank() -> None:
    page = reference_page()
    ranking = page["ranking"]
    assert isinstance(ranking, list)
    ranking.reverse()
    assert resolve(page, "ranking.z-ai/glm-5%2E2.price.input_usd_per_mtok") == 1.4


@pytest.mark.parametrize(
    "path", ["nothing", "usage.claude.nothing", "agents.nobody.requests", "as_of.year", "agents.x"]
)
def test_an_address_that_leads_nowhere_is_refused(path: str) -> None:
    with pytest.raises(PublicationError, match=r"page\.json has"):
        resolve(reference_page(), path)


def test_two_items_with_one_key_are_refused() -> None:
    page = {"agents": [{"agent": "a", "requests": 1}, {"agent": "a", "requests": 2}]}
    with pytest.raises(PublicationError, match="2 items"):
        resolve(page, "agents.a.requests")


@given(st.lists(st.text(), unique=True, min_size=1))
def test_any_two_names_have_addresses_of_their_own(names: list[str]) -> None:
    page = {"agents": [{"agent": name, "requests": place} for place, name in enumerate(names)]}
    found = [resolve(page, address("agents.{}.requests", name)) for name in names]
    assert found == list(range(len(names)))


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.none() | st.floats(0, 1)))
def test_canonical_bytes_keep_the_content_and_the_order(page: dict[str, object]) -> None:
    written = canonical_bytes(page)
    assert written.endswith(b"\n")
    assert list(json.loads(written).items()) == list(page.items())


def test_what_json_cannot_say_is_refused() -> None:
    with pytest.raises(PublicationError):
        canonical_bytes({"share": float("nan")})


def test_a_lone_surrogate_becomes_its_escape() -> None:
    assert json.loads(canonical_bytes({"name": "\ud83d"})) == {"name": "\ud83d"}
