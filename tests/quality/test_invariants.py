"""Each check, seen to pass and seen to fail, on tables of a few rows."""

from collections.abc import Mapping

import polars as pl
import pytest

from fleet_pipeline import quality
from fleet_pipeline.ledger import Sources

PARTS = (
    "requests",
    "input_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_read_tokens",
    "output_tokens",
    "full_input_tokens",
)


def parts(*rows: int, **keys: list[str]) -> pl.DataFrame:
    """One row per number, with that number in every column that must add up."""
    return pl.DataFrame({**keys, **{part: list(rows) for part in PARTS}})


def usage(claude: int, codex: int) -> pl.DataFrame:
    return parts(claude, codex, client=["claude", "codex"])


def sources(
    hosts: Mapping[str, int] | None = None,
    quarantined: Mapping[str, int] | None = None,
    believed: int = 1000,
) -> Sources:
    return {
        "files": 1,
        "bytes": 1,
        "lines": 1,
        "requests_lines": believed,
        "duplicates": 0,
        "quarantined": dict(quarantined or {}),
        "hosts": [
            {"host": host, "requests": n, "last_ts": "2026-06-16T23:58:11+00:00"}
            for host, n in (hosts or {}).items()
        ],
        "clients": {},
        "reconciliation": {},
    }


def page(claude: int, codex: int, *, demo: bool = False, **hosts: int) -> dict[str, object]:
    return {
        "demo": demo,
        "usage": {"claude": {"requests": claude}, "codex": {"requests": codex}},
        "sources": sources(hosts),
    }


def test_requests_are_unique_while_no_two_share_client_and_id() -> None:
    ledger = pl.DataFrame({"client": ["claude", "codex"], "message_id": ["a", "a"]})
    assert quality.requests_are_unique(ledger).passed
    twice = pl.concat([ledger, ledger.head(1)])
    found = quality.requests_are_unique(twice)
    assert found.refuses
    assert found.says == "3 requests, 2 rows share a key with another"
    assert found.counts == {"requests": 3, "repeated": 2}


def test_turns_add_up_while_none_is_lost() -> None:
    whole = usage(7, 3)
    assert quality.turns_add_up(parts(4, 6), whole).passed
    found = quality.turns_add_up(parts(4, 5), whole)
    assert found.refuses
    assert "requests by -1" in found.says


def test_a_target_beyond_what_may_move_is_a_warning_with_both_shares() -> None:
    shares = pl.DataFrame(
        {
            "agent": ["", "forge", "sage", "analyst"],
            "target_share": [0.3, 0.55, 0.08, 0.5],
            "eligible_share": [0.2, 0.41, 0.1, 0.3],
            "verdict": ["exceeds", "exceeds", "within", "unclear"],
        }
    )
    found = quality.targets_are_movable(shares)
    assert not found.passed and not found.refuses
    assert "forge (55% wanted, 41.0% movable)" in found.says
    assert "not known for analyst" in found.says
    assert found.counts == {"targets_exceeding": 1, "targets_unclear": 1}
    assert quality.targets_are_movable(shares.filter(pl.col("agent") == "sage")).passed


@pytest.mark.parametrize(
    ("covered", "holds", "whole"), [(30, True, True), (1, True, False), (0, False, False)]
)
def test_a_window_holds_requests_on_one_day_and_is_whole_on_all(
    covered: int, holds: bool, whole: bool
) -> None:
    coverage = pl.DataFrame({"days": [30], "days_covered": [covered]})
    assert quality.window_holds_requests(coverage).passed is holds
    assert quality.window_holds_requests(coverage).refuses is not holds
    assert quality.window_is_whole(coverage).passed is whole
    assert not quality.window_is_whole(coverage).refuses


def test_an_empty_window_says_where_to_look() -> None:
    coverage = pl.DataFrame({"days": [30], "days_covered": [0]})
    assert "fleet doctor" in quality.window_holds_requests(coverage).says


def test_agents_add_up_to_claude_alone() -> None:
    agents = parts(4, 3, agent=["forge", "unattributed"])
    assert quality.agents_add_up(agents, usage(7, 99)).passed
    found = quality.agents_add_up(agents, usage(8, 99))
    assert found.refuses
    assert "requests by -1" in found.says
    assert found.counts == {"sums_off": len(PARTS)}


def test_days_add_up_to_both_clients() -> None:
    days = parts(4, 3, 2, date=["1", "2", "3"])
    assert quality.days_add_up(days, usage(7, 2)).passed
    assert quality.days_add_up(days, usage(7, 1)).refuses


@pytest.mark.parametrize("part", PARTS)
def test_each_part_must_add_up_by_itself(part: str) -> None:
    one_off = parts(7, agent=["forge"]).with_columns(pl.col(part) + 1)
    found = quality.agents_add_up(one_off, usage(7, 0))
    assert found.refuses
    assert found.says == f"the parts are off: {part} by +1"


def test_a_model_without_a_price_is_named_and_refuses() -> None:
    prices = pl.DataFrame(
        {
            "provider": ["openrouter", "openrouter"],
            "model": ["glm", "qwen"],
            "input_usd_per_mtok": [1.4, None],
        }
    )
    assert quality.priced_models_have_prices(prices, [("openrouter", "glm")]).passed
    found = quality.priced_models_have_prices(
        prices, [("openrouter", "glm"), ("openrouter", "qwen"), ("else", "glm")]
    )
    assert found.refuses
    assert "no price for else/glm, openrouter/qwen;" in found.says


def test_a_price_of_zero_is_a_price() -> None:
    free = pl.DataFrame({"provider": ["a"], "model": ["m"], "input_usd_per_mtok": [0.0]})
    assert quality.priced_models_have_prices(free, [("a", "m")]).passed


def test_a_used_model_without_a_list_price_is_only_a_warning() -> None:
    value = pl.DataFrame({"model": ["opus", "new"], "cost_usd_micros": [5, None]})
    found = quality.used_models_have_prices(value)
    assert (found.passed, found.refuses) == (False, False)
    assert found.says == "no list price for new"
    assert quality.used_models_have_prices(value.head(1)).passed


def test_one_line_in_two_hundred_may_be_left_out_and_no_more() -> None:
    assert quality.quarantine_is_small(sources(quarantined={"unreadable": 5})).passed
    found = quality.quarantine_is_small(sources(quarantined={"unreadable": 4, "too_long": 2}))
    assert (found.passed, found.refuses) == (False, False)
    assert "unreadable: 4" in found.says and "too_long: 2" in found.says


def unfamiliar(*rows: tuple[str, str, int]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"client": "codex", "kind": kind, "name": name, "lines": lines}
            for kind, name, lines in rows
        ],
        schema={"client": pl.String, "kind": pl.String, "name": pl.String, "lines": pl.Int64},
    )


def test_one_new_field_of_usage_is_a_warning_that_names_it() -> None:
    assert quality.formats_are_known(unfamiliar(), 0).passed
    found = quality.formats_are_known(unfamiliar(("usage_field", "image_tokens", 1)), 10_000)
    assert (found.passed, found.refuses) == (False, False)
    assert found.says == "new in usage: codex image_tokens"


def test_lines_of_new_types_are_a_warning_beyond_three_in_a_hundred() -> None:
    assert quality.formats_are_known(unfamiliar(("record_type", "holo-note", 30)), 1000).passed
    found = quality.formats_are_known(unfamiliar(("record_type", "holo-note", 31)), 1000)
    assert not found.passed and not found.refuses
    assert found.says == "31 of 1,000 lines are of a type that is not known: holo-note"


def requests_of(version: str | None, requests: int) -> pl.DataFrame:
    return pl.DataFrame(
        {"client": ["codex"] * requests, "client_version": [version] * requests},
        schema={"client": pl.String, "client_version": pl.String},
    )


@pytest.mark.parametrize(("version", "name"), [("0.170.0", "0.170.0"), (None, "(other)")])
def test_replies_without_usage_are_a_warning_beyond_three_in_a_hundred_of_a_version(
    version: str | None, name: str
) -> None:
    usage = pl.concat([requests_of(version, 97), requests_of("0.169.0", 5000)])
    silent = [unfamiliar(("reply_without_usage", name, lines)) for lines in (3, 4)]
    assert quality.replies_carry_usage(unfamiliar(), usage).passed
    assert quality.replies_carry_usage(silent[0], usage).passed
    found = quality.replies_carry_usage(silent[1], usage)
    assert (found.passed, found.refuses) == (False, False)
    assert found.says == f"without usage, so not counted: codex {name}: 4 of 101 replies"


def test_a_first_publication_cannot_have_shrunk() -> None:
    assert quality.ledger_has_not_shrunk(usage(1, 0), sources(), None, None).passed


def test_a_ledger_that_grew_has_not_shrunk() -> None:
    before = page(7, 2, laptop=9)
    found = quality.ledger_has_not_shrunk(usage(8, 2), sources({"laptop": 10}), before, before)
    assert found.passed


@pytest.mark.parametrize(("claude", "codex"), [(6, 2), (7, 1)])
def test_a_week_with_fewer_requests_than_were_published_is_refused(claude: int, codex: int) -> None:
    found = quality.ledger_has_not_shrunk(usage(claude, codex), sources(), page(7, 2), None)
    assert found.refuses
    assert "published" in found.says and "backup" in found.says


@pytest.mark.parametrize("now", [{"laptop": 8}, {"desk": 20}, {}])
def test_a_host_that_lost_requests_refuses_any_week(now: dict[str, int]) -> None:
    found = quality.ledger_has_not_shrunk(usage(9, 9), sources(now), None, page(7, 2, laptop=9))
    assert found.refuses
    assert "host laptop" in found.says


def test_the_demo_fleet_may_go_when_a_real_one_comes() -> None:
    demo = page(700, 200, demo=True, demo_host=900)
    found = quality.ledger_has_not_shrunk(usage(3, 0), sources({"laptop": 3}), demo, demo)
    assert found.passed


def reconciliation(**claude: int | float | None) -> pl.DataFrame:
    """Return the table of a client without any session, and of Claude Code as a whole."""
    codex = {
        "client": "codex", "model": "", "sessions": 0, "comparable": 0, "agreeing": 0,
        "billed_tokens": 0, "only_billed_tokens": 0, "only_logged_tokens": 0,
        "completeness_share": None,
    }  # fmt: skip
    whole = codex | {"client": "claude", "sessions": 9, "comparable": 4, "agreeing": 3} | claude
    part = whole | {"model": "opus", "only_logged_tokens": 10**9, "completeness_share": 0.0}
    return pl.DataFrame([codex, whole, part], infer_schema_length=None)


def test_a_ledger_a_little_beyond_the_clients_totals_is_no_news_and_far_beyond_is() -> None:
    little = reconciliation(billed_tokens=1000, only_logged_tokens=50)
    found = quality.ledger_is_within_client_totals(little)
    assert found.passed
    assert "claude: 4 of 9 sessions have a total, 3 agree to the token" in found.says
    much = quality.ledger_is_within_client_totals(
        reconciliation(billed_tokens=1000, only_logged_tokens=51)
    )
    assert (much.passed, much.refuses) == (False, False)
    assert much.says == "claude: 51 tokens beyond the 1,000 of the client's own totals"


def test_a_client_that_was_billed_for_much_that_is_in_no_transcript_is_told() -> None:
    assert quality.transcripts_tell_nearly_all(reconciliation(completeness_share=0.9)).passed
    found = quality.transcripts_tell_nearly_all(reconciliation(completeness_share=0.899))
    assert (found.passed, found.refuses) == (False, False)
    assert "claude: the transcripts have 89.9% of what" in found.says


def test_nothing_is_warned_of_where_no_client_keeps_a_total() -> None:
    nothing = reconciliation(comparable=0, agreeing=0)
    assert quality.ledger_is_within_client_totals(nothing).passed
    assert quality.transcripts_tell_nearly_all(nothing).passed
    assert "0 of 9 sessions have a total" in quality.transcripts_tell_nearly_all(nothing).says


def test_the_published_record_of_an_outcome_has_no_more_than_the_page_needs() -> None:
    outcome = quality.Outcome(
        "days_add_up", "error", False, "off", {"sums_off": 1}, "daily_usage", "report it"
    )
    assert outcome.record() == {
        "name": "days_add_up",
        "severity": "error",
        "passed": False,
        "broken": False,
        "table": "daily_usage",
        "says": "off",
        "remedy": "report it",
    }
