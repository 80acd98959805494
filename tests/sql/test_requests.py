from collections.abc import Callable
from datetime import UTC, date, datetime

import polars as pl
import pytest

from fleet_pipeline import tables

Make = Callable[..., pl.DataFrame]

COLUMNS = [
    "client",
    "session_id",
    "host",
    "ts",
    "date",
    "agent",
    "model",
    "effort",
    "agent_type",
    "is_subagent",
    "agent_id",
    "turn_id",
    "entrypoint",
    "asked_by",
    "prompt_source",
    "subagent_depth",
    "tools",
    "command_heads",
    "input_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_read_tokens",
    "output_tokens",
    "reasoning_tokens",
    "output_is_final",
    "stop_reason",
    "web_search_requests",
    "full_input_tokens",
]


def run(usage: pl.DataFrame, agents: dict[str, list[str]] | None = None) -> pl.DataFrame:
    schema = {"cwd": pl.String, "agent": pl.String}
    return tables.run(
        "requests",
        parameters={"window_start": date(2026, 5, 18), "window_end": date(2026, 6, 17)},
        usage=usage,
        agents_by_cwd=pl.DataFrame(agents or {}, schema=schema),
    )


def test_nothing_that_names_a_folder_or_a_message_leaves_the_lake(usage: Make) -> None:
    assert run(usage({"cwd": "/home/z/secret-client"})).columns == COLUMNS


def test_the_window_is_thirty_whole_utc_days_open_at_its_end(usage: Make) -> None:
    moments = [
        datetime(2026, 5, 17, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 5, 18, tzinfo=UTC),
        datetime(2026, 6, 16, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 6, 17, tzinfo=UTC),
    ]
    kept = run(usage(*({"ts": moment} for moment in moments)))
    assert kept["ts"].to_list() == moments[1:3]
    assert kept["date"].to_list() == [date(2026, 5, 18), date(2026, 6, 16)]


def test_full_input_is_fresh_plus_writes_plus_reads(usage: Make) -> None:
    row = {
        "input_tokens": 1,
        "cache_write_5m_tokens": 20,
        "cache_write_1h_tokens": 300,
        "cache_read_tokens": 4000,
        "output_tokens": 50_000,
    }
    assert run(usage(row))["full_input_tokens"].item() == 4321


def test_work_that_no_rule_maps_is_unattributed(usage: Make) -> None:
    rows = usage({"cwd": "/forge"}, {"cwd": "/elsewhere"}, {"cwd": None})
    agents = run(rows, {"cwd": ["/forge"], "agent": ["forge"]})["agent"]
    assert sorted(agents) == ["forge", "unattributed", "unattributed"]


def test_two_rules_for_one_folder_do_not_count_its_requests_twice(usage: Make) -> None:
    agents = {"cwd": ["/forge", "/forge"], "agent": ["sage", "forge"]}
    assert run(usage({"cwd": "/forge"}), agents)["agent"].to_list() == ["forge"]


def test_a_ledger_whose_folders_are_all_unknown_still_counts(usage: Make) -> None:
    rows = usage({}, {}).with_columns(pl.lit(None).alias("cwd"), pl.lit(None).alias("model"))
    assert run(rows)["agent"].to_list() == ["unattributed"] * 2


def test_an_empty_ledger_gives_an_empty_table_of_the_same_columns(usage: Make) -> None:
    empty = run(usage())
    assert (empty.height, empty.columns) == (0, COLUMNS)


@pytest.mark.parametrize(
    "real_ts", [datetime(2026, 6, 2, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)]
)
def test_the_synthetic_fleet_vanishes_once_the_ledger_holds_a_real_host(
    usage: Make, real_ts: datetime
) -> None:
    demo = {"host": "demo", "ts": datetime(2026, 6, 1, tzinfo=UTC)}
    assert run(usage(demo))["host"].to_list() == ["demo"]
    assert "demo" not in run(usage(demo, {"host": "laptop", "ts": real_ts}))["host"].to_list()


def test_the_order_of_the_ledger_changes_nothing(usage: Make) -> None:
    rows = usage(*({"input_tokens": n, "session_id": f"s{n % 3}"} for n in range(20)))
    assert run(rows).equals(run(rows.reverse()))


@pytest.mark.parametrize(
    "name", ["/data/models/Qwen3-32B", "~/m.gguf", "file:///m", "C:\\m.gguf", "D:/m", "\\\\nas\\m"]
)
def test_a_model_that_is_called_by_its_folder_is_a_local_model(usage: Make, name: str) -> None:
    assert run(usage({"model": name}))["model"].to_list() == ["local model"]


@pytest.mark.parametrize("name", ["claude-opus-4-8", "vendor/model:free", "a.b/c~d", "", None])
def test_any_other_model_keeps_its_name(usage: Make, name: str | None) -> None:
    assert run(usage({"model": name}))["model"].to_list() == [name]
