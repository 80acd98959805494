"""What a mistake in a configuration file is, and how it is told: file, line, key, what, remedy.

The words for mistakes of shape (types, ranges, unknown keys) are here; rules that relate places to
each other bring their own words.
"""

import datetime
import difflib
import json
import types
import typing
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

_EXCERPT_SIGNS = 60


@dataclass(frozen=True)
class Mistake:
    """One thing to mend; ``str`` of it is the single line that the operator reads."""

    file: Path
    line: int | None
    where: tuple[str | int, ...]
    says: str

    def __str__(self) -> str:
        """Return ``file:line: key: what is wrong; what to write``."""
        place = str(self.file) if self.line is None else f"{self.file}:{self.line}"
        key = dotted(self.where)
        return f"{place}: {key}: {self.says}" if key else f"{place}: {self.says}"


def dotted(where: Iterable[str | int]) -> str:
    """Return a key path as text, for example ``agents[2].target_share`` (items count from 0)."""
    text = ""
    for step in where:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            name = step if step.replace("_", "").replace("-", "").isalnum() else excerpt(step)
            text += f".{name}" if text else name
    return text


def excerpt(text: str) -> str:
    """Return text in double quotes on one line, shortened when long."""
    short = text if len(text) <= _EXCERPT_SIGNS else text[: _EXCERPT_SIGNS - 1] + "…"
    # Escapes line breaks and control signs, and keeps letters of every script.
    quoted = json.dumps(short, ensure_ascii=False)
    return "".join(sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in quoted)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``did you mean ...?`` for the known word that is most like this one, or nothing."""
    folded = {name.casefold(): name for name in sorted(known)}
    close = difflib.get_close_matches(word.casefold(), folded, n=1)
    return f"; did you mean {excerpt(folded[close[0]])}?" if close else ""


def shape_mistake(error: ErrorDetails, model: type[BaseModel]) -> str:
    """Return what to tell the operator about a pydantic error in a file of this model."""
    where = error["loc"]
    value = error["input"]
    field = _field(model, where)
    match error["type"]:
        case "missing":
            return f"is missing; {_advice(where, field)}"
        case "extra_forbidden":
            known = _keys(_model_at(model, where[:-1]))
            return f"is no known key{nearest(str(where[-1]), known)} (known: {', '.join(known)})"
        case "string_type":
            remedy = "put it in quotes" if _is_scalar(value) else _advice(where, field)
            return f"must be text but is {_described(value)}; {remedy}"
        case "tuple_type":
            return (
                f"must be a list but is {_described(value)}; "
                "begin each item with '- ', or write [] for none"
            )
        case "model_type" | "model_attributes_type":
            keys = ", ".join(_keys(_model_at(model, where)))
            return f"must be 'key: value' lines ({keys}) but is {_described(value)}"
        case "bool_type":
            return f"must be true or false but is {_described(value)}"
        case "int_type" | "int_from_float" | "greater_than":
            return f"must be a whole number above 0 but is {_described(value)}"
        case "float_type" | "finite_number" | "greater_than_equal" | "less_than_equal":
            if field and not any(hasattr(limit, "le") for limit in field.metadata):
                return f"must be a number of 0 or more but is {_described(value)}"
            return f"must be a number from 0 to 1 but is {_described(value)}{_as_share(value)}"
        case "literal_error":
            allowed = error.get("ctx", {}).get("expected", "")
            guess = (
                nearest(value, _choices(field.annotation))
                if field and isinstance(value, str)
                else ""
            )
            return f"must be one of {allowed} but is {_described(value)}{guess}"
        case "value_error":
            said = str(error.get("ctx", {}).get("error", error["msg"]))
            return said if field is None or ";" in said else f"{said}; {_advice(where, field)}"
        case _:
            return f"{error['msg']}; {_advice(where, field)}"


def _advice(where: tuple[str | int, ...], field: FieldInfo | None) -> str:
    if field is None:
        return "see the comments in the file that `fleet init` writes"
    example = field.examples[0] if field.examples else "..."
    key = next((step for step in reversed(where) if isinstance(step, str)), "")
    return f"write for example `{key}: {example}` ({field.description})"


def _as_share(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 < value <= 100:
        return ""
    return f"; for {value} % write {value / 100:g}"


def _is_scalar(value: object) -> bool:
    return isinstance(value, bool | int | float | datetime.date)


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _described(value: object) -> str:
    match value:
        case None:
            return "empty"
        case bool():
            return f"the truth value {_plain(value)} (yes, no, on and off count as such)"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text {excerpt(value)}"
        case datetime.date():
            return f"the date {value}"
        case tuple():
            return "a list"
        case dict():
            return "a mapping (key: value)"
        case _:
            return "something else"


def _choices(annotation: object) -> list[str]:
    """Return the words of a closed set, also where a list holds them."""
    parts = typing.get_args(annotation)
    words = [part for part in parts if isinstance(part, str)]
    return words or [word for part in parts for word in _choices(part)]


def _keys(model: type[BaseModel] | None) -> list[str]:
    return list(model.model_fields) if model else []


def _field(model: type[BaseModel], where: tuple[str | int, ...]) -> FieldInfo | None:
    """Return the field that a location ends in, or of the list that it is an item of."""
    names = list(where)
    while names and isinstance(names[-1], int):
        names.pop()
    if not names:
        return None
    owner = _model_at(model, tuple(names[:-1]))
    return owner.model_fields.get(str(names[-1])) if owner else None


def _model_at(model: type[BaseModel], where: tuple[str | int, ...]) -> type[BaseModel] | None:
    current: type[BaseModel] | None = model
    for step in where:
        if isinstance(step, str) and current is not None:
            field = current.model_fields.get(step)
            current = _model_in(field.annotation) if field else None
    return current


def _model_in(annotation: object) -> type[BaseModel] | None:
    """Return the model inside ``tuple[Model, ...]``, ``Model | None`` or ``Model``."""
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return annotation if issubclass(annotation, BaseModel) else None
    for part in typing.get_args(annotation):
        inner = _model_in(part)
        if inner is not None:
            return inner
    return None
