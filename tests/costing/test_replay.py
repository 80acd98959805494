from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_pipeline.costing.bootstrap import FEWEST_SESSIONS
from fleet_pipeline.costing.moving import PARTS
from fleet_pipeline.costing.policy import Case, Policy, Target
from fleet_pipeline.costing.prefix_cache import PromptCache
from fleet_pipeline.costing.replay import Replay, replay
from fleet_pipeline.costing.routes import ROUTES, by_thread, routed

Make = Callable[..., pl.DataFrame]

START, END = date(2026, 5, 18), date(2026, 6, 17)
M = 1_000_000
CERTAIN = Case("expected", 1, 1, 1, 0, 0, 0, 0)
GLM = Target(
    "z-ai/glm-5.2", "GLM 5.2", "openrouter", "z-ai/glm-5.2", cache=PromptCache("implicit", 600)
)
POLICY = Policy(
    share=1,
    targets=(GLM,),
    cases=(CERTAIN,),
    stays_on=("anthropic", "claude-sonnet-4-6"),
    room=1,
    packet_tokens=(),
    private_agents=frozenset({"hippocrates"}),
)


def tables(requests: pl.DataFrame, policy: Policy | None = POLICY) -> Replay:
    return replay(requests, policy, window_start=START, window_end=END, draws=50)


def replayed(requests: pl.DataFrame, policy: Policy = POLICY, **case: float) -> dict[str, Any]:
    """The one row of a policy with one target and one case, on few days: nothing is scaled."""
    with_case = replace(policy, cases=tuple(replace(one, **case) for one in policy.cases))
    return tables(requests, with_case).offload_replay.row(0, named=True)


def to(target: Target, policy: Policy = POLICY) -> Policy:
    return replace(policy, targets=(target,))


@pytest.fixture
def thread(requests: Make) -> pl.DataFrame:
    """Two requests of one conversation: a million tokens, then the same million and a half."""
    return requests(
        {"at": 0, "cache_write_5m_tokens": M, "output_tokens": M},
        {"at": 60, "cache_read_tokens": M, "input_tokens": M // 2},
    )


def test_without_a_hit_every_prompt_is_billed_whole(thread: pl.DataFrame) -> None:
    row = replayed(thread, cache_hits=0)
    assert row["target_cost_usd_micros"] == 2.5 * 1_400_000 + 4_400_000
    assert row["hit_tokens"] == 0


def test_a_hit_costs_the_listed_price_of_a_cache_read(thread: pl.DataFrame) -> None:
    row = replayed(thread)
    assert row["target_cost_usd_micros"] == 1.5 * 1_400_000 + 260_000 + 4_400_000
    assert (row["hit_tokens"], row["hit_rate"]) == (M, M / (2.5 * M))


def test_a_cache_that_may_hit_costs_what_its_chance_says(thread: pl.DataFrame) -> None:
    half = replayed(thread, cache_hits=0.5)["target_cost_usd_micros"]
    none, all_ = (replayed(thread, cache_hits=h)["target_cost_usd_micros"] for h in (0, 1))
    assert half == (none + all_) / 2


def test_what_no_cache_and_no_hit_cost_is_the_same(thread: pl.DataFrame) -> None:
    uncached = to(replace(GLM, cache=PromptCache()))
    assert (
        replayed(thread, uncached)["cost_usd_micros"]
        == (replayed(thread, cache_hits=0)["cost_usd_micros"])
    )


def test_an_explicit_cache_hits_for_certain_and_writes_the_rest_at_the_write_price(
    thread: pl.DataFrame,
) -> None:
    haiku = Target(
        "haiku",
        "Haiku",
        "openrouter",
        "anthropic/claude-haiku-4.5",
        cache=PromptCache("explicit", 300),
    )
    row = replayed(thread, to(haiku), cache_hits=0)
    assert row["target_cost_usd_micros"] == 1.5 * 1_250_000 + 100_000 + 5_000_000


def test_retries_escalations_and_checks_are_parts_of_their_own(thread: pl.DataFrame) -> None:
    row = replayed(thread, retries=0.5, escalated=0.1, verify_input_tokens=1_000)
    assert row["retries_cost_usd_micros"] == row["target_cost_usd_micros"] / 2
    stay = 3_750_000 + 15_000_000 + 300_000 + 1_500_000
    assert row["stay_cost_usd_micros"] == stay
    assert row["escalated_cost_usd_micros"] == stay / 10
    # Two turns are checked, at $3 per million.
    assert row["verify_cost_usd_micros"] == 2 * 3_000
    assert row["cost_usd_micros"] == sum(row[f"{part}_cost_usd_micros"] for part in PARTS)
    assert row["saving_usd_micros"] == stay - row["cost_usd_micros"]


def test_each_turn_is_verified_once(requests: Make) -> None:
    turns = requests(*({"at": n, "turn": n // 3, "input_tokens": 9} for n in range(5)))
    assert replayed(turns, verify_output_tokens=1_000)["verify_cost_usd_micros"] == 2 * 15_000


def test_the_check_of_a_long_request_is_a_short_one(requests: Make) -> None:
    """Claude Sonnet 4.5 asks $6 instead of $3 for each token of a prompt above 200,000."""
    sonnet = replace(POLICY, stays_on=("anthropic", "claude-sonnet-4-5"))
    row = replayed(requests({"input_tokens": 200_001}), sonnet, verify_input_tokens=1_000)
    assert row["stay_cost_usd_micros"] == 200_001 * 6
    assert row["verify_cost_usd_micros"] == 3_000


def test_another_tokenizer_makes_prompts_longer_and_may_make_them_not_fit(
    thread: pl.DataFrame,
) -> None:
    longer = replayed(thread, cache_hits=0, tokens_ratio=1.3, output_ratio=2)
    assert longer["target_cost_usd_micros"] == 2.5 * 1.3 * 1_400_000 + 2 * 4_400_000
    tight = to(replace(GLM, context_tokens=1_600_000))
    assert replayed(thread, tight)["too_large_requests"] == 0
    assert replayed(thread, tight, tokens_ratio=1.3)["too_large_requests"] == 1


def test_a_part_of_a_token_above_the_limit_does_not_fit(requests: Make) -> None:
    ten = requests({"input_tokens": 10, "output_tokens": 10})
    limits = {"context_tokens": 11, "max_output_tokens": 11}
    for name, ratio in (("context_tokens", "tokens_ratio"), ("max_output_tokens", "output_ratio")):
        capped = to(replace(GLM, **{name: limits[name]}))
        assert replayed(ten, capped, **{ratio: 1.1})["too_large_requests"] == 0
        assert replayed(ten, capped, **{ratio: 1.101})["too_large_requests"] == 1


def test_what_does_not_fit_stays_is_counted_and_finds_claudes_cache_cold(
    thread: pl.DataFrame,
) -> None:
    row = replayed(thread, to(replace(GLM, context_tokens=M)))
    assert (row["moved_requests"], row["too_large_requests"]) == (1, 1)
    assert row["target_cost_usd_micros"] == 1_400_000 + 4_400_000
    assert row["returned_cost_usd_micros"] == 3_750_000 - 300_000


@pytest.mark.parametrize(("back_at", "written_again"), [(300, 200_000), (301, 1_200_000)])
def test_what_claude_still_holds_of_a_thread_is_not_written_again(
    requests: Make, back_at: int, written_again: int
) -> None:
    """A turn in the middle moves; what the one before it left lives for five minutes."""
    rows = requests(
        {"at": 0, "cache_write_5m_tokens": M, "movable": False},
        {"at": 60, "cache_read_tokens": M, "input_tokens": 200_000},
        {"at": back_at, "cache_read_tokens": 1_200_000, "movable": False},
        {"at": back_at + 9, "cache_read_tokens": 1_200_000, "movable": False},
    )
    row = replayed(rows)
    assert row["moved_requests"] == 1
    assert row["returned_cost_usd_micros"] == written_again * (3.75 - 0.3)


def test_an_output_above_the_cap_does_not_fit_either(thread: pl.DataFrame) -> None:
    assert replayed(thread, to(replace(GLM, max_output_tokens=M - 1)))["too_large_requests"] == 1


def test_a_request_after_one_that_stayed_finds_no_prefix_on_the_target(requests: Make) -> None:
    rows = requests(
        {"at": 0, "cache_write_5m_tokens": 900},
        {"at": 1, "cache_read_tokens": 900, "output_tokens": 70},
        {"at": 2, "cache_read_tokens": 900},
    )
    capped = to(replace(GLM, max_output_tokens=50))
    assert (replayed(rows)["hit_tokens"], replayed(rows, capped)["hit_tokens"]) == (1_800, 0)


def test_each_request_has_the_price_of_its_own_day(requests: Make) -> None:
    days = [date(2026, 10, 18), date(2026, 10, 20)]
    rows = requests(*({"date": day, "input_tokens": M, "session_id": str(day)} for day in days))
    assert replayed(rows)["target_cost_usd_micros"] == 1_400_000 + 620_000


def test_a_request_above_a_tier_is_billed_whole_at_it(requests: Make) -> None:
    qwen = to(Target("qwen", "Qwen", "openrouter", "qwen/qwen3.7-plus"))
    day = date(2026, 11, 1)
    short, long = (
        replayed(requests({"date": day, "input_tokens": tokens}), qwen)["target_cost_usd_micros"]
        for tokens in (256_000, 256_001)
    )
    assert long > 2 * short


def test_an_unknown_price_of_the_target_leaves_no_cost_and_is_counted(thread: pl.DataFrame) -> None:
    row = replayed(thread, to(replace(GLM, price_model="z-ai/glm-99")))
    assert row["unpriced_requests"] == 2
    assert {row[name] for name in row if "usd_micros" in name} == {None}


def test_an_unknown_price_of_staying_leaves_no_cost(thread: pl.DataFrame) -> None:
    row = replayed(thread, replace(POLICY, stays_on=("anthropic", "claude-99")))
    assert row["cost_usd_micros"] is None
    assert row["cost_low_usd_micros"] is None


def test_private_and_unattributed_sessions_stay_whole(requests: Make) -> None:
    rows = requests(
        {"session_id": "a", "agent": "forge", "input_tokens": 10},
        {"session_id": "b", "agent": "forge", "input_tokens": 10},
        {"session_id": "b", "agent": "hippocrates", "input_tokens": 1},
        {"session_id": "c", "agent": "unattributed", "input_tokens": 10},
    )
    routes = tables(rows, POLICY).replay_routes
    counts = dict(routes.select("route", "requests").iter_rows())
    assert counts == dict.fromkeys(ROUTES, 0) | {"moved": 1, "private": 2, "unattributed": 1}


def test_work_of_a_kind_that_may_not_move_stays_within_a_session_that_does(
    thread: pl.DataFrame,
) -> None:
    marked = thread.with_columns(movable=pl.col("cache_read_tokens") == 0)
    routes = dict(tables(marked, POLICY).replay_routes.select("route", "requests").iter_rows())
    assert (routes["moved"], routes["not_movable"]) == (1, 1)
    row = replayed(marked)
    assert row["target_cost_usd_micros"] == 1_400_000 + 4_400_000
    assert row["returned_cost_usd_micros"] == 3_750_000 - 300_000


def test_the_share_is_one_of_all_input_that_movable_work_fills(requests: Make) -> None:
    rows = requests(*({"session_id": str(n), "input_tokens": 100} for n in range(10)))
    marked = rows.with_columns(movable=pl.col("session_id").is_in(list("01234")))
    for share, moved in ((0.3, 3), (0.5, 5), (0.9, 5)):
        routes = tables(marked, replace(POLICY, share=share)).replay_routes
        assert routes.filter(route="moved")["requests"].item() == moved


def test_without_a_policy_nothing_is_replayed(thread: pl.DataFrame) -> None:
    assert all(table.is_empty() for table in tables(thread, None))


def test_no_requests_cost_nothing(requests: Make) -> None:
    row = replayed(requests())
    assert (row["cost_usd_micros"], row["moved_share"], row["requests"]) == (0, None, 0)


def test_a_month_is_scaled_from_its_covered_days(requests: Make) -> None:
    days = [{"date": START + timedelta(days=n), "session_id": str(n)} for n in range(15)]
    row = replayed(requests(*({**day, "input_tokens": M} for day in days)))
    assert (row["basis"], row["target_cost_usd_micros"]) == ("month", 30 * 1_400_000)
    few = replayed(requests(*({**day, "input_tokens": M} for day in days[:13])))
    assert (few["basis"], few["target_cost_usd_micros"]) == ("covered_days", 13 * 1_400_000)


def test_codex_never_moves(requests: Make) -> None:
    assert replayed(requests({"client": "codex", "input_tokens": M}))["requests"] == 0


rows_ = st.lists(
    st.fixed_dictionaries(
        {
            "session_id": st.sampled_from("abcdef"),
            "agent_id": st.sampled_from([None, "x"]),
            "agent": st.sampled_from(["forge", "sage", "hippocrates", "unattributed"]),
            "at": st.integers(0, 5_000),
            "input_tokens": st.integers(0, 400_000),
            "cache_write_5m_tokens": st.integers(0, 400_000),
            "cache_read_tokens": st.integers(0, 400_000),
            "output_tokens": st.integers(0, 40_000),
            "kind": st.sampled_from(["editing", "orchestration", "unknown"]),
            "movable": st.booleans(),
        }
    ),
    max_size=25,
)
shares_ = st.floats(0, 1)
tight = replace(GLM, context_tokens=500_000, max_output_tokens=30_000)


@settings(max_examples=25, deadline=None)
@given(rows=rows_, share=shares_)
def test_the_routes_of_a_target_partition_all_requests(
    requests: Make, rows: list[dict[str, object]], share: float
) -> None:
    given_rows = requests(*rows)
    routes = tables(given_rows, replace(to(tight), share=share)).replay_routes
    assert routes["requests"].sum() == len(rows)
    assert routes["full_input_tokens"].sum() == given_rows["full_input_tokens"].sum()


@settings(max_examples=25, deadline=None)
@given(rows=rows_, days=st.integers(1, 16))
def test_the_rows_of_every_cut_add_up_to_the_whole(
    requests: Make, rows: list[dict[str, object]], days: int
) -> None:
    other_days = [{"date": START + timedelta(days=n), "agent": "unattributed"} for n in range(days)]
    given_rows = requests(*rows, *other_days)
    case = replace(CERTAIN, cache_hits=0.3, retries=0.3, escalated=0.2, verify_input_tokens=9)
    policy = replace(to(tight), share=0.6, cases=(case,))
    whole = replayed(given_rows, policy)
    cuts = tables(given_rows, policy).replay_cuts
    for cut in ("agent", "kind"):
        part = cuts.filter(cut=cut)
        for column in set(cuts.columns) & set(whole) - {"model"}:
            assert abs(part[column].sum() - whole[column]) <= len(PARTS), column
        assert part["requests"].sum() == whole["requests"]
    assert "unattributed" in set(cuts.filter(cut="agent")["value"])


def test_each_agent_and_kind_of_work_has_its_own_cost_and_what_stays_has_none(
    requests: Make,
) -> None:
    rows = requests(
        {"session_id": "a", "agent": "forge", "kind": "editing", "input_tokens": M},
        {
            "session_id": "a",
            "agent": "forge",
            "kind": "orchestration",
            "movable": False,
            "at": 9,
            "input_tokens": M,
        },
        {"session_id": "b", "agent": "sage", "kind": "extraction", "input_tokens": 3 * M},
        {"session_id": "c", "agent": "hippocrates", "kind": "extraction", "input_tokens": M},
    )
    cuts = tables(rows, POLICY).replay_cuts
    assert cuts.filter(cut="agent")["value"].to_list() == ["sage", "forge", "hippocrates"]
    costs = {
        (cut, value): (moved, cost)
        for cut, value, moved, cost in cuts.select(
            "cut", "value", "moved_requests", "target_cost_usd_micros"
        ).iter_rows()
    }
    assert costs == {
        ("agent", "forge"): (1, 1_400_000),
        ("agent", "sage"): (1, 4_200_000),
        ("agent", "hippocrates"): (0, 0),
        ("kind", "editing"): (1, 1_400_000),
        ("kind", "extraction"): (1, 4_200_000),
        ("kind", "orchestration"): (0, 0),
    }


def test_a_cut_without_a_price_keeps_its_tokens_and_has_no_cost(requests: Make) -> None:
    unknown = replace(GLM, price_model="no-such-model")
    cuts = tables(requests({"input_tokens": M}), to(unknown)).replay_cuts
    assert set(cuts["cost_usd_micros"]) == set(cuts["saving_usd_micros"]) == {None}
    assert set(cuts["full_input_tokens"]) == {M}
    assert tables(requests(), None).replay_cuts.is_empty()


@settings(max_examples=25, deadline=None)
@given(rows=rows_)
def test_a_share_of_zero_moves_costs_and_saves_nothing(
    requests: Make, rows: list[dict[str, object]]
) -> None:
    row = replayed(requests(*rows), replace(to(tight), share=0), retries=1, verify_input_tokens=9)
    assert (row["moved_requests"], row["cost_usd_micros"], row["saving_usd_micros"]) == (0, 0, 0)


@settings(max_examples=25, deadline=None)
@given(rows=rows_, one=shares_, other=shares_)
def test_a_larger_share_only_adds_whole_sessions(
    requests: Make, rows: list[dict[str, object]], one: float, other: float
) -> None:
    given_rows = requests(*rows)

    def moving(share: float) -> set[int]:
        placed = routed(by_thread(given_rows), replace(POLICY, share=share)).filter(
            pl.col("route") != "not_movable"
        )
        by_session = placed.group_by("session").agg(pl.col("route").n_unique())
        assert set(by_session["route"]) <= {1}
        return set(placed.filter(route="moved")["session"])

    assert moving(min(one, other)) <= moving(max(one, other))


@settings(max_examples=25, deadline=None)
@given(rows=rows_, chances=st.lists(shares_, min_size=2, max_size=2))
def test_hits_never_exceed_prompts_and_more_of_them_never_cost_more(
    requests: Make, rows: list[dict[str, object]], chances: list[float]
) -> None:
    fewer, more = (replayed(requests(*rows), cache_hits=chance) for chance in sorted(chances))
    assert more["target_cost_usd_micros"] <= fewer["target_cost_usd_micros"] + len(rows)
    assert 0 <= more["hit_tokens"] <= more["moved_full_input_tokens"]


@settings(max_examples=25, deadline=None)
@given(rows=rows_)
def test_the_parts_add_up_and_the_interval_holds_for_whole_sessions(
    requests: Make, rows: list[dict[str, object]]
) -> None:
    row = replayed(requests(*rows), to(tight), retries=0.3, escalated=0.2, verify_input_tokens=9)
    assert row["cost_usd_micros"] == sum(row[f"{part}_cost_usd_micros"] for part in PARTS)
    if requests(*rows)["session_id"].n_unique() >= FEWEST_SESSIONS:
        assert row["cost_low_usd_micros"] <= row["cost_high_usd_micros"]


@pytest.mark.parametrize("sessions", [FEWEST_SESSIONS - 1, FEWEST_SESSIONS])
def test_a_handful_of_sessions_says_nothing_of_the_spread(requests: Make, sessions: int) -> None:
    row = replayed(requests(*({"session_id": str(n), "input_tokens": M} for n in range(sessions))))
    bounds = (row["cost_low_usd_micros"], row["cost_high_usd_micros"])
    cost = row["cost_usd_micros"]
    assert bounds == ((None, None) if sessions < FEWEST_SESSIONS else (cost, cost))


@settings(max_examples=10, deadline=None)
@given(rows=rows_, random=st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(
    requests: Make, rows: list[dict[str, object]], random: Any
) -> None:
    shuffled = random.sample(rows, len(rows))
    assert replayed(requests(*rows)) == replayed(requests(*shuffled))


def test_a_request_at_three_in_the_night_pays_what_held_then(requests: Make) -> None:
    """The package's DeepSeek: $0.30 in and $1.20 out from 1 to 4 and 6 to 10 UTC, else half."""
    flash = Target("flash", "Flash", "deepseek", "deepseek-v4-flash")
    hours = {"three": 3, "just before four": 4, "five": 5, "noon": 12}
    at = {name: 3_600 * hour for name, hour in hours.items()}
    at["just before four"] -= 1

    def cost(second: int) -> int:
        one = requests(
            {"date": date(2026, 9, 14), "at": second, "input_tokens": M, "output_tokens": M}
        )
        return int(replayed(one, to(flash))["target_cost_usd_micros"])

    assert {name: cost(second) for name, second in at.items()} == {
        "three": 1_500_000, "just before four": 1_500_000, "five": 750_000, "noon": 750_000
    }  # fmt: skip


def test_requests_of_one_day_are_each_priced_at_their_own_hour(requests: Make) -> None:
    flash = Target("flash", "Flash", "deepseek", "deepseek-v4-flash")
    both = requests(
        *(
            {"session_id": str(hour), "date": date(2026, 9, 14), "at": 3_600 * hour,
             "input_tokens": M}
            for hour in (3, 5)
        )
    )  # fmt: skip
    assert replayed(both, to(flash))["target_cost_usd_micros"] == 300_000 + 150_000


def test_at_a_share_of_one_everything_that_may_move_does_even_what_read_nothing(
    requests: Make,
) -> None:
    one = requests({"output_tokens": 5})
    assert replayed(one)["moved_requests"] == 1
    routes = tables(one, replace(POLICY, share=0.999)).replay_routes.filter(pl.col("requests") > 0)
    assert routes["route"].to_list() == ["not_chosen"]


@pytest.mark.parametrize(
    ("share", "moved"), [(0.24, 0), (0.25, 0), (0.26, 1), (0.75, 1), (0.76, 2)]
)
def test_a_session_moves_where_its_middle_lies_within_the_share(
    requests: Make, share: float, moved: int
) -> None:
    pair = requests(*({"session_id": name, "input_tokens": 100} for name in "ab"))
    assert replayed(pair, replace(POLICY, share=share))["moved_requests"] == moved


def test_what_stays_for_privacy_is_no_part_of_what_a_share_is_taken_of(requests: Make) -> None:
    own = [{"session_id": f"own {n}", "input_tokens": 100} for n in range(10)]
    shared = [
        row
        for n in range(10)
        for row in (
            {"session_id": f"shared {n}", "input_tokens": 90},
            {"session_id": f"shared {n}", "input_tokens": 10, "agent": "hippocrates"},
        )
    ]
    rows = requests(*own, *shared)
    moved = [
        replayed(rows, replace(POLICY, share=n / 10 + 0.01))["moved_requests"] for n in range(10)
    ]
    assert moved == [0, *range(1, 10)]


@pytest.mark.parametrize(
    ("forge", "sage", "owner"), [(90, 10, "forge"), (10, 90, "sage"), (50, 50, "forge")]
)
def test_a_session_is_its_most_used_agents_and_of_equals_the_first_by_names(
    requests: Make, forge: int, sage: int, owner: str
) -> None:
    shared = requests(
        {"agent": "sage", "input_tokens": sage}, {"agent": "forge", "input_tokens": forge, "at": 1}
    )
    assert set(routed(by_thread(shared), POLICY)["session_agent"]) == {owner}


def test_the_moved_share_is_one_of_all_input(requests: Make) -> None:
    rows = requests(
        {"session_id": "a", "input_tokens": 300},
        {"session_id": "b", "cache_read_tokens": 100, "movable": False},
    )
    assert replayed(rows)["moved_share"] == 0.75


def test_a_cache_that_keeps_nothing_for_any_time_has_nothing_a_second_later(requests: Make) -> None:
    rows = requests({"at": 0, "cache_write_5m_tokens": M}, {"at": 1, "cache_read_tokens": M})
    forgetful = to(replace(GLM, cache=PromptCache("implicit")))
    assert replayed(rows, forgetful)["hit_tokens"] == 0
    assert replayed(rows)["hit_tokens"] == M


def test_a_share_of_zero_moves_not_even_what_read_nothing(requests: Make) -> None:
    assert replayed(requests({"output_tokens": 5}), replace(POLICY, share=0))["moved_requests"] == 0


def test_staying_costs_each_class_of_tokens_at_its_own_price(requests: Make) -> None:
    classes = {
        "input_tokens": M, "cache_write_5m_tokens": 2 * M, "cache_write_1h_tokens": 4 * M,
        "cache_read_tokens": 10 * M, "output_tokens": M,
    }  # fmt: skip
    stay = 3_000_000 + 2 * 3_750_000 + 4 * 6_000_000 + 10 * 300_000 + 15_000_000
    assert replayed(requests(classes))["stay_cost_usd_micros"] == stay


def test_a_prompt_that_neither_grew_nor_shrank_over_a_pause_is_the_same_prompt(
    requests: Make,
) -> None:
    pair = requests({"at": 0, "cache_write_5m_tokens": M}, {"at": 400, "cache_write_5m_tokens": M})
    assert replayed(pair)["hit_tokens"] == M
    soon = requests({"at": 0, "cache_write_5m_tokens": M}, {"at": 300, "cache_write_5m_tokens": M})
    assert replayed(soon)["hit_tokens"] == 0, "Claude's own cache would have held it until then"
    shrunk = requests(
        {"at": 0, "cache_write_5m_tokens": M}, {"at": 400, "cache_write_5m_tokens": M - 1}
    )
    assert replayed(shrunk)["hit_tokens"] == 0
