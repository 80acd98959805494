"""A report as JSON, in names that scripts for ccusage know, and as text for people."""

from collections.abc import Callable
from datetime import UTC, datetime

import polars as pl
import pytest

from fleet_pipeline.reports.as_json import as_json
from fleet_pipeline.reports.as_text import notes, table
from fleet_pipeline.reports.periods import Days
from fleet_pipeline.reports.text_table import plain
from fleet_pipeline.reports.usage import Kind, Report, report

Ledger = Callable[..., pl.DataFrame]
USED = {
    "ts": "2026-06-10 10:00",
    "input_tokens": 1000,
    "cache_write_5m_tokens": 200,
    "cache_write_1h_tokens": 50,
    "cache_read_tokens": 30_000,
    "output_tokens": 400,
}
UNPRICED = {"ts": "2026-06-10 11:00", "model": "claude-new", "output_tokens": 5}


def made(kind: Kind, rows: pl.DataFrame, zone: str = "UTC") -> Report:
    newest = datetime(2026, 6, 10, 11, 30, tzinfo=UTC)
    return report(kind, rows, Days(zone), newest=newest)


class TestJson:
    def test_a_day_has_the_keys_of_ccusage(self, ledger: Ledger) -> None:
        document = as_json(made("daily", ledger(USED)))
        tokens = {
            "requests": 1,
            "inputTokens": 1000,
            "outputTokens": 400,
            "cacheCreationTokens": 250,
            "cacheReadTokens": 30_000,
            "totalTokens": 31_650,
        }
        cost = 0.003 + 0.00075 + 0.0003 + 0.009 + 0.006
        assert document["daily"] == [
            {
                "date": "2026-06-10",
                **tokens,
                "totalCost": pytest.approx(cost),
                "pricedCost": pytest.approx(cost),
                "unpricedModels": [],
                "modelsUsed": ["claude-sonnet-4-6"],
                "modelBreakdowns": [
                    {
                        "modelName": "claude-sonnet-4-6",
                        "client": "claude",
                        **tokens,
                        "cost": pytest.approx(cost),
                        "missingPricing": False,
                    }
                ],
            }
        ]
        totals = document["totals"]
        assert isinstance(totals, dict)
        assert {name: totals[name] for name in tokens} == tokens

    @pytest.mark.parametrize(
        ("kind", "name", "key"),
        [
            ("daily", "daily", "date"),
            ("weekly", "weekly", "week"),
            ("monthly", "monthly", "month"),
            ("session", "sessions", "sessionId"),
            ("agent", "agents", "agent"),
            ("model", "models", "model"),
            ("blocks", "blocks", "id"),
        ],
    )
    def test_the_list_bears_the_name_of_the_report(
        self, ledger: Ledger, kind: Kind, name: str, key: str
    ) -> None:
        rows = as_json(made(kind, ledger(USED)))[name]
        assert isinstance(rows, list)
        assert key in rows[0]

    def test_an_unknown_price_is_null_and_named_and_never_0(self, ledger: Ledger) -> None:
        document = as_json(made("daily", ledger(USED, UNPRICED)))
        assert isinstance(document["daily"], list)
        [day] = document["daily"]
        assert day["totalCost"] is None
        assert day["pricedCost"] == pytest.approx(0.01905)
        assert day["unpricedModels"] == ["claude-new"]
        costs = {line["modelName"]: line["cost"] for line in day["modelBreakdowns"]}
        assert costs == {"claude-sonnet-4-6": pytest.approx(0.01905), "claude-new": None}

    def test_a_session_says_when_it_was_used_and_no_folder(self, ledger: Ledger) -> None:
        document = as_json(made("session", ledger({**USED, "cwd": "/srv/secret"})))
        assert isinstance(document["sessions"], list)
        assert document["sessions"][0]["lastActivity"] == "2026-06-10T10:00:00.000Z"
        assert "secret" not in str(document)

    def test_blocks_and_gaps_have_the_shape_of_ccusage(self, ledger: Ledger) -> None:
        rows = ledger({**USED, "ts": "2026-06-10 10:12"}, {**USED, "ts": "2026-06-10 20:00"})
        blocks = as_json(made("blocks", rows))["blocks"]
        assert isinstance(blocks, list)
        block, gap, _ = blocks
        assert block["startTime"] == block["id"] == "2026-06-10T10:00:00.000Z"
        assert block["endTime"] == "2026-06-10T15:00:00.000Z"
        assert block["actualEndTime"] == "2026-06-10T10:12:00.000Z"
        assert (block["isGap"], block["entries"], block["totalTokens"]) == (False, 1, 31_650)
        assert block["tokenCounts"] == {
            "inputTokens": 1000,
            "outputTokens": 400,
            "cacheCreationInputTokens": 250,
            "cacheReadInputTokens": 30_000,
        }
        assert (gap["isGap"], gap["startTime"], gap["endTime"], gap["costUSD"]) == (
            True,
            "2026-06-10T15:12:00.000Z",
            "2026-06-10T20:00:00.000Z",
            0.0,
        )

    def test_what_is_not_in_the_figures_is_counted(self, ledger: Ledger) -> None:
        rows = ledger({"output_is_final": False}, {"web_search_requests": 3}, {"speed": "fast"})
        totals = as_json(made("daily", rows))["totals"]
        assert isinstance(totals, dict)
        names = ("placeholderOutputs", "webSearches", "fastRequests")
        assert [totals[name] for name in names] == [1, 3, 1]


class TestText:
    def text(self, kind: Kind, rows: pl.DataFrame, *, short: bool = False) -> list[str]:
        return plain(table(made(kind, rows), short=short))

    def test_a_model_may_be_called_gap(self, ledger: Ledger) -> None:
        _, _, row, *_ = self.text("model", ledger({**USED, "model": "gap"}))
        assert row.split()[0] == "gap" and "1,000" in row

    def test_the_columns_are_those_of_ccusage(self, ledger: Ledger) -> None:
        assert self.text("daily", ledger(USED)) == [
            "Date        Models      Input  Output  Cache Create  Cache Read"
            "  Total Tokens  Cost (USD)",
            "----------  ----------  -----  ------  ------------  ----------"
            "  ------------  ----------",
            "2026-06-10  sonnet-4-6  1,000     400           250      30,000"
            "        31,650       $0.02",
            "----------  ----------  -----  ------  ------------  ----------"
            "  ------------  ----------",
            "Total                   1,000     400           250      30,000"
            "        31,650       $0.02",
        ]

    @pytest.mark.parametrize("kind", ["daily", "weekly", "session", "agent", "model", "blocks"])
    def test_the_short_table_fits_80_columns(self, ledger: Ledger, kind: Kind) -> None:
        much = {**USED, "session_id": "0" * 36, "output_is_final": False}
        much |= {name: 10**10 for name in much if str(name).endswith("_tokens")}
        rows = ledger(much, {**UNPRICED, "model": "claude-sonnet-4-5-20250929"})
        assert max(map(len, self.text(kind, rows, short=True))) <= 80

    def test_the_short_table_keeps_three_digits(self, ledger: Ledger) -> None:
        counts = (999, 1_000, 9_994, 99_949, 999_499, 1_234_567, 12_345_678, 1_234_567_890)
        rows = ledger(*({"session_id": str(count), "input_tokens": count} for count in counts))
        shown = [line.split()[2] for line in self.text("session", rows, short=True)[2:-2]]
        assert shown == ["1.23B", "12.3M", "1.23M", "999k", "99.9k", "9.99k", "1.00k", "999"]

    def test_a_cost_that_nobody_knows_is_not_a_number(self, ledger: Ledger) -> None:
        rows = ledger(USED, {**UNPRICED, "ts": "2026-06-11 10:00"})
        _, _, known, unknown, _, total = self.text("daily", rows)
        assert [line.split()[-1] for line in (known, unknown, total)] == ["$0.02", "n/a", "$0.02+"]
        assert any("claude-new" in note for note in notes(made("daily", rows)))

    def test_output_that_was_never_final_is_at_least_what_was_logged(self, ledger: Ledger) -> None:
        rows = ledger({**USED, "output_is_final": False})
        assert self.text("daily", rows)[2].split()[3] == "400+"
        assert notes(made("daily", rows))[0].startswith("+ at least: the transcripts of 1 ")

    def test_notes_say_how_far_the_ledger_reaches_in_the_time_of_the_zone(
        self, ledger: Ledger
    ) -> None:
        [note] = notes(made("daily", ledger(USED), "Europe/Berlin"))
        assert note.endswith("times are Europe/Berlin; the ledger reaches 2026-06-10 13:30")

    def test_surcharges_that_the_cost_leaves_out_are_told(self, ledger: Ledger) -> None:
        rows = ledger({"web_search_requests": 2, "speed": "fast"})
        assert notes(made("daily", rows))[0] == (
            "not in the cost: 2 web searches and 1 requests in fast mode at its surcharge"
        )

    def test_names_out_of_the_logs_cannot_steer_the_terminal(self, ledger: Ledger) -> None:
        rows = ledger({"model": "evil\x1b[2Jmodel", "session_id": "a\nb"})
        for kind in ("model", "session", "daily"):
            text = "".join([*self.text(kind, rows), *notes(made(kind, rows))])
            assert "\x1b" not in text
            assert "\n" not in text
