"""The bytes of a published table: CSV for spreadsheets, Parquet for programs; deterministic."""

import io
import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Final

import polars as pl

from fleet_pipeline.dictionary import meaning
from fleet_pipeline.errors import PublicationError
from fleet_pipeline.publishing.escaping import csv_text

ZSTD_LEVEL: Final = 3


def csv_bytes(name: str, frame: pl.DataFrame) -> bytes:
    r"""Return a table as RFC 4180 CSV: UTF-8, header first, ``\n`` after each row, null empty.

    Times are ISO 8601 in UTC. Text that a spreadsheet would take for a formula gets a leading
    apostrophe. Raises PublicationError for a nested column, which CSV cannot hold.
    """
    nested = [column for column, kind in frame.schema.items() if kind.is_nested()]
    if nested:
        raise PublicationError(f"table {name}: CSV cannot hold the nested columns {nested}")
    lines = [",".join(_cell(column) for column in frame.columns)]
    lines += [",".join(_cell(value) for value in row) for row in frame.iter_rows()]
    return "".join(f"{line}\n" for line in lines).encode(errors="backslashreplace")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return _utc(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"  # never 0E-9
    if isinstance(value, int | float):
        return str(value)
    safe = csv_text(str(value))
    if any(mark in safe for mark in ',"\r\n'):
        return '"' + safe.replace('"', '""') + '"'
    return safe


def _utc(moment: datetime) -> str:
    """Write a time as UTC with a Z; one without a zone is UTC by the rule of the lake."""
    offset = moment.utcoffset()
    shifted = moment.replace(tzinfo=None) - offset if offset else moment.replace(tzinfo=None)
    return f"{shifted.isoformat()}Z"


def parquet_bytes(frame: pl.DataFrame) -> bytes:
    """Return a table as Parquet, the same bytes for the same frame under one version of polars."""
    target = io.BytesIO()
    frame.write_parquet(target, compression="zstd", compression_level=ZSTD_LEVEL, statistics=True)
    return target.getvalue()


def dictionary_bytes(tables: Mapping[str, pl.DataFrame]) -> bytes:
    """Return what each column of the published tables holds: its type, and its meaning in words.

    JSON: tables by name, columns in their order. A column that nobody has described is null.
    """
    described = {
        name: {
            column: {"type": str(dtype), "meaning": meaning(name, column)}
            for column, dtype in frame.schema.items()
        }
        for name, frame in sorted(tables.items())
    }
    return f"{json.dumps(described, indent=2)}\n".encode()
