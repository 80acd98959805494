"""``fleet prices`` and ``fleet sweep``: what they tell, and the status that they end with."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from fleet_pipeline.home import Home
from fleet_pipeline.pricing import snapshots
from fleet_pipeline.pricing.observations import Offer, snapshot

from .conftest import Run

GLM = "z-ai/glm-5.2"
CONTRACT = {
    "model": GLM,
    "at": "2026-06-18",
    "input_usd_per_mtok": 1.4,
    "output_usd_per_mtok": 4.4,
    "cache_read_usd_per_mtok": 0.26,
    "source": "genai-prices 0.2.3",
    "effective_from": None,
}


def heard(home: Path, day: int, price: str) -> None:
    """Keep a list on a day of June in which GLM costs so much."""
    at = datetime(2026, 6, day, 3, 30, tzinfo=UTC)
    offer = Offer("openrouter", GLM, "GLM", Decimal(price), Decimal(price) * 3, None)
    made = Home(home)
    made.prepare()
    snapshots.add(made, snapshot("openrouter", [offer], at, at))


@pytest.mark.parametrize("name", [GLM, "glm-5.2", "GLM 5.2", "glm", "openrouter/z-ai/glm-5.2"])
def test_a_model_is_found_by_any_of_its_names(fleet: Run, org: Path, name: str) -> None:
    result = fleet("prices", name, "--at", "2026-06-18", "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert {key: told[key] for key in CONTRACT} == CONTRACT


def test_a_model_of_a_price_list_is_found_without_an_organisation(fleet: Run) -> None:
    result = fleet("prices", "claude-sonnet-4-6", "--at", "20260618", "--json")
    told = json.loads(result.stdout)
    assert (told["provider"], told["input_usd_per_mtok"]) == ("anthropic", 3)
    assert told["effective_from"] == "2026-03-13"


def test_what_is_asked_at_some_hours_is_told_in_words_and_in_json(fleet: Run) -> None:
    asked = ("prices", "deepseek/deepseek-v4-flash", "--at", "2026-09-14")
    assert "01:00 to 04:00 UTC: input 0.3, output 1.2, cache read 0.006" in fleet(*asked).stdout
    told = json.loads(fleet(*asked, "--json").stdout)["by_hour"]
    assert [(row["from"], row["up_to"]) for row in told] == [("01:00", "04:00"), ("06:00", "10:00")]
    assert [row["weekdays"] for row in told] == [None, None]


def test_a_price_that_nobody_lists_is_null_and_never_zero(fleet: Run) -> None:
    told = json.loads(fleet("prices", GLM, "--at", "2026-06-18", "--json").stdout)
    assert told["cache_write_5m_usd_per_mtok"] is None
    assert "cache write 5m  n/a" in fleet("prices", GLM, "--at", "2026-06-18").stdout


def test_an_unknown_model_ends_with_two_and_the_nearest_names(fleet: Run, org: Path) -> None:
    result = fleet("prices", "z-ai/glm-5.3x", "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no model is called 'z-ai/glm-5.3x'; did you mean" in result.stderr
    assert "z-ai/glm-5" in result.stderr


def test_a_name_that_is_like_no_other_says_so(fleet: Run) -> None:
    result = fleet("prices", "&&&&&&&&&&&&")
    assert result.exit_code == 2
    assert "no price list has anything like it" in result.stderr


def test_the_row_in_force_comes_with_its_source_its_age_and_its_history(
    fleet: Run, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    for day, price in ((16, "1.4"), (19, "1.2"), (25, "0")):
        heard(home, day, price)
    result = fleet("prices", GLM, "--at", "2026-06-26", "--home", home, "--json")
    told = json.loads(result.stdout)
    assert (told["source"], told["effective_from"]) == ("openrouter", "2026-06-19")
    assert (told["seen_on"], told["age_days"], told["input_usd_per_mtok"]) == ("2026-06-19", 7, 1.2)
    own = [row for row in told["history"] if row["source"] == "openrouter"]
    assert [(row["effective_from"], row["believed"], row["reason"]) for row in own] == [
        ("2026-06-16", True, None),
        ("2026-06-19", True, None),
        ("2026-06-25", False, "zero"),
    ]
    words = fleet("prices", GLM, "--at", "2026-06-26", "--home", home).stdout
    assert "openrouter, in force since 2026-06-19, last listed 2026-06-19 (7 days before)" in words
    assert "held: zero" in words


def test_what_was_held_back_is_counted_and_listed_with_its_reason(
    fleet: Run, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    for day, price in ((16, "1.4"), (17, "0"), (18, "1.4"), (19, "2.8"), (27, "2.8")):
        heard(home, day, price)
    asked = ("prices", "--held", "--home", home, "--at")
    told = json.loads(fleet(*asked, "2026-06-28", "--json").stdout)
    assert (told["held"], told["confirmed"]) == (1, 1)
    assert [(row["first_seen"], row["reason"], row["believed"]) for row in told["prices"]] == [
        ("2026-06-17", "zero", False),
        ("2026-06-19", "jump", True),
    ]
    words = fleet(*asked, "2026-06-28", GLM).stdout
    assert words.startswith("until 2026-06-28: 1 held back, 1 confirmed and believed\n")
    assert "held: zero" in words and "jump, confirmed: a week of the same" in words
    assert fleet(*asked, "2026-06-16").stdout.split("\n")[0] == (
        "until 2026-06-16: 0 held back, 0 confirmed and believed"
    )


def test_without_a_model_every_candidate_is_told(fleet: Run, org: Path) -> None:
    told = json.loads(fleet("prices", "--at", "2026-06-18", "--json").stdout)
    assert [row["id"] for row in told["prices"]][:2] == [GLM, "qwen/qwen3.7-plus"]
    assert fleet("prices", "--at", "2026-06-18").stdout.startswith("model")


def test_without_a_model_and_an_organisation_it_says_what_is_missing(fleet: Run) -> None:
    result = fleet("prices")
    assert result.exit_code == 2
    assert "fleet init" in result.stderr


def test_a_sweep_without_a_network_ends_well_and_says_what_is_known(fleet: Run, org: Path) -> None:
    result = fleet("sweep", "--offline", "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert [(feed["source"], feed["state"]) for feed in told["feeds"]] == [
        ("openrouter", "not asked"),
        ("models.dev", "not asked"),
    ]
    assert "nothing is known of it" in fleet("sweep", "--offline").stdout


def test_a_sweep_with_a_candidate_that_nobody_knows_ends_with_two(fleet: Run, org: Path) -> None:
    file = org / "models.yaml"
    file.write_text(file.read_text().replace("openrouter/z-ai/glm-5.2", "openrouter/z-ai/glm5.2"))
    result = fleet("sweep", "--offline")
    assert result.exit_code == 2
    assert "z-ai/glm-5.2: no price list knows openrouter/z-ai/glm5.2; did you mean" in result.stderr


def test_a_damaged_snapshot_is_named(fleet: Run, tmp_path: Path) -> None:
    home = tmp_path / "home"
    heard(home, 16, "1.4")
    [file] = (home / "lake/prices/snapshots/source=openrouter").iterdir()
    file.write_bytes(b"PAR1")
    result = fleet("prices", GLM, "--home", home)
    assert result.exit_code == 1
    assert str(file) in result.stderr and "is damaged" in result.stderr
