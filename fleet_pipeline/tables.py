"""Run the statements of ``sql/``: one file makes one table, frames in, one frame out.

Belongs here: finding a statement and running it in memory. What a table means stands in its SQL
file; reading and writing Parquet belongs to the graph.
"""

import os
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from textwrap import indent
from threading import Event, Thread

import duckdb
import polars as pl

Parameter = str | int | float | bool | date | datetime | Decimal | None

# DuckDB sums BIGINT into HUGEINT, which leaves as a decimal of 38 digits: no consumer of a table
# expects that, so a statement has to say ``::bigint``.
_HUGEINT = pl.Decimal(38, 0)

_LISTENS_EVERY = 0.2
"""Seconds between two looks for a signal while a statement runs."""

_ANOTHER = re.compile(r"(?<=from )'(\w+)\.sql'")


def statement(name: str) -> str:
    """Return the SQL text of the table ``name``; FileNotFoundError where there is none.

    What it reads ``from 'another.sql'`` stands in it in whole: each rule is written in one file,
    and what is shown and published is what was run.
    """
    text = files("sql").joinpath(f"{name}.sql").read_text(encoding="utf-8")
    return _ANOTHER.sub(lambda found: f"(\n{indent(statement(found[1]), '    ')})", text)


def run(
    name: str, *, parameters: Mapping[str, Parameter] | None = None, **frames: pl.DataFrame
) -> pl.DataFrame:
    """Make the table ``name`` from frames that the statement calls by their keyword.

    Pure: a call sees its own frames and nothing else. ``parameters`` fill ``$name`` places.
    Raises TypeError where a column leaves as HUGEINT, duckdb.Error where a frame is missing.
    """
    with in_memory(frames) as connection:
        table = answer(connection, statement(name), parameters)
    for column, dtype in table.schema.items():
        if dtype == _HUGEINT:
            raise TypeError(f"sql/{name}.sql: column {column} is HUGEINT; cast it to BIGINT")
    return table


def answer(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    parameters: Mapping[str, Parameter] | None = None,
) -> pl.DataFrame:
    """Return what ``query`` gives; Ctrl-C ends it, however long it would take.

    DuckDB itself looks for a signal only between two parts of a statement, which may be long ones,
    and a signal that another thread was given wakes nobody who waits without end. Raises
    duckdb.Error for what it does not accept.
    """
    told: Future[pl.DataFrame] = Future()
    interrupted = Event()

    def ask() -> None:
        if interrupted.is_set():
            return
        try:
            told.set_result(connection.sql(query, params=dict(parameters or {})).pl())
        except BaseException as error:
            told.set_exception(error)

    beside = Thread(target=ask)
    try:
        beside.start()
        while not wait([told], _LISTENS_EVERY).done:
            pass
    except KeyboardInterrupt:
        interrupted.set()
        while beside.is_alive():
            connection.interrupt()  # again: a statement that had not begun yet forgets it
            beside.join(_LISTENS_EVERY)
        raise
    return told.result()


@contextmanager
def in_memory(frames: Mapping[str, pl.DataFrame]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a DuckDB in UTC that knows ``frames`` by name, and nothing else of this machine."""
    with interruptions(), _database(os.getpid()).cursor() as connection:
        # No silent look at Python variables that happen to bear a table's name.
        connection.sql("set python_enable_replacements = false")
        for name, frame in frames.items():
            # In the form that it has: DuckDB itself would ask for one that copies every text.
            connection.register(name, frame.to_arrow(compat_level=pl.CompatLevel.newest()))
        yield connection


@contextmanager
def interruptions() -> Iterator[None]:
    """Raise KeyboardInterrupt where DuckDB was interrupted: it raises a RuntimeError instead."""
    try:
        yield
    except RuntimeError as error:
        if str(error) == "Query interrupted":
            raise KeyboardInterrupt from None
        raise


@cache
def _database(process: int) -> duckdb.DuckDBPyConnection:
    """Return the one database of ``process``, always empty: frames are seen by their cursor alone.

    Starting one takes longer than most statements; its threads do not survive a fork.
    """
    database = duckdb.connect()
    database.sql("set global TimeZone = 'UTC'")
    database.sql("set enable_external_access = false")
    return database
