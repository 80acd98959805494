"""Every figure of a page comes from a published table, and its SQL gives it again."""

import json
import re
import shutil
from collections.abc import Mapping
from datetime import date
from importlib import import_module
from pathlib import Path

import duckdb
import polars as pl
import pytest

from fleet_pipeline.catalog.changes import SCHEMA
from fleet_pipeline.errors import ConfigurationError, PublicationError
from fleet_pipeline.publishing import trace
from fleet_pipeline.publishing.addressed import figures_on
from fleet_pipeline.publishing.explanation import explain
from fleet_pipeline.publishing.figures import resolve
from fleet_pipeline.publishing.page import render_page
from fleet_pipeline.publishing.provenance import LINEAGE, PRIVATE, PUBLISHED, made, price_snapshot
from fleet_pipeline.publishing.trace_map import SOURCES
from fleet_pipeline.publishing.week import TABLES

PAGES = ("index.html", "evidence.html", "quality.html")


@pytest.fixture
def week(published_week: Path) -> Path:
    """A published week; who changes it takes a copy."""
    return published_week


def page_of(week: Path) -> dict[str, object]:
    page = json.loads((week / "page.json").read_bytes())
    assert isinstance(page, dict)
    return page


def tables_of(week: Path) -> dict[str, pl.DataFrame]:
    return {path.stem: pl.read_parquet(path) for path in (week / "tables").glob("*.parquet")}


def test_every_figure_of_the_html_is_computed_again_from_the_published_parquet(week: Path) -> None:
    """One SELECT each, run by DuckDB over the files themselves, as a reader would."""
    page = page_of(week)
    html = "".join((week / name).read_text() for name in PAGES)
    shown = figures_on(html)
    with duckdb.connect() as connection:
        connection.sql("set TimeZone = 'UTC'")
        for path in (week / "tables").glob("*.parquet"):
            connection.sql(f"create view {path.stem} as from read_parquet('{path}')")
        for address in shown:
            origin = trace.traced(address)
            assert origin is not None, address
            rows = connection.sql(origin.statement).fetchall()
            value = resolve(page, address)
            assert trace.same(value, trace.plain(rows[0][0]) if rows else None), address
    assert len(shown) > 400
    assert len(re.findall("data-fig=", html)) >= len(shown)


def test_every_number_of_the_page_is_computed_again_shown_or_not(week: Path) -> None:
    page = page_of(week)
    assert trace.disagreements(page, tables_of(week)) == []
    assert len(list(trace.figures(page))) > 1_500


CHANGES = pl.DataFrame(
    [
        ("repriced", "z-ai/glm-5.2", "input", "1.4", "1.25", date(2026, 6, 12), "openrouter", True),
        ("place", "z-ai/glm-5.2", "overall", "2", "1", None, "model_ranking", True),
        ("retires", "a:free", "retires_on", None, "2026-07-01", None, "openrouter", False),
        ("quota", "NVIDIA NIM", "requests_per_day", "1000", "500", None, None, False),
    ],
    schema=SCHEMA,
    orient="row",
)


def test_what_changed_is_traced_before_and_after(week: Path) -> None:
    rows = json.loads(json.dumps(CHANGES.to_dicts(), default=str))
    page = page_of(week) | {"changes": rows}
    shown = {each for each in figures_on(render_page(page)) if each.startswith("changes.")}
    assert len(shown) == 2 * len(rows) + 1
    assert {
        "changes.repriced.z-ai/glm-5%2E2.input.openrouter.before",
        "changes.quota.NVIDIA NIM.requests_per_day.(unknown).after",
    } <= shown
    with trace.in_memory({"changes": CHANGES}) as connection:
        for address in shown:
            origin = trace.traced(address)
            assert origin is not None, address
            [(value,)] = connection.sql(origin.statement).fetchall()
            assert trace.same(resolve(page, address), trace.plain(value)), address


def test_a_figure_that_its_table_does_not_give_is_named(week: Path) -> None:
    page = page_of(week)
    usage = page["usage"]
    assert isinstance(usage, dict)
    usage["claude"]["output_tokens"] += 1
    [wrong] = trace.disagreements(page, tables_of(week))
    assert wrong.startswith("usage.claude.output_tokens is ")
    assert 'select "output_tokens" from usage_totals' in wrong


def test_a_figure_without_a_source_refuses_to_be_published_and_is_named(week: Path) -> None:
    page = page_of(week) | {"mood": {"of_the_fleet": 7}}
    with pytest.raises(PublicationError, match=r"mood\.of_the_fleet has no source: add its line"):
        trace.assert_explained(page, tables_of(week), [])


def test_a_column_that_no_table_has_is_named(week: Path) -> None:
    page = page_of(week)
    target = page["headroom"]
    assert isinstance(target, list)
    target[0]["mood"] = 1
    with pytest.raises(PublicationError, match=r"\.mood has no source: headroom has no column"):
        trace.assert_explained(page, tables_of(week), [])


def test_a_number_in_a_list_without_a_natural_key_is_refused() -> None:
    with pytest.raises(PublicationError, match=r"things\.count holds a number in a list without"):
        list(trace.figures({"things": [{"count": 1}]}))


def test_a_shown_unknown_needs_a_source_too(week: Path) -> None:
    page = page_of(week) | {"mood": None}
    assert trace.disagreements(page, tables_of(week)) == []
    [wrong] = trace.disagreements(page, tables_of(week), ["mood"])
    assert wrong.startswith("mood has no source")


def test_every_line_of_the_map_reads_published_tables_alone(week: Path) -> None:
    tables = tables_of(week)
    with trace.in_memory(tables) as connection:
        for source in SOURCES:
            assert connection.sql(f"select * from {source.of} where {source.where} limit 0").columns


def test_every_table_says_what_it_is_made_of() -> None:
    assert set(LINEAGE) == set(TABLES)
    assert PUBLISHED.isdisjoint(PRIVATE)
    for table in [*LINEAGE, *PUBLISHED]:
        function = made(table).function
        if function:
            module, _, name = function.partition(":")
            assert callable(getattr(import_module(module), name)), function


def test_the_sum_of_a_table_is_that_of_its_published_file(week: Path) -> None:
    listed = dict(line.split("  ")[::-1] for line in (week / "SHA256SUMS").read_text().splitlines())
    told = page_of(week)["provenance"]
    assert isinstance(told, Mapping)
    published = [row for row in told["tables"] if row["published"]]
    assert {row["table"] for row in told["tables"]} == {*PUBLISHED, *PRIVATE}
    for row in published:
        assert listed[f"tables/{row['table']}.parquet"] == row["sha256"]


def test_the_page_names_the_prices_and_the_ledger_that_it_is_made_of(week: Path) -> None:
    page = page_of(week)
    told = page["provenance"]
    assert isinstance(told, Mapping)
    inputs = told["inputs"]
    assert set(inputs["organisation"]) >= {"fleet.yaml", "models.yaml", "offload.yaml"}
    assert inputs["usage_ledger"]["rows"] > 0
    assert "genai-prices" in str(price_snapshot(page))


def test_a_figure_is_explained_by_its_week_alone(week: Path) -> None:
    found = explain(week, "task_mix.kinds.review.share")
    assert found.agrees and found.value == found.recomputed
    [table] = found.tables
    assert (table.table, table.is_as_published) == ("task_mix", True)
    assert table.sql is not None and "from turns" in table.sql
    assert table.of[0]["input"] == "turns" and len(str(table.of[0]["sha256"])) == 64
    assert found.rows and {row["kind"] for row in found.rows} == {"review"}


def test_every_shown_figure_can_be_explained(week: Path) -> None:
    for address in figures_on((week / "index.html").read_text())[::25]:
        assert explain(week, address).agrees, address


def test_a_table_that_was_changed_since_is_told(week: Path, tmp_path: Path) -> None:
    changed = Path(shutil.copytree(week, tmp_path / "week"))
    path = changed / "tables" / "usage_totals.parquet"
    pl.read_parquet(path).with_columns(requests=pl.col("requests") + 1).write_parquet(path)
    found = explain(changed, "usage.claude.requests")
    assert not found.agrees and not found.tables[0].is_as_published


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("usage.claude.request", "usage.claude.requests"),
        ("usage.claude", "usage.claude.requests"),
        ("target", "target.tokens"),
    ],
)
def test_an_id_that_does_not_exist_is_told_with_the_nearest(
    week: Path, asked: str, near: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"no such figure; the nearest: .*{near}"):
        explain(week, asked)


def test_where_no_week_is_published_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no week is published there"):
        explain(tmp_path, "as_of")
