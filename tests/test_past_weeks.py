"""The deciding figures of past weeks: made anew, from what the ledger and the feeds know."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from fleet_pipeline import past_weeks, tables
from fleet_pipeline.ledger.evidence import QUOTA
from fleet_pipeline.org import Org, load
from fleet_pipeline.pricing import EMBEDDED

CLOSE = date(2026, 6, 17)
Rows = list[tuple[date, str, int]]


@pytest.fixture(scope="module")
def org() -> Org:
    return load(Path(__file__).parents[1] / "orgs" / "riles-fleet")


def requests(rows: Rows) -> pl.DataFrame:
    """Claude's requests: day, agent, tokens read from the cache."""
    counted = dict.fromkeys(
        ("input_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens"), 0
    )
    return pl.DataFrame(
        [
            {
                "client": "claude",
                "host": "anvil",
                "date": day,
                "agent": agent,
                **counted,
                "ts": datetime.combine(day, datetime.min.time(), UTC),
                "cache_read_tokens": tokens,
                "full_input_tokens": tokens,
            }
            for day, agent, tokens in rows
        ]
    )


def figures(rows: Rows, org: Org) -> dict[date, dict[str, object]]:
    made = past_weeks.deciding_figures(
        requests(rows),
        pl.DataFrame(schema={**QUOTA, "host": pl.String}),
        org,
        close=CLOSE,
        price_at=lambda day: EMBEDDED.find("openrouter", "z-ai/glm-5.2", day),
    )
    return {row["close"]: row for row in made.iter_rows(named=True)}


def days(first: date, count: int) -> list[date]:
    return [first + timedelta(days=number) for number in range(count)]


def test_each_week_has_its_own_thirty_days(org: Org) -> None:
    rows: Rows = [(day, "forge", 1_000_000) for day in days(CLOSE - timedelta(days=60), 60)]
    made = figures(rows, org)
    assert list(made) == past_weeks.closes(CLOSE)
    assert made[CLOSE]["days_covered"] == made[CLOSE - timedelta(days=7)]["days_covered"] == 30
    assert made[CLOSE]["full_input_tokens"] == 30_000_000
    assert made[CLOSE]["target_share"] == pytest.approx(0.55)


def test_a_week_that_no_request_falls_into_is_left_out_and_never_a_zero(org: Org) -> None:
    made = figures([(CLOSE - timedelta(days=1), "forge", 5)], org)
    assert list(made) == [CLOSE]


def test_a_later_request_never_changes_what_a_closed_week_was(org: Org) -> None:
    rows: Rows = [(day, "sage", 1_000_000) for day in days(CLOSE - timedelta(days=50), 43)]
    before = CLOSE - timedelta(days=7)
    more: Rows = [*rows, (CLOSE - timedelta(days=2), "sage", 9_000_000)]
    assert figures(rows, org)[before] == figures(more, org)[before]


def test_the_order_of_the_requests_changes_nothing(org: Org) -> None:
    rows: Rows = [(day, "sage", 7) for day in days(CLOSE - timedelta(days=40), 40)]
    assert figures(rows, org) == figures(rows[::-1], org)


def test_an_agents_weeks_leave_out_those_that_nothing_is_known_of() -> None:
    starts = past_weeks.week_starts(CLOSE)
    made = tables.run(
        "agent_weeks",
        weeks=pl.DataFrame({"week_start": starts}),
        requests=requests([(starts[-1], "forge", 5), (starts[-2], "gone", 3)]),
        agents=pl.DataFrame({"agent": ["forge", "sage"]}),
    )
    assert made.select("week_start", "agent", "full_input_tokens").rows() == [
        (starts[-2], "forge", 0),
        (starts[-2], "sage", 0),
        (starts[-2], "unattributed", 3),
        (starts[-1], "forge", 5),
        (starts[-1], "sage", 0),
        (starts[-1], "unattributed", 0),
    ]


def test_the_curve_of_contexts_ends_where_every_request_fits() -> None:
    made = tables.run(
        "context_curve",
        requests=requests([(CLOSE, "forge", 2_000), (CLOSE, "forge", 3_000)]),
    )
    assert made["requests_share"].to_list()[-1] == 1.0
    assert made["tokens"].to_list()[-1] == 3_444
    assert made.filter(pl.col("tokens") == 2_048)["requests"].to_list() == [1]
