"""The answer to a question in SQL, as text to look at and as bytes for other programs."""

import json
import math
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal, get_args

import polars as pl

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.publishing.escaping import printable
from fleet_pipeline.publishing.tables import csv_bytes, parquet_bytes
from fleet_pipeline.reports.text_table import TextTable, plain

Form = Literal["table", "csv", "json", "parquet"]
FORMS: Final[tuple[Form, ...]] = get_args(Form)


def in_form(form: Form, answer: pl.DataFrame) -> bytes:
    """Return the answer as bytes, text in UTF-8 with a line feed after each line.

    Raises ConfigurationError where a column has a type that the form cannot hold.
    """
    match form:
        case "table":
            return _lines(plain(_table(answer)))
        case "json":
            return _lines(_json(answer))
        case "csv":
            nested = [name for name, dtype in answer.schema.items() if dtype.is_nested()]
            if nested:
                raise ConfigurationError(
                    f"CSV cannot hold lists and structs ({', '.join(nested)}); unnest them,"
                    " or use --format json"
                )
            return csv_bytes("query", answer)
        case "parquet":
            return parquet_bytes(answer)


def _lines(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode(errors="backslashreplace")


def _table(answer: pl.DataFrame) -> TextTable:
    return TextTable(
        tuple(printable(name) for name in answer.columns),
        [tuple(_cell(value) for value in row) for row in answer.iter_rows()],
        tuple(dtype.is_numeric() for dtype in answer.dtypes),
    )


def _cell(value: object) -> str:
    plain_value = _plain(value)
    if plain_value is None:
        return ""
    if isinstance(plain_value, str):
        return printable(plain_value)
    return f"{value:f}" if isinstance(value, Decimal) else printable(json.dumps(plain_value))


def _json(answer: pl.DataFrame) -> list[str]:
    """Return one list with an object on each line; times are ISO 8601 in UTC, NaN is null."""
    objects = [json.dumps(_plain(row)) for row in answer.iter_rows(named=True)]
    commas = [","] * (len(objects) - 1) + [""]
    return ["[", *(row + comma for row, comma in zip(objects, commas, strict=False)), "]"]


def _plain(value: object) -> object:
    """Return a value as JSON knows it."""
    match value:
        case dict():
            return {str(name): _plain(part) for name, part in value.items()}
        case list():
            return [_plain(part) for part in value]
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case float():
            return value if math.isfinite(value) else None
        case bytes():
            return value.hex()
        case None | bool() | int() | str():
            return value
        case _:
            return str(value)
