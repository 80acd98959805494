"""A feed's answer as a JSON document: exact decimals, and errors that quote nothing of it."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import NoReturn

from fleet_pipeline.errors import SourceError


def document(body: bytes) -> Mapping[str, object]:
    """Return the JSON object that an answer is; raises SourceError for anything else."""
    try:
        value = json.loads(body, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, ArithmeticError, RecursionError):
        what = "HTML" if body.lstrip()[:1] == b"<" else "no whole JSON"
        raise SourceError(f"the answer is {what}") from None
    return mapping(value, "the answer")


def mapping(value: object, what: str) -> Mapping[str, object]:
    """Return ``value`` if it is a JSON object; raises SourceError naming ``what`` is not."""
    if not isinstance(value, dict):
        raise SourceError(f"{what} is not an object of names")
    return value


def part(value: object, name: str) -> Mapping[str, object]:
    """Return the object under ``name``, an empty one where there is none."""
    inner = value.get(name) if isinstance(value, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
