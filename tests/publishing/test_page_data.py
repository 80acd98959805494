import json
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fleet_pipeline import catalog, costing, past_weeks, quality, ranking, tables, worktypes
from fleet_pipeline.catalog import endpoints
from fleet_pipeline.catalog.readings import FREE_APIS, QUOTAS
from fleet_pipeline.costing import cost_scenarios, subscription_value
from fleet_pipeline.headroom import exchange_rates, headroom
from fleet_pipeline.home import Home
from fleet_pipeline.ledger.columns import USAGE
from fleet_pipeline.org import Org, load
from fleet_pipeline.pricing import EMBEDDED, find, prices_table
from fleet_pipeline.pricing.observations import SCHEMA
from fleet_pipeline.probes import results
from fleet_pipeline.publishing.page_data import CheckOutcome, build_page
from fleet_pipeline.weeks import opening

from .work_tables import work_tables

ROOT = Path(__file__).parents[2]
AS_OF = date(2026, 6, 17)
START = AS_OF - timedelta(days=30)
TOKENS = (
    "input_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_read_tokens",
    "output_tokens",
    "reasoning_tokens",
)
MIRAGE = ("input", "cache_write", "cache_read", "output")

METADATA = {
    name: USAGE[name]
    for name in ("agent_id", "turn_id", "entrypoint", "asked_by", "prompt_source",
                 "subagent_depth", "tools", "command_heads")
}  # fmt: skip

Json = dict[str, Any]  # what json.loads gives
Row = dict[str, Any]


def ledger(*rows: Row) -> pl.DataFrame:
    """Ledger rows; `day` counts from the window's start, `agent` becomes the folder."""
    columns = {
        "client": "claude",
        "session_id": "session",
        "host": "laptop",
        "model": "claude-sonnet-4-6",
        "cwd": None,
        **dict.fromkeys(("agent_type", "effort", "stop_reason", *METADATA)),
    }
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        **dict.fromkeys(columns, pl.String),
        **METADATA,
        "ts": pl.Datetime("us", "UTC"),
        "is_subagent": pl.Boolean,
        "output_is_final": pl.Boolean,
        **dict.fromkeys([*TOKENS, "web_search_requests"], pl.Int64),
    }
    filled = [
        {
            **columns,
            "ts": datetime(2026, 5, 18, 12, tzinfo=UTC) + timedelta(days=row.get("day", 0)),
            "is_subagent": False,
            "output_is_final": True,
            **dict.fromkeys([*TOKENS, "web_search_requests"], 0),
            "cwd": row.get("agent"),
            **{name: value for name, value in row.items() if name not in {"day", "agent"}},
        }
        for row in rows
    ]
    return pl.DataFrame(filled, schema=schema)


def a_month() -> list[Row]:
    """Thirty days of Forge and of unattributed work on Claude, one day of Codex."""
    forge = {"agent": "forge", "input_tokens": 20_000, "cache_read_tokens": 970_000}
    other = {"model": "glm-4.7", "cache_write_1h_tokens": 10_000, "output_tokens": 2_000}
    codex = {"client": "codex", "model": "gpt-5.5", "effort": "high", "input_tokens": 500}
    daily = [{**row, "day": day} for day in range(30) for row in (forge, other)]
    return [*daily, {**codex, "day": 3}]


@pytest.fixture(scope="module")
def org() -> Org:
    return load(ROOT / "orgs" / "riles-fleet")


def weekly_tables(org: Org, usage: pl.DataFrame) -> dict[str, pl.DataFrame]:
    window = {"window_start": START, "window_end": AS_OF}
    agents = pl.DataFrame(
        [(agent.name, agent.display_name, agent.target_share) for agent in org.agents],
        schema=["agent", "display_name", "target_share"],
        orient="row",
    )
    rows = tables.run(
        "requests",
        parameters=window,
        usage=usage,
        agents_by_cwd=agents.select(pl.col("agent").alias("cwd"), "agent"),
    )
    made = {"requests": rows}
    for name in ("usage_totals", "daily_usage", "context_profile", "model_mix"):
        made[name] = tables.run(name, requests=rows)
    made["agent_usage"] = tables.run("agent_usage", requests=rows, agents=agents)
    made["target_proxy"] = tables.run(
        "target_proxy", agent_usage=made["agent_usage"], agents=agents
    )
    made["window_coverage"] = tables.run("window_coverage", parameters=window, requests=rows)
    made["context_curve"] = tables.run("context_curve", requests=rows)
    made["headroom"] = headroom(quota(), requests=rows, as_of=AS_OF)
    listed = [(model.price_provider, model.price_model) for model in org.models]
    made["prices"] = prices_table(listed, AS_OF)
    made["cost_scenarios"] = cost_scenarios(
        rows,
        price=find(org.reference.price_provider, org.reference.price_model, AS_OF),
        shares={scenario.name: scenario.share for scenario in org.scenarios},
        window_start=START,
        window_end=AS_OF,
    )
    made["subscription_value"] = subscription_value(rows)
    policy = costing.policy_of(org)
    marked = worktypes.marked(rows, worktypes.turns(rows, org))
    made["context_fit"] = costing.context_fit(marked, org)
    for table in (costing.cost_corners, costing.break_even):
        made[table.__name__] = table(marked, policy, window_start=START, window_end=AS_OF)
    replayed = costing.replay(marked, policy, window_start=START, window_end=AS_OF)
    made |= replayed._asdict()
    made["subscription_room"] = costing.subscription_room(
        marked,
        policy,
        headroom=made["headroom"],
        exchange_rates=exchange_rates(quota(), requests=rows, as_of=AS_OF),
        window_start=START,
    )
    before, after = (known(day) for day in (opening(AS_OF), AS_OF))
    made["price_sources"] = catalog.price_sources(after.observations, after.book, AS_OF)
    made["model_catalog"] = catalog.model_catalog(
        org, after.observations, pl.DataFrame(schema=endpoints.SCHEMA), AS_OF
    )
    made["free_quotas"] = catalog.free_quotas(org, AS_OF, pl.DataFrame(schema=QUOTAS))
    models = [model.id for model in org.models]
    made["probe_results"] = pl.DataFrame(schema=results.SCHEMA)
    made["quality_observations"] = ranking.quality_observations(models, AS_OF)
    made["model_ranking"] = ranking.model_ranking(
        models,
        made["probe_results"],
        made["quality_observations"],
        AS_OF,
        costing.cost_at_own_mix(rows, org, window_start=START, window_end=AS_OF),
    )
    made["rank_history"] = ranking.rank_history(
        models, made["probe_results"], made["quality_observations"], past_weeks.closes(AS_OF)
    )
    made["changes"] = catalog.changes(org, before, after, made["model_ranking"])
    nowhere = Home(Path("/nonexistent"))
    return made | work_tables(org, made, quota(), nowhere, AS_OF)


def known(close: date) -> catalog.Known:
    """What is known by a close where no feed was ever heard."""
    nothing = pl.DataFrame(schema=SCHEMA), pl.DataFrame(schema=FREE_APIS)
    return catalog.Known(close, EMBEDDED, *nothing)


def quota() -> pl.DataFrame:
    read_at = datetime(2026, 6, 16, 23, 19, tzinfo=UTC)
    row = (
        "codex",
        "laptop",
        read_at,
        "codex",
        None,
        300,
        28.0,
        datetime(2026, 6, 17, 2, tzinfo=UTC),
        "pro",
    )
    return pl.DataFrame(
        [row],
        schema={
            "client": pl.String,
            "host": pl.String,
            "ts": pl.Datetime("us", "UTC"),
            "limit_id": pl.String,
            "limit_name": pl.String,
            "window_minutes": pl.Int64,
            "used_percent": pl.Float64,
            "resets_at": pl.Datetime("us", "UTC"),
            "plan_type": pl.String,
        },
        orient="row",
    )


CHECKS: list[CheckOutcome] = [
    quality.Outcome(name, severity, passed, says).record()
    for name, severity, passed, says in (
        ("totals_agree", "error", True, "they do"),
        ("few_unattributed", "warn", False, "3.1%, limit 3.0%"),
        ("headroom_read", "error", False, "never"),
    )
]


def page(org: Org, *rows: Row) -> Json:
    return page_of(org, weekly_tables(org, ledger(*rows)))


def page_of(org: Org, made: Mapping[str, pl.DataFrame]) -> Json:
    sources = {
        "files": 2,
        "hosts": [{"host": "laptop", "last_ts": datetime(2026, 6, 16, tzinfo=UTC)}],
    }
    built = build_page(org, AS_OF, made, sources, CHECKS)
    read: Json = json.loads(json.dumps(built, allow_nan=False))
    assert read == built  # nothing in it is anything but JSON
    return read


@pytest.fixture(scope="module")
def made(org: Org) -> dict[str, pl.DataFrame]:
    """The weekly tables of a month, which no test changes."""
    return weekly_tables(org, ledger(*a_month()))


@pytest.fixture(scope="module")
def month(org: Org, made: dict[str, pl.DataFrame]) -> Json:
    return page_of(org, made)


def items(found: object) -> list[Json]:
    assert isinstance(found, list)
    return found


def named(found: object, **key: object) -> Json:
    matches = [item for item in items(found) if key.items() <= item.items()]
    assert len(matches) == 1
    return matches[0]


def test_the_page_says_what_it_is_of(month: Json) -> None:
    assert (month["schema_version"], month["org"]) == (1, "riles-fleet")
    assert (month["as_of"], month["week"]) == ("2026-06-17", "2026-W25")
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert month["generator"] == {"name": "fleet_pipeline", "version": version}
    assert month["window"] == {
        "start": "2026-05-18",
        "end": "2026-06-17",
        "days": 30,
        "days_covered": 30,
        "first_day": "2026-05-18",
        "last_day": "2026-06-16",
        "monthly_factor": 1.0,
    }


def test_usage_is_each_clients_own(month: Json) -> None:
    claude, codex = (month["usage"][client] for client in ("claude", "codex"))
    assert (claude["requests"], claude["full_input_tokens"]) == (60, 30_000_000)
    assert claude["cache_read_share"] == 0.97
    assert claude["context_p99"] == 990_000
    assert (codex["requests"], codex["full_input_tokens"]) == (1, 500)


def test_agents_add_up_to_claudes_usage_with_unattributed_last(month: Json) -> None:
    agents, claude = items(month["agents"]), month["usage"]["claude"]
    assert agents[-1]["agent"] == "unattributed"
    assert len(agents) == 10
    for column in ("requests", "full_input_tokens", "input_tokens", "output_tokens"):
        assert sum(agent[column] for agent in agents) == claude[column]
    forge = named(agents, agent="forge")
    assert (forge["display_name"], forge["target_share"]) == ("Forge", 0.55)
    assert forge["target_tokens"] == round(29_700_000 * 0.55)


def test_the_target_is_the_agents_targets_over_claudes_input(month: Json) -> None:
    assert month["target"] == {"tokens": 16_335_000, "share": 16_335_000 / 30_000_000}


def test_every_covered_day_has_a_row_for_each_client_in_use(month: Json) -> None:
    daily = items(month["daily"])
    assert len(daily) == 60
    assert named(daily, date="2026-05-21", client="codex")["full_input_tokens"] == 500
    assert named(daily, date="2026-05-22", client="codex")["requests"] == 0


def test_headroom_is_a_reading_or_nothing(month: Json) -> None:
    rows = items(month["headroom"])
    assert named(rows, limit_id="codex", window_minutes=300) == {
        "client": "codex",
        "limit": "Codex",
        "limit_id": "codex",
        "window_minutes": 300,
        "remaining_share": 0.72,
        "used_percent": 28.0,
        "read_at": "2026-06-16T23:19:00Z",
        "resets_at": "2026-06-17T02:00:00Z",
        "age_minutes": 41,
        "status": "fresh",
        "burn_from": "2026-06-16T23:19:00Z",
        "burn_percent_per_hour": None,
        "minutes_to_empty": None,
        "outlook": "unknown",
    }
    assert [row["remaining_share"] for row in rows] == [0.72, None, None, None, None, None]


def test_costs_follow_from_the_figures_beside_them(month: Json) -> None:
    costs = month["costs"]
    assert (costs["basis"], costs["hit_rate"]) == ("month", 0.97)
    assert costs["reference_model_name"] == "GLM 5.2"
    for scenario in items(costs["scenarios"]):
        full, output = (scenario[k] for k in ("full_input_tokens", "output_tokens"))
        assert scenario["cost_usd_micros"] == pytest.approx(full * 1.4 + output * 4.4, abs=1)
        cached = full * (0.97 * 0.26 + 0.03 * 1.4) + output * 4.4
        assert scenario["cached_cost_usd_micros"] == pytest.approx(cached, rel=1e-6)


def test_the_mirage_is_the_expected_scenario_by_class(month: Json) -> None:
    costs, mirage = month["costs"], items(month["costs"]["mirage"])
    expected = named(costs["scenarios"], name="expected")
    assert [row["class"] for row in mirage] == ["input", "cache_write", "cache_read", "output"]
    for part, whole in (
        ("no_cache_usd_micros", "cost_usd_micros"),
        ("cached_usd_micros", "cached_cost_usd_micros"),
    ):
        assert sum(row[part] for row in mirage) == expected[whole]
    assert sum(row["share"] for row in mirage) == pytest.approx(1)


def test_the_naive_estimate_is_two_of_the_four_parts(month: Json) -> None:
    costs = month["costs"]
    parts = {str(row["class"]): row["no_cache_usd_micros"] for row in items(costs["mirage"])}
    assert costs["naive_usd_micros"] == parts["input"] + parts["output"]
    assert costs["naive"] == {
        "share": 0.1826,
        "cost_usd_micros": costs["naive_usd_micros"],
        "input_tokens": 109_560,
        "output_tokens": 10_956,
    }


def test_a_steady_months_hot_week_is_no_hotter(month: Json) -> None:
    hot = month["costs"]["hot_week"]
    assert (hot["start"], hot["end"]) == ("2026-05-18", "2026-05-25")
    assert (hot["multiplier"], hot["full_input_tokens_per_month"]) == (1.0, 30_000_000)
    assert [row["name"] for row in items(hot["scenarios"])] == ["low", "expected", "high"]


def test_what_claude_is_worth_names_the_models_it_cannot_price(month: Json) -> None:
    value = month["costs"]["subscription"]
    assert value["api_equivalent_usd_micros"] == 30 * (20_000 * 3 + 970_000 * 3 // 10)
    assert value["priced_share"] == 29_700_000 / 30_000_000
    assert value["unpriced_models"] == ["glm-4.7"]
    assert named(value["by_model"], model="glm-4.7")["cost_usd_micros"] is None


def test_the_ranking_is_the_orgs_order_and_the_badges_are_prices(month: Json) -> None:
    ranking = items(month["ranking"])
    assert [(row["rank"], row["model"], row["cost_badge"]) for row in ranking] == [
        (1, "z-ai/glm-5.2", "$1.40/$4.40 per M"),
        (2, "qwen/qwen3.7-plus", "$0.40/$1.60 per M"),
        (3, "moonshotai/kimi-k2.7-code", "$0.75/$3.50 per M"),
        (4, "nvidia/nemotron-3-ultra", "free"),
        (5, "google/gemma-4-31b", "free"),
        (6, "cohere/north-mini-code", "free"),
        (7, "google/gemini-3.1-flash-lite", "$0.25/$1.50 per M"),
        (8, "anthropic/claude-haiku-4.5", "$1.00/$5.00 per M"),
    ]


def test_a_model_without_a_price_is_ranked_all_the_same(
    org: Org, made: dict[str, pl.DataFrame]
) -> None:
    built = page_of(org, made | {"prices": prices_table([], AS_OF)})
    assert {row["cost_badge"] for row in items(built["ranking"])} == {"n/a"}
    assert built["costs"]["price"]["input_usd_per_mtok"] is None


def test_a_zero_price_is_held_back_unless_the_org_calls_the_model_free(org: Org) -> None:
    paid = [model.model_copy(update={"free": False}) for model in org.models]
    built = page(org.model_copy(update={"models": tuple(paid)}), *a_month())
    gemma = named(built["ranking"], model="google/gemma-4-31b")
    assert (gemma["cost_badge"], gemma["price"]) == ("n/a", None)


def test_the_operators_words_and_rows_arrive_unchanged(org: Org, month: Json) -> None:
    assert len(items(month["routing_matrix"])) == len(org.routing_matrix) == 18
    assert items(month["routing_matrix"])[0]["display_name"] == "Sage"
    assert [row["provider"] for row in items(month["free_api_catalog"])] == [
        api.provider for api in org.free_apis
    ]
    assert month["principles"]["center_line"] == org.principles.center_line
    assert month["hard_rules"] == list(org.hard_rules)
    assert [row["role"] for row in items(month["backbone"])] == [r.role for r in org.backbone]
    assert len(items(month["execution_routing"])) == len(org.execution_routing)


def test_a_warning_is_no_failure(month: Json) -> None:
    checks = month["checks"]
    assert [checks[key] for key in ("passed", "failed", "warned")] == [1, 1, 1]
    assert [row["name"] for row in items(checks["results"])] == sorted(c["name"] for c in CHECKS)


def test_sources_are_the_stores_own_words(month: Json) -> None:
    hosts = [{"host": "laptop", "last_ts": "2026-06-16T00:00:00Z"}]
    assert month["sources"] == {"files": 2, "hosts": hosts}


def test_only_a_page_of_the_synthetic_fleet_alone_calls_itself_a_demo(
    org: Org, made: dict[str, pl.DataFrame]
) -> None:
    of_laptop = made["requests"]
    of_demo = of_laptop.with_columns(host=pl.lit("demo"))
    both = pl.concat([of_demo, of_laptop])
    told = [page_of(org, made | {"requests": each})["demo"] for each in (of_demo, both)]
    assert told == [True, False]
    assert page_of(org, made | {"requests": of_laptop.clear()})["demo"] is False


def test_few_days_are_not_stretched_to_a_month(org: Org) -> None:
    built = page(org, *({"day": day, "input_tokens": 1_000} for day in range(10)))
    assert built["window"]["monthly_factor"] is None
    assert built["costs"]["basis"] == "covered_days"
    assert built["costs"]["hot_week"] is None
    expected = named(built["costs"]["scenarios"], name="expected")
    assert expected["full_input_tokens"] == 1_826


@pytest.mark.parametrize("client", ["claude", "codex", None])
def test_a_fleet_that_used_one_client_or_none_still_has_a_page(
    org: Org, client: str | None
) -> None:
    rows = [{"client": client, "input_tokens": 100}] if client else []
    built = page(org, *rows)
    uses_claude = client == "claude"
    assert (built["target"]["share"] is None) is not uses_claude
    assert (built["costs"]["hit_rate"] is None) is not uses_claude
    assert built["costs"]["naive_usd_micros"] == (25 if uses_claude else 0)
    assert len(items(built["agents"])) == 10


def test_the_same_week_gives_the_same_page(org: Org, month: Json) -> None:
    again = page(org, *reversed(a_month()))
    assert json.dumps(again) == json.dumps(month)


def test_the_corners_hold_the_scenarios_own_amounts_each_with_its_formula(month: Json) -> None:
    costs = month["costs"]
    expected = named(costs["scenarios"], name="expected")
    corners = {row["name"]: row for row in items(costs["corners"])}
    assert list(corners) == [
        "naive", "no_cache", "listed_cache_price",
        "packets_4000", "packets_8000", "packets_16000", "packets_32000",
    ]  # fmt: skip
    assert corners["naive"]["cost_usd_micros"] == costs["naive_usd_micros"]
    assert corners["no_cache"]["cost_usd_micros"] == expected["cost_usd_micros"]
    cached = corners["listed_cache_price"]["cost_usd_micros"]
    assert cached == expected["cached_cost_usd_micros"]
    assert all(row["formula"] for row in corners.values())


def test_packets_are_the_share_of_requests_each_as_one_prompt(month: Json) -> None:
    packet = named(month["costs"]["packets"], packet_tokens=8_000)
    calls = 60 * 0.1826
    assert packet["requests"] == round(calls)
    assert packet["cost_usd_micros"] == pytest.approx(
        calls * 8_000 * 1.4 + 60_000 * 0.1826 * 4.4, rel=1e-3
    )
    assert packet["verify_cost_usd_micros"] > 0


def test_elsewhere_every_candidate_has_its_classes_in_dollars(month: Json) -> None:
    for row in items(month["costs"]["elsewhere"]):
        for corner in ("no_cache", "listed_cache_price"):
            classes = [row[f"{name}_{corner}_usd_micros"] for name in MIRAGE]
            if row[f"{corner}_usd_micros"] is not None:
                assert sum(classes) == row[f"{corner}_usd_micros"]
    assert len(items(month["costs"]["elsewhere"])) == 8


def test_the_break_even_rate_is_where_moving_costs_as_much_as_staying(month: Json) -> None:
    costs = month["costs"]
    rate, corners = costs["break_even_hit_rate"], items(costs["corners"])
    none = named(corners, name="no_cache")["cost_usd_micros"]
    every = named(corners, name="listed_cache_price")["cost_usd_micros"]
    assert none - rate * (none - every) == pytest.approx(costs["stay"]["cost_usd_micros"], rel=1e-6)


def test_the_replay_brings_its_assumptions_its_reasons_and_its_routes(
    month: Json, org: Org
) -> None:
    replay = month["costs"]["replay"]
    assert replay["share"] == 0.1826
    for target in items(replay["targets"]):
        expected = named(target["cases"], name="expected")
        for cut in ("agent", "kind"):
            part = [row for row in items(target["cuts"]) if row["cut"] == cut]
            assert sum(row["requests"] for row in part) == expected["requests"]
            assert sum(row["moved_requests"] for row in part) == expected["moved_requests"]
    assert all(row["because"] for row in items(replay["assumptions"]))
    assert len(items(replay["targets"])) == len(org.models)
    for target in items(replay["targets"]):
        assert [case["name"] for case in items(target["cases"])] == ["low", "expected", "high"]
        routes = {row["route"]: row["requests"] for row in items(target["routes"])}
        assert sum(routes.values()) == month["usage"]["claude"]["requests"]


def test_an_organisation_that_assumes_nothing_has_no_corners_and_no_replay(org: Org) -> None:
    built = page(org.model_copy(update={"replay": None}), *a_month())
    costs = built["costs"]
    assert (costs["replay"], costs["corners"], costs["packets"]) == (None, [], [])
    assert (costs["break_even_hit_rate"], costs["stay"]["model"]) == (None, None)
    assert items(built["context_fit"])[0]["requests_share"] == 1.0


def test_what_fits_is_a_share_or_unknown(month: Json) -> None:
    fits = items(month["context_fit"])
    haiku = named(fits, model="anthropic/claude-haiku-4.5")
    assert (haiku["requests_share"], haiku["full_input_tokens_share"]) == (0.5, 0.01)
    assert haiku["turns_share"] == 0.5


def test_a_candidate_wears_what_the_lists_say_of_it(
    org: Org, made: dict[str, pl.DataFrame]
) -> None:
    is_glm = pl.col("model") == "z-ai/glm-5.2"
    changed = made["model_catalog"].with_columns(
        status=pl.when(is_glm).then(pl.lit("gone")).otherwise("status"),
        accepts_schema=pl.when(is_glm).then(False),
        retires_on=pl.when(is_glm).then(date(2026, 7, 1)),
        endpoints=pl.when(is_glm).then(2),
        endpoints_up=pl.when(is_glm).then(0),
    )
    built = page_of(org, made | {"model_catalog": changed})
    glm = named(built["ranking"], model="z-ai/glm-5.2")
    assert glm["badges"] == ["no longer listed", "no endpoint up", "schema by prompt only"]
    assert glm["retires_on"] == "2026-07-01"
    assert named(built["ranking"], model="qwen/qwen3.7-plus")["badges"] == []
    assert named(built["model_catalog"], model="z-ai/glm-5.2")["status"] == "gone"


def test_prices_that_are_too_old_are_on_the_page_without_a_ranking(
    org: Org, made: dict[str, pl.DataFrame]
) -> None:
    old = {"source": "openrouter", "age_days": 15, "models": 3, "held": 0, "age": "too old"}
    rows = pl.DataFrame([{**old, "last_good": datetime(2026, 6, 2, tzinfo=UTC)}])
    moved = pl.DataFrame([{"kind": kind, "subject": "m"} for kind in ("place", "quota")])
    sources = pl.concat([made["price_sources"], rows], how="diagonal_relaxed")
    changes = pl.concat([made["changes"], moved], how="diagonal_relaxed")
    built = page_of(org, made | {"price_sources": sources, "changes": changes})
    assert built["ranking"] == []
    assert [change["kind"] for change in items(built["changes"])] == ["quota"]
    assert built["prices"]["ranking_withheld"] == "the newest prices are 15 days old"
    assert named(built["prices"]["sources"], source="openrouter")["age_days"] == 15
