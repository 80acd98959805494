"""`fleet cost`: the calculator, on the volumes of the reference page of 2026-06-18."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from fleet_pipeline.home import Home
from fleet_pipeline.pricing import embedded, shipped, snapshots
from fleet_pipeline.pricing.observations import Offer, snapshot

from .test_front_door import modules_of

Run = Callable[..., Result]

DAY = date(2026, 1, 1)

GLM = ("--model", "z-ai/glm-5.2", "--price-date", "2026-06-17")
MONTH = ("--fresh", "20.5M", "--cache-write", "705.5M", "--cache-read", "27,173M",
         "--output", "65.7M", "--share", "0.1826")  # fmt: skip


def asked(fleet: Run, *arguments: str) -> dict[str, Any]:
    result = fleet("cost", *GLM, *MONTH, *arguments, "--json")
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


@pytest.mark.parametrize(
    ("arguments", "usd", "tolerance"),
    [
        ((), 7_185, 1),
        (("--naive",), 58, 0.5),
        (("--hit-rate", "1"), 1_528, 2),
        (("--hit-rate", "0.8"), 2_660, 2),
        (("--packet-tokens", "8k", "--requests", "107338"), 272, 1),
    ],
)
def test_the_reference_page_is_computed_from_one_share_and_one_output_count(
    fleet: Run, arguments: tuple[str, ...], usd: float, tolerance: float
) -> None:
    cost = asked(fleet, *arguments)["cost_usd_micros"]
    assert cost == pytest.approx(usd * 1e6, abs=tolerance * 1e6)


def test_the_document_holds_the_price_row_and_terms_that_add_up(fleet: Run) -> None:
    document = asked(fleet, "--hit-rate", "0.5")
    assert document["cost_usd_micros"] == sum(t["cost_usd_micros"] for t in document["terms"])
    for term in document["terms"]:
        assert term["cost_usd_micros"] == pytest.approx(term["tokens"] * term["usd_per_mtok"])
    price = document["price"]
    assert (price["input_usd_per_mtok"], price["cache_write_5m_usd_per_mtok"]) == (1.4, None)
    assert price["at"] == "2026-06-17"
    assert "misses x input" in document["formula"]


def test_no_hit_rate_is_a_hit_rate_of_zero(fleet: Run) -> None:
    assert asked(fleet)["terms"] == asked(fleet, "--hit-rate", "0")["terms"]


def test_moving_nothing_costs_nothing(fleet: Run) -> None:
    result = fleet("cost", *GLM, "--fresh", "1M", "--share", "0", "--json")
    assert json.loads(result.stdout)["cost_usd_micros"] == 0


def test_a_listed_write_price_is_what_a_write_costs(fleet: Run) -> None:
    sonnet = ("--model", "claude-sonnet-4-6", "--price-date", "2026-06-17")
    result = fleet("cost", *sonnet, "--cache-write", "1M", "--json")
    assert json.loads(result.stdout)["cost_usd_micros"] == 3_750_000


def test_a_request_above_a_tier_is_priced_at_that_tier(fleet: Run) -> None:
    qwen = ("--model", "qwen/qwen3.7-plus", "--price-date", "2026-11-18", "--fresh", "1M")
    short, long = (
        json.loads(fleet("cost", *qwen, "--context", context, "--json").stdout)["cost_usd_micros"]
        for context in ("256k", "300k")
    )
    assert long > short
    assert "above 256,000 tokens" in fleet("cost", *qwen).stderr


def test_a_model_whose_price_has_hours_says_that_the_usual_one_is_told(fleet: Run) -> None:
    flash = ("--model", "deepseek/deepseek-v4-flash", "--price-date", "2026-09-14", "--fresh", "1M")
    result = fleet("cost", *flash)
    assert "$0.15" in result.stdout
    assert "asks other prices at some hours; fleet prices tells which" in result.stderr
    assert "some hours" not in fleet("cost", *GLM, "--fresh", "1M").stderr


def test_a_person_reads_the_terms_their_sum_and_the_formula(fleet: Run) -> None:
    said = fleet("cost", *GLM, *MONTH).stdout
    assert "18.26% of the work; no cache hit" in said
    assert "4,961,789,800 tokens x $1.40 per million =    $6,946.51" in said
    assert "$7,184.89" in said
    assert "cost = fresh x input" in said


@pytest.mark.parametrize(
    ("mistaken", "meant"),
    [
        ("z-ai/glm-5.2x", "z-ai/glm-5.2"),
        ("openrouter/qwen/qwen3.7-pluss", "qwen/qwen3.7-plus"),
        ("claude-sonet-4-6", "claude-sonnet-4-6"),
    ],
)
def test_a_model_that_nobody_knows_is_bad_usage_and_the_nearest_names_are_told(
    fleet: Run, mistaken: str, meant: str
) -> None:
    for form in ((), ("--json",)):
        result = fleet("cost", "--model", mistaken, "--price-date", "2026-06-17", *form)
        assert result.exit_code == 2
        assert mistaken in result.stderr
        assert meant in result.stderr
        assert result.stdout == ""


def test_a_price_that_was_not_listed_on_the_day_is_refused_and_never_zero(fleet: Run) -> None:
    listed_later = next(
        name
        for name in shipped.model_ids("openrouter")
        if not embedded.find("openrouter", name, DAY)
    )
    result = fleet("cost", "--model", f"openrouter/{listed_later}", "--price-date", str(DAY))
    assert result.exit_code == 1
    assert listed_later in result.stderr
    assert result.stdout == ""


def test_the_organisations_own_names_for_a_model_are_understood(fleet: Run, org: object) -> None:
    named = fleet("cost", "--model", "GLM", "--price-date", "2026-06-17", "--fresh", "1M", "--json")
    assert json.loads(named.stdout)["price"]["model"] == "z-ai/glm-5.2"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--share", "1.2"),
        ("--hit-rate", "-0.1"),
        ("--hit-rate", "nan"),
        ("--fresh", "many"),
        ("--fresh", "-5"),
        ("--fresh", "1.5"),
        ("--price-date", "June"),
        ("--packet-tokens", "8k"),
        ("--naive", "--hit-rate", "1"),
    ],
)
def test_what_cannot_be_meant_is_bad_usage(fleet: Run, arguments: tuple[str, ...]) -> None:
    assert fleet("cost", *GLM, *arguments).exit_code == 2


def test_it_never_loads_the_graph() -> None:
    loaded = modules_of("cost", *GLM, "--fresh", "1M")
    assert not any(name == "dagster" or name.startswith("dagster.") for name in loaded)


def test_an_old_row_of_a_feed_is_named_with_the_day_on_which_it_was_last_listed(
    fleet: Run, tmp_path: Path
) -> None:
    home, at = Home(tmp_path / "home"), datetime(2026, 6, 10, tzinfo=UTC)
    home.prepare()
    offer = Offer("openrouter", "z-ai/glm-5.2", "GLM 5.2", Decimal("1.4"), Decimal("4.4"))
    snapshots.add(home, snapshot("openrouter", [offer], at, at))
    asked = ("cost", *GLM, "--fresh", "1M", "--home", home.root)
    assert "openrouter, in force since 2026-06-10, last listed 2026-06-10" in fleet(*asked).stdout
    price = json.loads(fleet(*asked, "--json").stdout)["price"]
    assert (price["seen_on"], price["age_days"]) == ("2026-06-10", 7)
