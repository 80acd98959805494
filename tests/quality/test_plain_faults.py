"""Every check between tables and against before, seen to fail; docs/quality.md is the record."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from fleet_pipeline import quality
from fleet_pipeline.hosts import Host
from fleet_pipeline.quality.names import BETWEEN_TABLES
from fleet_pipeline.quality.suites import COUNTED_OF

from .test_arrivals import CLOSE, contexts, coverage, daily, volumes
from .test_invariants import (
    page,
    parts,
    reconciliation,
    requests_of,
    sources,
    unfamiliar,
    usage,
)

DOCUMENT = Path(__file__).parents[2] / "docs" / "quality.md"

LEDGER = pl.DataFrame({"client": ["claude"] * 2, "message_id": ["a", "a"]})
ROUTES = pl.DataFrame({"model": ["glm"], "requests": [6], "full_input_tokens": [6]})
PRICES = pl.DataFrame({"provider": ["zai"], "model": ["glm"], "input_usd_per_mtok": [1.4]})
SHARES = pl.DataFrame(
    {
        "agent": ["forge"],
        "target_share": [0.55],
        "eligible_share": [0.41],
        "verdict": ["exceeds"],
    }
)
QUIET: Host = {
    "host": "build-box",
    "requests": 9,
    "last_ts": "2026-06-01T09:00:00+00:00",
    "quiet_days": 15,
}

FAULTS: tuple[tuple[str, Callable[[], quality.Outcome]], ...] = (
    ("a request that is in the ledger twice", lambda: quality.requests_are_unique(LEDGER)),
    ("an agent's row lost", lambda: quality.agents_add_up(parts(4, agent=["forge"]), usage(7, 0))),
    ("a day's row lost", lambda: quality.days_add_up(parts(4, date=["1"]), usage(7, 0))),
    ("a turn lost", lambda: quality.turns_add_up(parts(4), usage(7, 0))),
    ("a route lost", lambda: quality.routes_add_up(ROUTES, usage(7, 0))),
    (
        "no request in thirty days",
        lambda: quality.window_holds_requests(pl.DataFrame({"days": [30], "days_covered": [0]})),
    ),
    (
        "three days without a request",
        lambda: quality.window_is_whole(pl.DataFrame({"days": [30], "days_covered": [27]})),
    ),
    (
        "a folder that went away",
        lambda: quality.silence_is_explained(coverage(CLOSE - timedelta(days=4)), 0),
    ),
    ("a host that is not mounted", lambda: quality.hosts_are_read(["build-box"], 0)),
    ("a host gone quiet", lambda: quality.hosts_are_reporting([QUIET], ["build-box"])),
    ("a permission lost", lambda: quality.hosts_are_read([], 3)),
    (
        "an agent that vanished",
        lambda: quality.agents_are_heard_of(daily(forge=range(8, 20)), CLOSE),
    ),
    ("two thirds of a week lost", lambda: quality.volume_has_not_collapsed(volumes(1000, 333))),
    ("a week twice as large", lambda: quality.volumes_are_usual(volumes(100, 100, 100, 100, 200))),
    (
        "a week published with more",
        lambda: quality.ledger_has_not_shrunk(usage(6, 2), sources(), page(7, 2), None),
    ),
    (
        "a host's days lost",
        lambda: quality.ledger_has_not_shrunk(
            usage(9, 9), sources({"laptop": 8}), None, page(7, 2, laptop=9)
        ),
    ),
    (
        "many lines that are not believed",
        lambda: quality.quarantine_is_small(sources(quarantined={"unreadable": 6})),
    ),
    (
        "a field of usage that nobody knows",
        lambda: quality.formats_are_known(unfamiliar(("usage_field", "image_tokens", 1)), 1000),
    ),
    (
        "a client that no longer writes usage",
        lambda: quality.replies_carry_usage(
            unfamiliar(("reply_without_usage", "0.170.0", 40)), requests_of("0.170.0", 60)
        ),
    ),
    (
        "a request larger than its model's window",
        lambda: quality.requests_fit_their_window(contexts(250_000, 200_000)),
    ),
    (
        "a price that is not known",
        lambda: quality.priced_models_have_prices(PRICES, [("zai", "glm-6")]),
    ),
    (
        "a model in use without a price",
        lambda: quality.used_models_have_prices(
            pl.DataFrame({"model": ["new"], "cost_usd_micros": [None]})
        ),
    ),
    (
        "a candidate that is not ranked",
        lambda: quality.ranking_is_complete(pl.DataFrame({"model": ["glm"]}), ["glm", "qwen"]),
    ),
    ("a target beyond what may move", lambda: quality.targets_are_movable(SHARES)),
    (
        "more in the ledger than was billed",
        lambda: quality.ledger_is_within_client_totals(
            reconciliation(billed_tokens=1000, only_logged_tokens=51)
        ),
    ),
    (
        "less in the transcripts than was billed",
        lambda: quality.transcripts_tell_nearly_all(reconciliation(completeness_share=0.8)),
    ),
    ("a feed that does not answer", lambda: quality.feeds_answer(["models.dev"])),
    (
        "prices three weeks old",
        lambda: quality.prices_are_fresh(pl.DataFrame({"age_days": [21], "age": ["too old"]})),
    ),
    (
        "a candidate gone from the lists",
        lambda: quality.candidates_are_listed(pl.DataFrame({"model": ["glm"], "status": ["gone"]})),
    ),
    (
        "a free tier nobody looked up",
        lambda: quality.free_tiers_are_verified(
            pl.DataFrame({"provider": ["zai"], "freshness": ["old"]})
        ),
    ),
    (
        "a published file changed by hand",
        lambda: quality.published_bytes_are_listed({"page.json": "b"}, {"page.json": "a"}),
    ),
    (
        "a table made again after it was judged",
        lambda: quality.verdicts_hold(
            quality.verdicts([quality.Outcome("x", "error", True, "", table="t")], {"t": LEDGER}),
            {"t": PRICES},
        ),
    ),
)


@pytest.mark.parametrize(("fault", "found"), FAULTS, ids=[words for words, _ in FAULTS])
def test_a_planted_fault_is_caught_and_an_operator_is_told(
    fault: str, found: Callable[[], quality.Outcome]
) -> None:
    outcome = found()
    assert not outcome.passed
    kind = "refused" if outcome.refuses else "warned"
    row = f"| {fault} | `{outcome.name}` | {kind}: {outcome.told} |"
    if os.environ.get("FLEET_WRITE_RECORD") and row not in DOCUMENT.read_text():
        with DOCUMENT.open("a") as document:
            document.write(row + "\n")
    assert row in DOCUMENT.read_text(), (
        "docs/quality.md is not true any more: delete the rows of its last table, and run this"
        " with FLEET_WRITE_RECORD=1"
    )


def test_each_plain_check_that_refuses_has_a_fault_that_it_catches() -> None:
    refusing = {outcome.name for _, found in FAULTS if (outcome := found()).refuses}
    assert refusing - {"verdicts_hold", "published_bytes_are_listed"} == BETWEEN_TABLES


def test_a_verdict_stands_for_the_very_table_and_for_nothing_else() -> None:
    tables = {"routes": ROUTES, "prices": PRICES}
    before = quality.verdicts([_of("routes"), _of("prices")], tables)
    assert quality.standing(before, tables) == {
        "routes": [_of("routes")],
        "prices": [_of("prices")],
    }
    assert quality.judge(tables, before) == [_of("routes"), _of("prices")]
    cheaper = tables | {"prices": PRICES.with_columns(input_usd_per_mtok=1.3)}
    assert list(quality.standing(before, cheaper)) == ["routes"]
    assert quality.standing(before.drop("judged"), tables) == {}


def test_a_check_that_broke_is_asked_again() -> None:
    broken = replace(_of("routes"), name="breaks", passed=False, broken=True)
    before = quality.verdicts([_of("routes"), broken], {"routes": ROUTES})
    assert quality.standing(before, {"routes": ROUTES}) == {}


def test_counts_of_requests_stand_only_if_all_that_is_counted_is_the_same() -> None:
    tables = dict.fromkeys(COUNTED_OF, ROUTES)
    before = quality.verdicts(map(_of, COUNTED_OF), tables)
    assert set(quality.standing(before, tables)) == set(COUNTED_OF)
    other = tables | {"window_coverage": PRICES}
    assert quality.standing(before, other) == {}


def _of(table: str) -> quality.Outcome:
    counts = {"rows": 1, "rows_failing": 0, "expectations": 2, "expectations_failed": 0}
    return quality.Outcome(f"{table}_is_well", "error", True, "as expected", counts, table=table)
