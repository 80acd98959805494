"""The week's routes as files that tools load, against the formats that these tools document."""

import json
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from fleet_pipeline.probes.work_types import WORK_TYPES
from fleet_pipeline.routing import routing_files
from fleet_pipeline.routing.document import routing_document

from ..publishing.reference_page import changed, reference_page

ROUTE = {"type": "string", "pattern": "^[^,]+,[^,]+$"}
TEXT = {"type": "string", "minLength": 1}
CLAUDE_CODE_ROUTER = {
    "type": "object",
    "additionalProperties": False,
    "required": ["Providers", "Router"],
    "properties": {
        "Providers": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name", "api_base_url", "api_key", "models"],
                "properties": {
                    "name": TEXT,
                    "api_base_url": {"type": "string", "pattern": "^https://.*/chat/completions$"},
                    "api_key": {"type": "string", "pattern": "^\\$[A-Z_]+$"},
                    "models": {"type": "array", "minItems": 1, "items": TEXT},
                    "transformer": {"type": "object", "required": ["use"]},
                },
            },
        },
        "Router": {
            "type": "object",
            "additionalProperties": False,
            "required": ["default"],
            "properties": {
                "default": ROUTE,
                "background": ROUTE,
                "think": ROUTE,
                "longContext": ROUTE,
                "webSearch": ROUTE,
                "longContextThreshold": {"type": "integer", "minimum": 1},
            },
        },
    },
}
"""config.json of claude-code-router 2.0.0, as its README documents it."""

LITELLM = {
    "type": "object",
    "additionalProperties": False,
    "required": ["model_list", "router_settings"],
    "properties": {
        "model_list": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["model_name", "litellm_params"],
                "properties": {
                    "model_name": TEXT,
                    "litellm_params": {
                        "type": "object",
                        "required": ["model", "api_key"],
                        "properties": {
                            "model": {"type": "string", "pattern": "^openrouter/.+"},
                            "api_key": {"type": "string", "pattern": "^os\\.environ/[A-Z_]+$"},
                        },
                    },
                    "model_info": {"type": "object"},
                },
            },
        },
        "router_settings": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "num_retries": {"const": 1},
                "timeout": {"type": "integer"},
                "fallbacks": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "minProperties": 1,
                        "maxProperties": 1,
                        "additionalProperties": {"type": "array", "minItems": 1, "items": TEXT},
                    },
                },
            },
        },
    },
}
"""config.yaml of LiteLLM's proxy, as docs.litellm.ai documents it in October 2026."""


def read(page: dict[str, Any]) -> tuple[Any, Any, Any]:
    files = routing_files(page)
    return (
        json.loads(files["routing.json"]),
        json.loads(files["claude-code-router.json"]),
        yaml.safe_load(files["litellm-router.yaml"]),
    )


def test_the_routers_configurations_have_the_documented_shapes() -> None:
    _, claude_code, litellm = read(reference_page())
    Draft202012Validator(CLAUDE_CODE_ROUTER).validate(claude_code)
    Draft202012Validator(LITELLM).validate(litellm)


def test_every_route_of_claude_code_router_names_a_model_of_its_provider() -> None:
    _, claude_code, _ = read(reference_page())
    [provider] = claude_code["Providers"]
    slots = {slot for slot in claude_code["Router"] if slot != "longContextThreshold"}
    assert slots == {"default", "background", "think", "longContext"}
    for slot in slots:
        name, _, model = claude_code["Router"][slot].partition(",")
        assert name == provider["name"]
        assert model in provider["models"]


def test_whole_turns_are_never_routed_to_a_free_model() -> None:
    page = reference_page()
    _, claude_code, _ = read(page)
    free = {row["provider_model"] for row in page["ranking"] if row["is_free"]}
    assert free
    assert not free & set(claude_code["Providers"][0]["models"])


def test_every_kind_of_packets_has_a_name_in_litellm_and_fallbacks_that_exist() -> None:
    _, _, litellm = read(reference_page())
    names = {each["model_name"] for each in litellm["model_list"]}
    assert {f"fleet-{kind.replace('_', '-')}" for kind in WORK_TYPES} <= names
    for each in litellm["router_settings"]["fallbacks"]:
        [(name, others)] = each.items()
        assert {name, *others} <= names
    assert {each["model_info"]["public_packets_only"] for each in litellm["model_list"]} <= {
        True,
        False,
    }


@pytest.mark.parametrize("free_places", [{2, 4, 6, 8}, {1, 3, 5, 7}])
def test_nothing_falls_back_from_a_paid_model_to_a_free_one(free_places: set[int]) -> None:
    """A free provider may train on what it gets: what a paid one may see must not end there."""
    page = reference_page()
    for place, row in enumerate(page["ranking"], start=1):
        row["is_free"] = place in free_places
    _, _, litellm = read(page)
    models = litellm["model_list"]
    free = {each["model_name"]: each["model_info"]["public_packets_only"] for each in models}
    for each in litellm["router_settings"]["fallbacks"]:
        [(name, others)] = each.items()
        assert len(others) == 2
        assert free[name] or not any(free[other] for other in others)


def test_the_document_holds_the_whole_policy_with_its_evidence() -> None:
    page = reference_page()
    document, _, _ = read(page)
    assert document["schema_version"] == 1
    assert len(document["matrix"]) == len(page["routing_matrix"])
    assert [row["work_type"] for row in document["routes"]] == [
        row["work_type"] for row in page["execution_routing"]
    ]
    assert [each["work_type"] for each in document["candidates"]] == list(WORK_TYPES)
    for each in document["candidates"]:
        assert [row["rank"] for row in each["models"]] == sorted(
            row["rank"] for row in each["models"]
        )
        assert all(row["n_probes"] >= 0 and row["provisional"] for row in each["models"])


def test_a_route_says_which_packets_speak_for_it() -> None:
    document = routing_document(changed(execution_routing__0__kinds=["packet"]))
    assert document["routes"][0]["probed_as"] == ["classification", "json_extraction"]


def test_what_changed_since_last_week_is_told() -> None:
    calm = routing_document(reference_page())
    assert calm["diff"]["since"] == "2026-06-10"
    assert calm["diff"]["places"] == []
    reviews = reference_page()["ranking"][1]["work_types"]
    [review] = [n for n, each in enumerate(reviews) if each["work_type"] == "code_review"]
    moved = changed(
        ranking__1__previous_rank=4,
        ranking__1__reason="up from 4 to 2",
        **{
            f"ranking__1__work_types__{review}__previous_rank": 3,
            f"ranking__1__work_types__{review}__reason": "up from 3 to 2",
        },
    )
    overall, by_kind = routing_document(moved)["diff"]["places"]
    assert (overall["scope"], overall["from"], overall["to"]) == ("overall", 4, 2)
    assert (by_kind["scope"], by_kind["from"], by_kind["to"]) == ("code_review", 3, 2)
    assert [overall["reason"], by_kind["reason"]] == ["up from 4 to 2", "up from 3 to 2"]


def test_a_model_that_is_no_longer_listed_is_no_candidate() -> None:
    page = reference_page()
    first = page["ranking"][0]["model"]
    gone = changed(model_catalog=[{"model": first, "status": "gone"}])
    named = {
        row["model"] for each in routing_document(gone)["candidates"] for row in each["models"]
    }
    assert first not in named and named


def test_without_a_ranking_there_are_routes_and_no_routers() -> None:
    assert set(routing_files(changed(ranking=[]))) == {"routing.json"}


def test_the_same_week_gives_the_same_bytes() -> None:
    assert routing_files(reference_page()) == routing_files(reference_page())
