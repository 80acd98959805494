"""Reports over the ledger: what is in a row, what it costs, and that nothing goes missing."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_pipeline.costing import subscription_value
from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.ledger.columns import USAGE
from fleet_pipeline.reports.periods import WEEKDAYS, Days, known_zone
from fleet_pipeline.reports.usage import KINDS, Kind, Report, Usage, report

Ledger = Callable[..., pl.DataFrame]
UTC_DAYS = Days()


def tokens_by_key(made: Report) -> dict[str, int]:
    return {row.key: row.usage.total_tokens for row in made.rows}


class TestPeriods:
    def test_a_day_is_one_of_the_zone(self, ledger: Ledger) -> None:
        rows = ledger({"ts": "2026-06-10 22:30"}, {"ts": "2026-06-10 21:30", "input_tokens": 10})
        assert tokens_by_key(report("daily", rows, UTC_DAYS)) == {"2026-06-10": 11}
        assert tokens_by_key(report("daily", rows, Days("Europe/Berlin"))) == {
            "2026-06-10": 10,
            "2026-06-11": 1,
        }

    def test_the_day_on_which_clocks_go_forward_has_23_hours(self, ledger: Ledger) -> None:
        # Berlin, 2026-03-29: from 23:00 UTC on the day before to 22:00 UTC.
        rows = ledger(
            {"ts": "2026-03-28 22:59:59", "input_tokens": 1},
            {"ts": "2026-03-28 23:00:00", "input_tokens": 10},
            {"ts": "2026-03-29 21:59:59", "input_tokens": 100},
            {"ts": "2026-03-29 22:00:00", "input_tokens": 1000},
        )
        assert tokens_by_key(report("daily", rows, Days("Europe/Berlin"))) == {
            "2026-03-28": 1,
            "2026-03-29": 110,
            "2026-03-30": 1000,
        }

    def test_the_day_on_which_clocks_go_back_has_25_hours(self, ledger: Ledger) -> None:
        # New York, 2026-11-01: from 04:00 UTC to 05:00 UTC on the day after.
        rows = ledger(
            {"ts": "2026-11-01 03:59:59", "input_tokens": 1},
            {"ts": "2026-11-01 04:00:00", "input_tokens": 10},
            {"ts": "2026-11-02 04:59:59", "input_tokens": 100},
            {"ts": "2026-11-02 05:00:00", "input_tokens": 1000},
        )
        assert tokens_by_key(report("daily", rows, Days("America/New_York"))) == {
            "2026-10-31": 1,
            "2026-11-01": 110,
            "2026-11-02": 1000,
        }

    @pytest.mark.parametrize(
        ("week_start", "weeks"),
        [
            ("wednesday", ["2026-06-03", "2026-06-10"]),
            ("sunday", ["2026-06-07"]),
            ("monday", ["2026-06-08"]),
        ],
    )
    def test_a_week_is_named_by_its_first_day(
        self, ledger: Ledger, week_start: str, weeks: list[str]
    ) -> None:
        rows = ledger({"ts": "2026-06-09 12:00"}, {"ts": "2026-06-10 12:00"})  # Tuesday, Wednesday
        made = report("weekly", rows, UTC_DAYS, week_start=week_start)
        assert [row.key for row in made.rows] == weeks

    def test_a_month_is_one_of_the_zone(self, ledger: Ledger) -> None:
        rows = ledger({"ts": "2026-06-30 23:30"})
        made = [report("monthly", rows, Days(zone)).rows[0].key for zone in ("UTC", "Asia/Tokyo")]
        assert made == ["2026-06", "2026-07"]

    def test_both_ends_of_a_range_are_included(self, ledger: Ledger) -> None:
        rows = ledger(*({"ts": f"2026-06-{day} 00:00"} for day in range(10, 15)))
        days = Days(since=date(2026, 6, 11), until=date(2026, 6, 13))
        made = report("daily", rows, days)
        assert [row.key for row in made.rows] == ["2026-06-11", "2026-06-12", "2026-06-13"]

    def test_a_range_is_of_days_of_the_zone(self, ledger: Ledger) -> None:
        rows = ledger({"ts": "2026-06-10 14:59"}, {"ts": "2026-06-10 15:00", "input_tokens": 5})
        day = date(2026, 6, 11)
        assert report("model", rows, Days("Asia/Tokyo", day, day)).total.input_tokens == 5

    def test_a_range_cuts_weeks_and_months(self, ledger: Ledger) -> None:
        rows = ledger({"ts": "2026-06-10 12:00"}, {"ts": "2026-06-11 12:00"})
        days = Days(since=date(2026, 6, 11))
        for kind in ("weekly", "monthly", "session"):
            assert report(kind, rows, days).total.requests == 1

    @given(
        day=st.dates(date(2024, 1, 1), date(2027, 12, 31)),
        zone=st.sampled_from(["UTC", "Pacific/Kiritimati", "Etc/GMT+12", "Asia/Kathmandu"]),
    )
    def test_the_utc_days_that_are_read_hold_the_whole_day(self, day: date, zone: str) -> None:
        first, end = Days(zone, day, day).utc_days()
        midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
        assert first <= midnight.astimezone(UTC).date()
        assert (midnight + timedelta(days=1)).astimezone(UTC).date() < end

    def test_a_range_that_ends_before_it_begins_is_a_mistake(self) -> None:
        with pytest.raises(ConfigurationError, match="--since 2026-06-02 is after --until"):
            Days(since=date(2026, 6, 2), until=date(2026, 6, 1))

    @pytest.mark.parametrize(
        ("wrong", "near"),
        [("europe/berlim", "Europe/Berlin"), ("Mars/Olympus", "no such"), ("../../etc", "no such")],
    )
    def test_a_zone_that_does_not_exist_is_named_with_those_that_are_near(
        self, wrong: str, near: str
    ) -> None:
        with pytest.raises(ConfigurationError, match=near):
            known_zone(wrong)


class TestRows:
    def test_sessions_agents_and_models_come_largest_first(self, ledger: Ledger) -> None:
        rows = ledger(
            {"session_id": "small"},
            {"session_id": "large", "cache_read_tokens": 9, "model": "claude-opus-4-7"},
        )
        assert tokens_by_key(report("session", rows, UTC_DAYS)) == {"large": 10, "small": 1}
        assert [row.key for row in report("session", rows, UTC_DAYS).rows] == ["large", "small"]
        assert [row.key for row in report("model", rows, UTC_DAYS).rows] == [
            "claude-opus-4-7",
            "claude-sonnet-4-6",
        ]

    def test_work_of_no_agent_comes_last(self, ledger: Ledger) -> None:
        rows = ledger({"cwd": "/elsewhere", "input_tokens": 1000}, {"cwd": "/srv/forge"}, {})
        agents = pl.DataFrame({"cwd": ["/srv/forge"], "agent": ["forge"]})
        made = report("agent", rows, UTC_DAYS, agents=agents)
        assert list(tokens_by_key(made).items()) == [("forge", 1), ("unattributed", 1001)]

    def test_what_the_log_does_not_name_is_called_unknown(self, ledger: Ledger) -> None:
        rows = ledger({"session_id": None, "model": None})
        assert report("session", rows, UTC_DAYS).rows[0].key == "unknown"
        assert report("model", rows, UTC_DAYS).total.unpriced_models == {"unknown"}

    def test_both_clients_are_in_one_row(self, ledger: Ledger) -> None:
        rows = ledger({}, {"client": "codex", "model": "gpt-5.5", "input_tokens": 7})
        [day] = report("daily", rows, UTC_DAYS).rows
        assert [(line.client, line.usage.input_tokens) for line in day.lines] == [
            ("codex", 7),
            ("claude", 1),
        ]

    def test_an_empty_ledger_has_no_rows_and_a_total_of_nothing(self, ledger: Ledger) -> None:
        for kind in KINDS:
            made = report(kind, ledger(), UTC_DAYS)
            assert (made.rows, made.total) == ((), Usage())


class TestCosts:
    def test_each_class_has_its_own_price(self, ledger: Ledger) -> None:
        # claude-sonnet-4-6: 3 / 15 USD per million, writes 3.75 and 6, reads 0.30.
        rows = ledger(
            {
                "input_tokens": 1,
                "cache_write_5m_tokens": 10,
                "cache_write_1h_tokens": 100,
                "cache_read_tokens": 1000,
                "output_tokens": 10_000,
            }
        )
        expected = Decimal("3") + Decimal("37.5") + 600 + 300 + 150_000
        assert report("daily", rows, UTC_DAYS).total.cost_usd_micros == expected

    def test_nothing_is_rounded_before_it_is_written_down(self, ledger: Ledger) -> None:
        rows = ledger(*({"input_tokens": 0, "cache_read_tokens": 1} for _ in range(7)))
        assert report("daily", rows, UTC_DAYS).total.cost_usd_micros == Decimal("2.1")

    def test_a_long_context_is_priced_whole_at_its_tier(self, ledger: Ledger) -> None:
        # claude-sonnet-4-5: 3 USD per million, 6 as soon as the input exceeds 200,000 tokens.
        costs = [
            report(
                "daily",
                ledger({"model": "claude-sonnet-4-5", "input_tokens": tokens}),
                UTC_DAYS,
            ).total.cost_usd_micros
            for tokens in (200_000, 200_001)
        ]
        assert costs == [600_000, 1_200_006]

    def test_codex_is_priced_by_openais_list(self, ledger: Ledger) -> None:
        rows = ledger(
            {"client": "codex", "model": "gpt-5", "input_tokens": 1_000_000, "output_tokens": 1}
        )
        # gpt-5: 1.25 / 10 USD per million
        assert report("daily", rows, UTC_DAYS).total.cost_usd_micros == 1_250_010

    def test_the_price_is_that_of_the_utc_day_of_use_whatever_the_zone(
        self, ledger: Ledger
    ) -> None:
        rows = ledger({"ts": "2026-06-10 23:59"}, {"ts": "2026-06-11 00:01"})
        costs = {
            report("daily", rows, Days(zone)).total.cost_usd_micros
            for zone in ("UTC", "Asia/Tokyo", "America/Los_Angeles")
        }
        assert len(costs) == 1

    def test_an_unknown_price_makes_the_cost_unknown_and_names_the_model(
        self, ledger: Ledger
    ) -> None:
        rows = ledger({}, {"model": "claude-of-the-future"})
        total = report("daily", rows, UTC_DAYS).total
        assert total.cost_usd_micros is None
        assert total.priced_usd_micros == 3
        assert total.unpriced_models == {"claude-of-the-future"}

    def test_the_cost_is_the_one_of_the_weekly_table(self, ledger: Ledger) -> None:
        rows = ledger(
            {"cache_read_tokens": 123_457, "output_tokens": 77},
            {"model": "claude-opus-4-7", "cache_write_1h_tokens": 4321},
        )
        weekly = subscription_value(
            rows.with_columns(
                date=pl.col("ts").dt.date(),
                full_input_tokens=pl.sum_horizontal(
                    "input_tokens",
                    "cache_write_5m_tokens",
                    "cache_write_1h_tokens",
                    "cache_read_tokens",
                ),
            )
        )
        ours = {row.key: row.usage.cost_usd_micros for row in report("model", rows, UTC_DAYS).rows}
        assert {
            model: int((cost or Decimal()).to_integral_value(rounding="ROUND_HALF_UP"))
            for model, cost in ours.items()
        } == dict(weekly.select("model", "cost_usd_micros").iter_rows())


class TestBlocks:
    def blocks(self, ledger: Ledger, *times: str, days: Days = UTC_DAYS) -> list[tuple[str, int]]:
        made = report("blocks", ledger(*({"ts": f"2026-06-{time}"} for time in times)), days)
        return [(row.key, row.usage.requests) for row in made.rows]

    def test_a_block_begins_at_the_full_hour_of_its_first_request(self, ledger: Ledger) -> None:
        assert self.blocks(ledger, "10 10:59:59") == [("2026-06-10T10:00:00Z", 1)]

    def test_a_block_lasts_five_hours_and_not_a_moment_longer(self, ledger: Ledger) -> None:
        assert self.blocks(ledger, "10 10:30", "10 13:00", "10 15:00:00", "10 15:00:01") == [
            ("2026-06-10T10:00:00Z", 3),
            ("2026-06-10T15:00:00Z", 1),
        ]

    def test_five_hours_without_a_request_are_a_gap(self, ledger: Ledger) -> None:
        rows = ledger({"ts": "2026-06-10 10:30"}, {"ts": "2026-06-10 20:45"})
        block, gap, _ = report("blocks", rows, UTC_DAYS).rows
        assert (block.is_gap, gap.is_gap) == (False, True)
        assert (gap.first.hour, gap.first.minute) == (15, 30)
        assert (gap.last.hour, gap.last.minute) == (20, 45)
        assert gap.usage == Usage()

    def test_a_range_picks_whole_blocks_by_the_day_on_which_they_begin(
        self, ledger: Ledger
    ) -> None:
        times = ("10 22:00", "11 02:00", "11 08:00")
        days = Days(since=date(2026, 6, 11))
        assert self.blocks(ledger, *times, days=days) == [("2026-06-11T08:00:00Z", 1)]
        days = Days(until=date(2026, 6, 10))
        assert self.blocks(ledger, *times, days=days) == [("2026-06-10T22:00:00Z", 2)]

    def test_codex_has_no_blocks(self, ledger: Ledger) -> None:
        rows = ledger({"client": "codex", "model": "gpt-5"})
        assert report("blocks", rows, UTC_DAYS).rows == ()


_REQUEST = st.fixed_dictionaries(
    {
        "ts": st.datetimes(datetime(2026, 3, 20), datetime(2026, 4, 5), timezones=st.just(UTC)),
        "client": st.sampled_from(["claude", "codex"]),
        "model": st.sampled_from(["claude-sonnet-4-6", "claude-opus-4-7", "gpt-5", "new", None]),
        "session_id": st.sampled_from(["one", "two", None]),
        "cwd": st.sampled_from(["/srv/forge", "/elsewhere", None]),
        "input_tokens": st.integers(0, 10**6),
        "cache_read_tokens": st.integers(0, 10**6),
        "output_tokens": st.integers(0, 10**4),
        "output_is_final": st.booleans(),
    }
)
_ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Kiritimati"]
)


def _ledger(requests: list[dict[str, object]]) -> pl.DataFrame:
    defaults = {
        **dict.fromkeys(USAGE),
        **{name: 0 for name in USAGE if name.endswith("_tokens")},
        "web_search_requests": 0,
    }
    made = [{**defaults, **request} for request in requests]
    return pl.DataFrame(made, schema=USAGE, orient="row")


@settings(max_examples=25, deadline=None)
@given(
    requests=st.lists(_REQUEST, max_size=12),
    kind=st.sampled_from(KINDS),
    zone=_ZONES,
    week_start=st.sampled_from(WEEKDAYS),
)
def test_whatever_the_zone_the_rows_are_the_whole_ledger(
    requests: list[dict[str, object]], kind: Kind, zone: str, week_start: str
) -> None:
    rows = _ledger(requests)
    counted = rows.filter(client="claude") if kind == "blocks" else rows
    made = report(kind, rows, Days(zone), week_start=week_start)
    assert made.total.requests == counted.height
    for name in ("input_tokens", "output_tokens", "cache_read_tokens"):
        assert getattr(made.total, name) == counted[name].sum()
    assert made.total.placeholders == (~counted["output_is_final"]).sum()
    # One total for all kinds, to the last fraction of a micro-dollar.
    assert made.total == report("daily", counted, Days()).total


@settings(max_examples=25, deadline=None)
@given(
    requests=st.lists(_REQUEST, max_size=12),
    kind=st.sampled_from(KINDS),
    zone=_ZONES,
    day=st.dates(date(2026, 3, 19), date(2026, 4, 6)),
)
def test_two_ranges_that_meet_are_the_whole(
    requests: list[dict[str, object]], kind: Kind, zone: str, day: date
) -> None:
    rows = _ledger(requests)
    before = report(kind, rows, Days(zone, until=day - timedelta(days=1)))
    after = report(kind, rows, Days(zone, since=day))
    assert before.total + after.total == report(kind, rows, Days(zone)).total
