"""One question in SQL about the lake, answered by DuckDB in memory.

Read-only by construction: the engine is given tables and no access to anything else. No file, no
network, no extension, no spilling to disk, and no way to change that.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Final

import duckdb
import polars as pl

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.home import Home
from fleet_pipeline.reports.views import View, require_whole, views
from fleet_pipeline.tables import answer

LATEST: Final = "latest"
"""The schema in which each weekly table has only its last week."""

_COLUMNS: Final = f"""
select
    case when table_schema = '{LATEST}' then '{LATEST}.' else '' end || table_name as view,
    column_name as column,
    data_type as type
from information_schema.columns
order by table_schema = '{LATEST}', table_name, ordinal_position
"""
_SEALS: Final = (
    "set TimeZone = 'UTC'",
    "set python_enable_replacements = false",
    "set autoinstall_known_extensions = false",
    "set autoload_known_extensions = false",
    "set temp_directory = ''",
    "set enable_external_access = false",
    "set lock_configuration = true",
)
_HUGEINT: Final = pl.Decimal(38, 0)
_LARGEST: Final = 2**63 - 1
_UNTOLD: Final = 10**38


def ask(home: Home, question: str) -> pl.DataFrame:
    """Return the answer to one SELECT over the views of ``home``; whole numbers are int64.

    Raises ConfigurationError, in one line, for anything but one SELECT and for what the engine
    does not accept in it; SourceError where a view cannot be read.
    """
    # A view that the question does not name is not even looked at.
    words = set(re.findall(r"\w+", question.lower()))
    named = {name: view for name, view in views(home).items() if name.lower() in words}
    with _sealed(named) as engine:
        try:
            return _answer(engine, _only_select(engine, question))
        except ConfigurationError:
            # A file that cannot be read is no mistake of the question.
            for view in named.values():
                require_whole(view())
            raise


def columns(home: Home) -> pl.DataFrame:
    """Return view, column and type: all that a question may be about."""
    with _sealed(views(home)) as engine:
        return _answer(engine, _COLUMNS)


@contextmanager
def _sealed(named: dict[str, View]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give an engine that knows these views, and from then on nothing else."""
    with duckdb.connect() as engine:
        engine.execute(f"create schema {LATEST}")
        for name, view in named.items():
            dataset = view()
            engine.register(name, dataset)
            if "week" in dataset.schema.names:
                engine.execute(
                    f'create view {LATEST}."{name}" as select * from "{name}"'
                    f' where week = (select max(week) from "{name}")'
                )
        for seal in _SEALS:
            engine.execute(seal)
        yield engine


def _only_select(engine: duckdb.DuckDBPyConnection, question: str) -> str:
    try:
        statements = engine.extract_statements(question)
    except duckdb.Error as error:
        raise ConfigurationError(_in_one_line(error)) from None
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise ConfigurationError("the question has to be one SELECT: here SQL changes nothing")
    query: str = statements[0].query
    return query


def _answer(engine: duckdb.DuckDBPyConnection, query: str) -> pl.DataFrame:
    try:
        told = answer(engine, query)
    except duckdb.Error as error:
        raise ConfigurationError(_in_one_line(error)) from None
    except pl.exceptions.PolarsError:
        raise ConfigurationError(
            "a column of the answer has a type that has no form here; cast it to varchar"
        ) from None
    return told.with_columns(
        pl.col(name).cast(pl.Int64)
        for name, dtype in told.schema.items()
        if dtype == _HUGEINT and _fits(told[name])
    )


def _fits(numbers: pl.Series) -> bool:
    """Return whether whole numbers, as sums come from the engine, have room in 64 bits.

    Raises ConfigurationError where one has more digits than can be told.
    """
    edges = [abs(Decimal(str(edge))) for edge in (numbers.min(), numbers.max()) if edge is not None]
    if any(edge >= _UNTOLD for edge in edges):
        raise ConfigurationError(
            "a number of the answer has more than 38 digits; cast it to double or varchar"
        )
    return all(edge <= _LARGEST for edge in edges)


def _in_one_line(error: duckdb.Error) -> str:
    """Return what the engine says, without its drawing of the place and its guesses at names."""
    says = " ".join(re.split(r"\n+LINE \d+:", str(error))[0].split())
    if says.startswith("Catalog Error: Table"):
        return f"{says.split('!')[0]}; `fleet query --tables` lists what there is"
    return says
