"""Grading: an answer against an item's checks. Deterministic; no model judges another.

Belongs here: what each check means. Whether the answer fits its schema the packet runner has found
out before; ``grade`` asks again, since a grade must not depend on who ran the packet.
"""

import re
from functools import partial
from typing import Any, assert_never

from jsonschema import Draft202012Validator

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.probes import linter, sandbox
from fleet_pipeline.probes.items import (
    Catches,
    Check,
    Equal,
    Facts,
    Fields,
    Lint,
    Members,
    OneOf,
    Order,
    ProbeItem,
    Python,
    Words,
)
from fleet_pipeline.probes.results import Outcome


def require_tools() -> None:
    """Raise ConfigurationError where code cannot be judged here: no model fails for that."""
    for tool, works in (
        ("Ruff, the linter", linter.is_clean("x = 1\n")),
        ("the sandbox for code", sandbox.passes("x = 1", "assert x == 1")),
    ):
        if not works:
            raise ConfigurationError(
                f"{tool} does not run on this machine, so no answer can be graded and none was"
                " asked for; install the package again, and give it a gigabyte of memory"
            )


def grade(item: ProbeItem, answer: object) -> tuple[Outcome, str]:
    """Return pass, fail or schema_fail, and which check failed; never a word of the answer."""
    if not Draft202012Validator(item.answer_schema).is_valid(answer):
        return "schema_fail", "the answer does not fit its schema"
    assert isinstance(answer, dict)  # every schema of the set asks for an object
    for check in item.checks:
        if not _holds(check, answer):
            return "fail", f"{check.kind} of {getattr(check, 'field', 'the fields')} does not hold"
    return "pass", ""


def _holds(check: Check, answer: dict[str, Any]) -> bool:
    match check:
        case Equal():
            return _same(answer.get(check.field), check.value)
        case OneOf():
            return any(_same(answer.get(check.field), value) for value in check.values)
        case Fields():
            return all(_same(answer.get(name), value) for name, value in check.values.items())
        case Members():
            return _members(check, answer[check.field])
        case Order():
            return _ordered(check, answer[check.field])
        case Words():
            return 0 < len(answer[check.field].split()) <= check.at_most
        case Facts():
            return _keeps_facts(check, answer[check.field])
        case Lint():
            return linter.is_clean(answer[check.field])
        case Python():
            return sandbox.passes(answer[check.field], check.tests)
        case Catches():
            run = partial(sandbox.passes, tests=answer[check.field], call_tests=True)
            return run(check.right) and not any(map(run, check.wrong))
        case _:
            assert_never(check)


def _same(one: object, other: object) -> bool:
    """Say whether two JSON values are equal; true is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _members(check: Members, found: list[Any]) -> bool:
    must = [value for value in check.value if value not in check.may_lack]
    return (
        all(value in check.value for value in found)
        and all(value in found for value in must)
        and len(found) == len(set(map(repr, found)))
    )


def _ordered(check: Order, found: list[str]) -> bool:
    return sorted(found) == sorted(check.all) and all(
        found.index(first) < found.index(second) for first, second in check.before
    )


def _keeps_facts(check: Facts, text: str) -> bool:
    def place(pattern: str) -> int:
        found = re.search(pattern if "\\b" in pattern else f"(?<!\\w)(?:{pattern})", text, re.I)
        return found.start() if found else -1

    places = [place(pattern) for pattern in check.order]
    return (
        all(place(pattern) >= 0 for pattern in check.keep)
        and not any(re.search(_whole(pattern), text, re.I) for pattern in check.lack)
        and places == sorted(places)
        and len(text.split()) <= check.words_at_most
    )


def _whole(pattern: str) -> str:
    """Return a pattern that matches whole words only: "um" is no part of "sum"."""
    return f"(?<!\\w)(?:{pattern})(?!\\w)"
