"""The evidence of a week: what the page only sums up, with every figure traced, and the tables."""

import pytest

from fleet_pipeline.publishing.figures import resolve
from fleet_pipeline.publishing.formats import MINUS
from fleet_pipeline.publishing.page import render_evidence, render_page

from .hostile import HOSTILE
from .loose import loose_numbers
from .outline import Outline, written
from .reference_page import changed, reference_page

TABLES = ("agent_usage", "usage_totals")


def outline(page: dict[str, object]) -> Outline:
    return Outline(render_evidence(page, TABLES))


@pytest.fixture(scope="module")
def read() -> Outline:
    return outline(reference_page())


def test_every_figure_of_the_evidence_is_its_value_in_page_json(read: Outline) -> None:
    assert read.faults == []
    assert len(read.figures) > 100
    for address, shown in read.figures:
        assert shown in written(resolve(reference_page(), address)), address
    assert {
        "eligible.agents.forge.eligible_share",
        "task_mix.kinds.implementation.share",
        "realised.2026-06-10.moved_tokens",
    } <= {address for address, _ in read.figures}


def test_every_number_of_the_evidence_is_a_figure_with_an_address(read: Outline) -> None:
    assert loose_numbers(read, reference_page()) == []


def test_each_table_is_named_with_its_files(read: Outline) -> None:
    links = {attributes.get("href") for tag, attributes in read.elements if tag == "a"}
    assert {f"tables/{table}.{kind}" for table in TABLES for kind in ("csv", "parquet")} <= links


def test_what_the_page_sums_up_has_its_evidence_one_click_away(read: Outline) -> None:
    ids = {attributes.get("id") for _, attributes in read.elements}
    links = {a.get("href") or "" for tag, a in Outline(render_page(reference_page())).elements}
    wanted = {link.partition("#")[2] for link in links if link.startswith("evidence.html#")}
    assert wanted == {"replay", "usage", "work", "drift", "tables"}
    assert wanted <= ids


def test_an_interval_that_begins_at_nothing_has_both_of_its_ends() -> None:
    page = reference_page()
    [target] = page["costs"]["replay"]["targets"]
    for case in target["cases"]:
        case["cost_low_usd_micros"] = 0
    shown = {address for address, _ in outline(page).figures}
    of_case = "costs.replay.targets.z-ai/glm-5%2E2.cases.expected"
    assert {f"{of_case}.cost_{end}_usd_micros" for end in ("low", "high")} <= shown


def test_a_page_without_a_replay_says_that_none_is_configured() -> None:
    page = changed(
        costs__replay=None, costs__corners=[], costs__packets=[], costs__elsewhere=[],
        costs__stay={"model": None, "cost_usd_micros": None},
        costs__break_even_hit_rate=None,
    )  # fmt: skip
    assert "Replay of moved work (offload.yaml): none configured." in outline(page).words
    html = render_page(page)
    assert "Packets of" not in html and "#replay" not in html


def test_a_replay_shows_its_cases_its_interval_and_what_it_assumes(read: Outline) -> None:
    section = read.words[read.words.index("What moving whole sessions would cost") :]
    for shown in ("$1,200", "$3,600", "$6,400", "$2,400 to $4,800", "promises a hit"):
        assert shown in section
    assert f"{MINUS}$1,431" in section


def test_reasoning_that_no_log_of_claude_tells_is_not_zero(read: Outline) -> None:
    assert "usage.codex.reasoning_tokens" in {address for address, _ in read.figures}
    assert "usage.claude.reasoning_tokens" not in {address for address, _ in read.figures}
    told = outline(changed(usage__claude__reasoning_tokens=1_500_000))
    assert ("usage.claude.reasoning_tokens", "1.5M") in told.figures


def test_more_far_days_than_are_shown_are_told_to_be_the_highest() -> None:
    page = reference_page()
    anomalies = page["anomalies"]
    assert isinstance(anomalies, dict)
    [day, *_] = anomalies["agent_days"]
    assert "The five highest" not in outline(page).words
    anomalies["agent_days"] = [{**day, "date": f"2026-06-{place:02}"} for place in range(1, 7)]
    assert "The five highest" in outline(page).words


def test_days_without_a_transcript_are_missing_and_not_quiet() -> None:
    missing = changed(anomalies__missing_days=[{"date": "2026-06-01"}, {"date": "2026-06-02"}])
    words = outline(missing).words
    assert (
        "Days are missing: transcripts cover 30 of 30." in words
        and "1 Jun, 2 Jun: unknown, not idle" in words
    )
    assert "Missing days" not in outline(reference_page()).words


def test_a_hot_week_is_held_against_what_chance_alone_gives() -> None:
    assert "1.2 on average and 1.4 in one case of twenty" in outline(reference_page()).words
    usual = changed(anomalies__hot_week__verdict="within_chance")
    assert "no hotter than chance makes it" in outline(usual).words


def test_output_that_may_grow_is_a_lower_bound_here_too() -> None:
    assert "≥65.7M" in outline(reference_page()).words
    assert "≥65.7M" not in outline(changed(usage__claude__output_final_share=1.0)).words


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_harmless_in_the_evidence(name: str) -> None:
    page = changed(
        eligible__agents__0__agent=name, eligible__agents__0__display_name=name,
        anomalies__agent_days__0__display_name=name, models__0__model=name,
        costs__replay__targets__0__name=name, costs__replay__assumptions__0__because=name,
    )  # fmt: skip
    read = outline(page)
    assert read.faults == []
    assert not {tag for tag, _ in read.elements} & {"script", "img"}
    assert not [key for _, a in read.elements for key in a if key.startswith("on")]
