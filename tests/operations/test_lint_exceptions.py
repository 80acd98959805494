"""No exception from a rule of the linter or the type checker without its reason."""

import re
import tokenize
from io import StringIO
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("fleet_pipeline", "assets", "tests", "benchmarks", ".ci")
EXCEPTION = re.compile(r"# (noqa|type: ignore)(?P<rest>.*)")
REASONED = re.compile(r"(: [A-Z]+\d+(, [A-Z]+\d+)*|\[[\w-]+\])( - |  # | \()\w.*")


def unreasoned(text: str) -> list[int]:
    """Return the lines that ask for an exception and do not name its rule and its reason."""
    return [
        token.start[0]
        for token in tokenize.generate_tokens(StringIO(text).readline)
        if token.type == tokenize.COMMENT
        and (asked := EXCEPTION.search(token.string))
        and not REASONED.fullmatch(asked["rest"])
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_every_exception_from_a_rule_says_why(room):
    found = {
        path.relative_to(ROOT).as_posix(): lines
        for path in (ROOT / room).rglob("*.py")
        if (lines := unreasoned(path.read_text()))
    }
    assert not found


def test_a_bare_exception_is_found():
    bare = ("x  # noqa", "x  # noqa: E501", "x  # type: ignore[index]", "x  # noqa - why")
    assert unreasoned("\n".join(bare)) == [1, 2, 3, 4]
    assert not unreasoned("x  # noqa: E501 - a path\nx  # type: ignore[index]  # a stub's fault")
    assert not unreasoned("x = 'import os  # noqa'")
