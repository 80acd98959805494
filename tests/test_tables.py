import os
import signal
import threading
from importlib.resources import files

import duckdb
import polars as pl
import pytest

from fleet_pipeline import tables

NAMES = sorted(path.name.removesuffix(".sql") for path in files("sql").iterdir())


def _stand_in(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(tables, "statement", lambda name: text)


def test_every_weekly_table_that_sql_makes_has_a_file_of_its_name() -> None:
    assert {
        "agent_usage",
        "codex_usage",
        "context_profile",
        "daily_usage",
        "headroom",
        "model_mix",
        "requests",
        "subscription_value",
        "target_proxy",
        "usage_totals",
        "window_coverage",
    } <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_statement_says_first_what_one_row_is(name: str) -> None:
    assert tables.statement(name).startswith("-- One row")


def test_a_statement_holds_in_whole_what_it_reads_from_another() -> None:
    """One rule for the price of a request: published with each table that is made by it."""
    shared = [line.strip() for line in tables.statement("priced_requests").splitlines()]
    for name in ("report_lines", "subscription_value"):
        lines = [line.strip() for line in tables.statement(name).splitlines()]
        start = lines.index(shared[0])
        assert lines[start : start + len(shared)] == shared
        assert ".sql'" not in tables.statement(name)


def test_a_table_without_a_statement_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"no_such_table\.sql"):
        tables.statement("no_such_table")


def test_a_sum_that_would_leave_as_hugeint_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _stand_in(monkeypatch, "select sum(tokens) as tokens from spent")
    with pytest.raises(TypeError, match="column tokens is HUGEINT"):
        tables.run("any", spent=pl.DataFrame({"tokens": [1, 2]}))


def test_days_are_utc_days_whatever_the_machine_thinks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/Los_Angeles")
    _stand_in(monkeypatch, "select '2026-06-17 01:00:00+00'::timestamptz::date::text as day")
    assert tables.run("any").item() == "2026-06-17"


def test_a_frame_is_seen_by_its_own_call_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    _stand_in(monkeypatch, "select * from spent")
    assert tables.run("any", spent=pl.DataFrame({"tokens": [1]})).item() == 1
    with pytest.raises(duckdb.CatalogException):
        tables.run("any")
    with tables.in_memory({"spent": pl.DataFrame({"tokens": [2]})}) as other:
        assert tables.run("any", spent=pl.DataFrame({"tokens": [3]})).item() == 3
        assert other.sql("select * from spent").fetchall() == [(2,)]


def test_a_python_variable_never_stands_in_for_a_missing_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _stand_in(monkeypatch, "select * from missing")
    missing = pl.DataFrame({"tokens": [1]})
    with pytest.raises(duckdb.CatalogException):
        tables.run("any", present=missing)


def test_a_statement_cannot_read_files(monkeypatch: pytest.MonkeyPatch) -> None:
    _stand_in(monkeypatch, f"select * from read_text('{__file__}')")
    with pytest.raises(duckdb.PermissionException):
        tables.run("any")


FOR_EVER = "select sum(a.range + b.range + c.range) from range(99999) a, range(99999) b, range(9) c"


def test_a_statement_ends_when_it_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "statement", lambda name: FOR_EVER)
    interrupt = threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        interrupt.start()
        tables.run("any")


def test_another_error_of_a_statement_stays_what_it_is() -> None:
    with pytest.raises(RuntimeError, match="something else"), tables.interruptions():
        raise RuntimeError("something else")
