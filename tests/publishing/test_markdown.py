"""The living Markdown ranking."""

import hashlib
import re

import pytest
import yaml

from fleet_pipeline.publishing.figures import canonical_bytes
from fleet_pipeline.publishing.markdown import render_ranking

from .reference_page import changed, reference_page
from .test_page import HOSTILE


def rows(markdown: str, anchor: str) -> list[list[str]]:
    """Return the cells of a section's table without its header."""
    section = markdown[markdown.index(f'<a id="{anchor}"></a>') :].split("\n## ")[1]
    lines = [line for line in section.split("\n") if line.startswith("|")]
    return [re.split(r"(?<!\\)(?:\\\\)*\|", line)[1:-1] for line in lines[2:]]


def test_the_front_matter_says_what_it_is_of_and_pins_the_data() -> None:
    page = reference_page()
    _, front, _ = render_ranking(page).split("---\n", 2)
    assert yaml.safe_load(front) == {
        "schema_version": 1,
        "as_of": "2026-06-17",
        "window_start": "2026-05-18",
        "window_end": "2026-06-17",
        "generator": "fleet_pipeline",
        "generator_version": "0.1.0",
        "data_sha256": hashlib.sha256(canonical_bytes(page)).hexdigest(),
        "demo": False,
        "price_snapshot": None,
        "price_source": page["costs"]["price"]["source"],
        "price_age_days": 1,
        "checks_passed": 30,
        "checks_failed": 0,
        "checks_warned": 1,
    }


def test_the_first_line_after_it_tells_not_to_edit() -> None:
    body = render_ranking(reference_page()).split("---\n", 2)[2]
    assert body.split("\n")[2].startswith("Generated; do not edit")


def test_every_table_is_there_one_row_per_line() -> None:
    markdown = render_ranking(reference_page())
    assert [len(rows(markdown, anchor)) for anchor in (
        "ranking", "routing-matrix", "execution-routing", "free-api-catalog", "costs", "headroom",
    )] == [8, 18, 7, 8, 7, 4]  # fmt: skip
    assert '| 1 | <a id="model-z-ai-glm-5-2"></a>`z-ai/glm-5.2` | GLM 5.2 |' in markdown
    assert "| Whole window | expected | 18.26% | $7,185 | $1,528 |" in markdown
    assert "| Codex | 5 hours | 72% | 41 min | fresh |" in markdown
    assert "  |" not in markdown


def test_an_anchor_survives_a_change_of_rank() -> None:
    page = reference_page()
    ranking = page["ranking"]
    assert isinstance(ranking, list)
    ranking.reverse()
    anchors = re.findall(r'id="(model-[^"]+)"', render_ranking(page))
    assert sorted(anchors) == sorted(
        re.findall(r'id="(model-[^"]+)"', render_ranking(reference_page()))
    )


def test_a_changed_cell_changes_one_line_and_the_hash() -> None:
    before = render_ranking(reference_page()).split("\n")
    after = render_ranking(changed(ranking__3__route="Another route")).split("\n")
    different = [new for old, new in zip(before, after, strict=True) if old != new]
    assert len(different) == 3
    assert different[0].startswith("data_sha256")
    assert different[1].startswith("<!-- fleet:begin ranking")


def test_an_unchanged_week_changes_only_the_front_matter() -> None:
    page = reference_page()
    window = page["window"]
    assert isinstance(window, dict)
    later = {**page, "as_of": "2026-06-24", "week": "2026-W26",
             "window": {**window, "start": "2026-05-25", "end": "2026-06-24"}}  # fmt: skip
    before, after = (render_ranking(each).split("---\n", 2) for each in (page, later))
    assert before[1] != after[1]
    assert before[2] == after[2]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_breaks_neither_table_nor_page(name: str) -> None:
    markdown = render_ranking(
        changed(
            ranking__2__model=name, ranking__2__name=name, ranking__2__route=name * 40,
            routing_matrix__6__display_name=name, routing_matrix__6__task_type=name,
            free_api_catalog__0__provider=name, operating_rule=name, hard_rules=[name],
            headroom__0__limit=name, costs__reference_model_name=name,
            execution_routing__0__work_type=name,
        )
    )  # fmt: skip
    ours = r'<a id="[a-z0-9-]+"></a>|<!-- fleet:(begin|end) [a-z-]+( sha256=[0-9a-f]{64})? -->'
    assert re.sub(ours, "", markdown).count("<") == 0
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029]", markdown)
    assert not re.search(r"(?<!\\)\]\(", markdown)
    for anchor, columns in (("ranking", 7), ("routing-matrix", 7), ("headroom", 5)):
        assert {len(row) for row in rows(markdown, anchor)} == {columns}
    longest = max(len(cell) for row in rows(markdown, "ranking") for cell in row)
    assert longest < 120 * 5


def test_two_ids_with_one_slug_get_anchors_of_their_own() -> None:
    page = changed(ranking__1__model="z-ai/glm-5-2")
    anchors = re.findall(r'id="(model-z-ai-glm-5-2[^"]*)"', render_ranking(page))
    assert len(set(anchors)) == 2


def test_unknown_headroom_is_unknown_and_a_stale_reading_keeps_its_age() -> None:
    stale = changed(headroom__0__remaining_share=None, headroom__0__status="stale")
    assert "| Codex | 5 hours | unknown | 41 min | stale |" in render_ranking(stale)
    never = changed(
        headroom__0__remaining_share=None, headroom__0__status="unknown",
        headroom__0__age_minutes=None,
    )  # fmt: skip
    assert "| Codex | 5 hours | unknown | n/a | unknown |" in render_ranking(never)


def test_empty_tables_say_so() -> None:
    markdown = render_ranking(changed(ranking=[], routing_matrix=[], headroom=[]))
    assert markdown.count("None configured.") == 2
    assert markdown.endswith("\n")
