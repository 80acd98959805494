"""The example fleet: the policy of the hand-made page of 2026-06-18, as data."""

from collections import Counter
from pathlib import Path

from fleet_pipeline.org import Publication, load

ORG = load(Path(__file__).parents[2] / "orgs" / "riles-fleet")


def test_the_fleet_is_named_and_owned() -> None:
    assert (ORG.name, ORG.owner, ORG.sources) == ("riles-fleet", "Analyst", ())


def test_the_ranking_is_copied_to_the_file_that_the_fleets_agents_read() -> None:
    assert ORG.publish_to == (Publication(ranking="shared/cheap-model-offload-ranking.md"),)
    copy = ORG.path(str(ORG.publish_to[0].ranking))
    assert copy == ORG.folder / "shared" / "cheap-model-offload-ranking.md"


def test_nine_agents_have_the_pages_target_shares() -> None:
    assert {agent.display_name: agent.target_share for agent in ORG.agents} == {
        "Sage": 0.08,
        "Forge": 0.55,
        "Scribe": 0.20,
        "Apollo": 0.25,
        "Mercury": 0.45,
        "Analyst": 0.50,
        "Librarian": 0.45,
        "Hippocrates": 0.20,
        "Felix": 0.25,
    }


def test_only_hippocrates_may_touch_patient_data() -> None:
    assert [agent.name for agent in ORG.agents if agent.privacy == "phi"] == ["hippocrates"]


def test_the_matrix_has_two_rows_for_each_agent() -> None:
    rows = Counter(row.agent for row in ORG.routing_matrix)
    assert rows == {agent.name: 2 for agent in ORG.agents}


def test_what_leaves_claude_goes_to_codex_spark_or_free_apis() -> None:
    moved = {
        (row.agent, row.driver, row.effort, row.now, row.target)
        for row in ORG.routing_matrix
        if not row.driver.startswith("Sonnet")
    }
    assert moved == {
        ("sage", "Codex-5.5 / Spark-5.3", "Low/medium", "Sonnet execution", "Codex/Spark"),
        ("apollo", "Codex-5.5", "Medium", "Sonnet workers", "Codex workers"),
        (
            "scribe",
            "Spark-5.3 / free API; Codex for files",
            "Low",
            "Sonnet drafting",
            "Spark/free/Codex",
        ),
        ("forge", "Codex-5.5", "Medium/high", "Claude Code", "Codex majority"),
        ("mercury", "Codex-5.5", "Medium", "Sonnet", "Codex patches"),
        ("analyst", "Codex-5.5", "Medium", "Sonnet-heavy", "Codex execution"),
        (
            "librarian",
            "Spark-5.3 / free API / Codex-5.5",
            "Low/medium",
            "Sonnet",
            "Spark/free/Codex",
        ),
        ("hippocrates", "Codex-5.5", "Medium", "Sonnet", "Codex checks"),
        ("felix", "Spark-5.3 / Codex-5.5", "Low", "Sonnet", "Spark/Codex where bounded"),
    }


def test_four_roles_carry_the_fleet() -> None:
    assert [role.model for role in ORG.backbone] == ["Sonnet", "Opus", "Codex", "Spark"]


def test_frontier_orchestration_is_the_last_of_seven_kinds_of_work() -> None:
    assert len(ORG.execution_routing) == 7
    assert ORG.execution_routing[-1].default_route == "Claude Opus/Sonnet only"


def test_eight_free_apis_come_with_their_rules() -> None:
    assert len(ORG.free_apis) == 8
    assert "retry once" in ORG.operating_rule
    assert [("PHI" in rule, "verified" in rule) for rule in ORG.hard_rules] == [
        (True, False),
        (False, True),
    ]


def test_candidates_stand_in_the_pages_order_under_the_ids_that_are_priced() -> None:
    assert [(model.id, model.price_model, model.free) for model in ORG.models] == [
        ("z-ai/glm-5.2", "z-ai/glm-5.2", False),
        ("qwen/qwen3.7-plus", "qwen/qwen3.7-plus", False),
        ("moonshotai/kimi-k2.7-code", "moonshotai/kimi-k2.7-code", False),
        ("nvidia/nemotron-3-ultra", "nvidia/nemotron-3-ultra-550b-a55b:free", True),
        ("google/gemma-4-31b", "google/gemma-4-31b-it:free", True),
        ("cohere/north-mini-code", "cohere/north-mini-code:free", True),
        ("google/gemini-3.1-flash-lite", "google/gemini-3.1-flash-lite", False),
        ("anthropic/claude-haiku-4.5", "anthropic/claude-haiku-4.5", False),
    ]
    assert {model.price_provider for model in ORG.models} == {"openrouter"}


def test_costs_are_computed_on_glm() -> None:
    assert ORG.reference.name == "GLM 5.2"


def test_a_candidate_is_found_by_the_names_that_people_use() -> None:
    for name in ("GLM", "glm", "z-ai/glm-5.2"):
        assert ORG.model_called(name) is ORG.reference
    assert ORG.model_called("glm-5") is None


def test_the_scenarios_reproduce_the_five_amounts_of_the_page() -> None:
    # Millions of tokens in 30 days (the page; output: facts reconciled from it) and GLM's price.
    full_input, fresh_input, output, input_price, output_price = 27_899, 20.5, 65.7, 1.40, 4.40
    whole = full_input * input_price + output * output_price
    assert [round(scenario.share * whole) for scenario in ORG.scenarios] == [3_593, 7_185, 10_679]
    assert [scenario.name for scenario in ORG.scenarios] == ["low", "expected", "high"]
    naive = ORG.scenarios[1].share * (fresh_input * input_price + output * output_price)
    assert round(naive) == 58
