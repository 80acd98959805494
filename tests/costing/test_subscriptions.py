"""Work that moves to a plan's own lanes: what fits, what it is worth, whether its windows hold."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fleet_pipeline.costing import context_fit, policy_of, subscription_room
from fleet_pipeline.costing.policy import Case, Policy, Target
from fleet_pipeline.costing.prefix_cache import PromptCache
from fleet_pipeline.costing.replay import Replay, replay
from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.org import load

Make = Callable[..., pl.DataFrame]

ORG = Path(__file__).parents[2] / "orgs" / "riles-fleet"
START, END = date(2026, 5, 18), date(2026, 6, 17)
M = 1_000_000
CODEX = Target(
    "codex", "Codex", "openai", "gpt-5.5", max_input_tokens=258_400, plan=True, limits=("codex",)
)
SPARK = Target(
    "spark", "Spark", "openai", "gpt-5.3-codex-spark", plan=True, limits=("codex_bengalfox",),
    kinds=frozenset({"packet"}),
)  # fmt: skip
GLM = Target("z-ai/glm-5.2", "GLM 5.2", "openrouter", "z-ai/glm-5.2")
POLICY = Policy(
    share=1,
    targets=(),
    cases=(Case("expected", 0, 1, 1, 0.5, 0.25, 1_000, 0),),
    stays_on=("anthropic", "claude-sonnet-4-6"),
    room=1,
    packet_tokens=(),
    private_agents=frozenset({"hippocrates"}),
    subscriptions=(CODEX,),
    agent_shares={"forge": 1.0, "sage": 0.0},
)


def tables(requests: pl.DataFrame, policy: Policy = POLICY) -> Replay:
    return replay(requests, policy, window_start=START, window_end=END, draws=50)


def replayed(requests: pl.DataFrame, policy: Policy = POLICY) -> dict[str, Any]:
    return tables(requests, policy).offload_replay.row(0, named=True)


def to(lane: Target, **changes: Any) -> Policy:
    return replace(POLICY, subscriptions=(lane,), **changes)


def test_what_a_plan_pays_is_told_at_what_the_same_model_asks_over_an_api(requests: Make) -> None:
    row = replayed(requests({"input_tokens": 100_000, "output_tokens": 10_000}))
    assert (row["paid_by"], row["share"], row["moved_requests"]) == ("subscription", None, 1)
    assert row["target_cost_usd_micros"] == 100_000 * 5 + 10_000 * 30
    assert row["saving_usd_micros"] == row["stay_cost_usd_micros"] - row["cost_usd_micros"]


def test_a_lane_without_a_price_still_moves_work_and_its_cost_is_unknown_not_zero(
    requests: Make,
) -> None:
    one = requests({"kind": "packet", "input_tokens": 100_000, "output_tokens": 10_000})
    row = replayed(one, to(SPARK))
    assert (row["moved_requests"], row["unpriced_requests"]) == (1, 0)
    names = ("target", "retries")
    assert [row[f"{part}_cost_usd_micros"] for part in names] == [None, None]
    ends = ("cost_usd_micros", "saving_usd_micros", "cost_low_usd_micros", "cost_high_usd_micros")
    assert [row[name] for name in ends] == [None] * 4
    stay = 100_000 * 3 + 10_000 * 15
    assert row["stay_cost_usd_micros"] == stay
    assert row["escalated_cost_usd_micros"] == stay / 4
    assert row["verify_cost_usd_micros"] == 1_000 * 3
    cut = tables(one, to(SPARK)).replay_cuts.row(0, named=True)
    assert (cut["cost_usd_micros"], cut["stay_cost_usd_micros"]) == (None, stay)


def test_a_place_that_bills_tokens_takes_nothing_without_a_price(requests: Make) -> None:
    one = requests({"kind": "packet", "input_tokens": 100_000})
    billed = replace(SPARK, plan=False)
    row = replayed(one, replace(POLICY, targets=(billed,), subscriptions=()))
    assert (row["moved_requests"], row["unpriced_requests"]) == (0, 1)
    assert (row["cost_usd_micros"], row["stay_cost_usd_micros"]) == (None, None)


def test_each_agents_own_target_goes_to_a_plan_and_the_policys_share_to_an_api(
    requests: Make,
) -> None:
    both = requests(
        {"session_id": "f", "agent": "forge", "input_tokens": 9},
        {"session_id": "s", "agent": "sage", "input_tokens": 9},
        {"session_id": "x", "agent": "nobody", "input_tokens": 9},
    )
    table = tables(both, replace(POLICY, targets=(GLM,))).offload_replay
    assert table["model"].to_list() == ["z-ai/glm-5.2", "codex"]
    assert table["moved_requests"].to_list() == [3, 1]
    assert table["share"].to_list() == [1.0, None]
    cuts = tables(both).replay_cuts.filter(cut="agent", moved_requests=1)
    assert cuts["value"].to_list() == ["forge"]


def test_another_share_for_a_what_if_holds_for_a_plan_too(requests: Make) -> None:
    one = requests({"agent": "sage", "input_tokens": 9})
    assert replayed(one)["moved_requests"] == 0
    row = replayed(one, POLICY.narrowed(share=1.0))
    assert (row["moved_requests"], row["share"]) == (1, 1.0)


def test_one_lane_can_be_looked_at_alone_and_an_unknown_one_is_named(requests: Make) -> None:
    policy = replace(POLICY, targets=(GLM,), subscriptions=(CODEX, SPARK))
    assert policy.narrowed(model="Spark").everywhere == (SPARK,)
    assert policy.narrowed(model="z-ai/glm-5.2").everywhere == (GLM,)
    with pytest.raises(ConfigurationError, match=r"no candidate .*z-ai/glm-5.2, codex, spark"):
        policy.narrowed(model="sparkle")


def test_a_lane_takes_only_its_kinds_and_what_fits_its_prompt(requests: Make) -> None:
    work = requests(
        {"session_id": "a", "kind": "packet", "input_tokens": 100},
        {"session_id": "b", "kind": "review", "input_tokens": 100},
        {"session_id": "c", "kind": "packet", "input_tokens": 300_000},
    )
    lane = replace(SPARK, max_input_tokens=100_000)
    routes = tables(work, to(lane)).replay_routes
    counts = dict(routes.filter(pl.col("requests") > 0).select("route", "requests").iter_rows())
    assert counts == {"moved": 1, "not_movable": 1, "too_large": 1}
    assert routes["requests"].sum() == 3


def test_private_work_never_goes_to_a_plan_either(requests: Make) -> None:
    private = requests({"agent": "hippocrates", "input_tokens": 9})
    shares = {"hippocrates": 1.0}
    assert replayed(private, to(CODEX, agent_shares=shares))["moved_requests"] == 0


def test_the_example_fleets_lanes_stand_in_the_context_fit(requests: Make) -> None:
    sizes = (100_000, 100_001, 258_400, 258_401)
    work = requests(*({"session_id": str(n), "input_tokens": n} for n in sizes))
    fit = context_fit(work, load(ORG))
    rows = dict(fit.select("model", "requests_fit").iter_rows())
    assert (rows["spark"], rows["codex"]) == (1, 3)


def test_a_prompt_may_fill_the_part_of_a_window_that_the_operator_says(requests: Make) -> None:
    org = load(ORG)
    assert org.replay is not None
    half = org.replay.model_copy(update={"room": 0.5, "subscriptions": ()})

    def limits(replay: object) -> dict[str, int]:
        table = context_fit(requests(), org.model_copy(update={"replay": replay}))
        return dict(table.select("model", "prompt_limit_tokens").iter_rows())

    without, halved = limits(None), limits(half)
    assert without["z-ai/glm-5.2"] == 1_048_576 - 32_768
    assert halved["z-ai/glm-5.2"] == (1_048_576 - 32_768) // 2
    assert set(without) == set(halved) == {model.id for model in org.models}


def test_the_example_fleets_policy_sends_targets_to_its_lanes() -> None:
    policy = policy_of(load(ORG))
    assert policy is not None
    assert [lane.model for lane in policy.subscriptions] == ["codex", "spark"]
    assert policy.agent_shares["forge"] == 0.55
    assert all(lane.kinds for lane in policy.subscriptions)


def window(**changes: Any) -> pl.DataFrame:
    row = {
        "client": "codex", "limit_id": "codex", "window_minutes": 300, "status": "fresh",
        "remaining_share": 0.83, "read_at": datetime(2026, 6, 16, 23, tzinfo=UTC),
        "burn_percent_per_hour": 4.0, **changes,
    }  # fmt: skip
    return pl.DataFrame([row], schema_overrides={"burn_percent_per_hour": pl.Float64})


def rates(percent: float, low: float, high: float, **changes: Any) -> pl.DataFrame:
    shared = {"client": "codex", "limit_id": "codex", "window_minutes": 300, "status": "fitted"}
    return pl.DataFrame(
        [
            {**shared, "token_class": name, "percent_per_mtok": percent * weight,
             "percent_per_mtok_low": low * weight, "percent_per_mtok_high": high * weight,
             **changes}
            for name, weight in (("input", 1.0), ("cache_read", 0.1), ("output", 5.0))
        ]
    )  # fmt: skip


REFUSED = rates(0, 0, 0).clear()


def room(requests: pl.DataFrame, policy: Policy = POLICY, **of: pl.DataFrame) -> dict[str, Any]:
    table = subscription_room(
        requests, policy, window_start=START,
        **{"headroom": window(), "exchange_rates": REFUSED, **of},
    )  # fmt: skip
    return table.row(0, named=True)


@pytest.fixture
def stretches(requests: Make) -> pl.DataFrame:
    """Ten stretches of five hours with 20k to 200k tokens of fresh input, one session each."""
    return requests(
        *(
            {"session_id": str(n), "date": START + timedelta(days=n), "at": 3_600,
             "input_tokens": 20_000 * (n + 1)}
            for n in range(10)
        )
    )  # fmt: skip


CERTAIN = to(CODEX, cases=(Case("expected", 1, 1, 1, 0, 0, 0, 0),))


def test_a_window_is_planned_for_nine_in_ten_stretches(stretches: pl.DataFrame) -> None:
    row = room(stretches, CERTAIN)
    assert (row["stretches"], row["peak_tokens"]) == (10, 200_000)
    assert (row["median_tokens"], row["p90_tokens"]) == (120_000, 200_000)


def test_requests_of_one_stretch_are_added_and_those_of_the_next_are_not(requests: Make) -> None:
    three = requests(
        *({"session_id": str(at), "date": START, "at": at, "input_tokens": 1_000}
          for at in (0, 17_999, 18_000))
    )  # fmt: skip
    row = room(three, CERTAIN)
    assert (row["stretches"], row["peak_tokens"]) == (2, 2_000)


def test_retries_and_the_other_models_tokens_draw_on_the_window_too(requests: Make) -> None:
    one = requests({"date": START, "input_tokens": 1_000, "output_tokens": 100})
    case = Case("expected", 1, 1.2, 2.0, 0.5, 0, 0, 0)
    row = room(one, to(CODEX, cases=(case,)))
    assert row["peak_tokens"] == round(1.5 * (1_200 + 200))


def test_what_a_cache_holds_is_told_apart_by_the_rate(requests: Make) -> None:
    lane = replace(CODEX, max_input_tokens=None, cache=PromptCache("implicit", 600))
    pair = requests(
        {"date": START, "at": 0, "cache_write_5m_tokens": M},
        {"date": START, "at": 60, "cache_read_tokens": M},
    )
    policy = to(lane, cases=CERTAIN.cases)
    row = room(pair, policy, exchange_rates=rates(10, 10, 10))
    assert row["p90_percent"] == 10 + 1


@pytest.mark.parametrize(
    ("headroom", "exchange", "verdict", "reason"),
    [
        (window(), rates(100, 90, 110), "fits", None),
        (window(), rates(400, 390, 410), "unknown", "within_the_doubt"),
        (window(), rates(400, 380, 400), "fits", None),
        (window(), rates(400, 380, 402), "unknown", "within_the_doubt"),
        (window(), rates(405, 400, 410), "unknown", "within_the_doubt"),
        (window(), rates(500, 401, 600), "does_not_fit", None),
        (window(burn_percent_per_hour=25.0), rates(1, 0.5, 2), "does_not_fit", "own_use"),
        (window(burn_percent_per_hour=20.1), REFUSED, "does_not_fit", "own_use"),
        (window(burn_percent_per_hour=20.0), REFUSED, "unknown", "no_exchange_rate"),
        (window(burn_percent_per_hour=None), rates(1, 1, 1), "unknown", "no_burn_rate"),
        (window(status="stale", remaining_share=None), rates(1, 1, 1), "unknown", "no_reading"),
        (window(), REFUSED, "unknown", "no_exchange_rate"),
        (window(), rates(1, 1, 1, status="refused"), "unknown", "no_exchange_rate"),
        (window(), rates(1, 1, 1, window_minutes=10_080), "unknown", "no_exchange_rate"),
    ],
)
def test_a_verdict_is_given_only_where_every_part_of_it_is_known(
    stretches: pl.DataFrame,
    headroom: pl.DataFrame,
    exchange: pl.DataFrame,
    verdict: str,
    reason: str | None,
) -> None:
    """Nine in ten stretches hold at most 200k tokens; Codex itself takes 20 % of five hours."""
    row = room(stretches, CERTAIN, headroom=headroom, exchange_rates=exchange)
    assert (row["verdict"], row["reason"]) == (verdict, reason)


def test_windows_that_a_lane_does_not_draw_on_are_not_its_business(stretches: pl.DataFrame) -> None:
    other = window(limit_id="claude_max")
    table = subscription_room(
        stretches, CERTAIN, window_start=START, headroom=other, exchange_rates=REFUSED
    )
    assert table.is_empty()


def test_without_a_policy_there_is_no_row(stretches: pl.DataFrame) -> None:
    table = subscription_room(
        stretches, None, window_start=START, headroom=window(), exchange_rates=REFUSED
    )
    assert table.is_empty()


def test_work_that_does_not_move_takes_no_room(requests: Make) -> None:
    row = room(requests({"agent": "sage", "date": START, "input_tokens": 9}))
    assert (row["stretches"], row["peak_tokens"], row["p90_percent"]) == (0, None, None)
