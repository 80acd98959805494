"""No exception from a rule of the linter or the type checker without its reason."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("fleet_pipeline", "assets", "tests", "benchmarks", ".ci")
LINTER, TYPES = "# no" + "qa", "# type: " + "ignore"
EXCEPTION = re.compile(rf"({LINTER}|{TYPES})(?P<rest>.*)")
REASONED = re.compile(r"(: [A-Z]+\d+(, [A-Z]+\d+)*|\[[\w-]+\])( - |  # | \()\w.*")


def unreasoned(text: str) -> list[int]:
    """Return the lines that ask for an exception and do not name its rule and its reason."""
    return [
        number
        for number, line in enumerate(text.splitlines(), 1)
        if (asked := EXCEPTION.search(line)) and not REASONED.fullmatch(asked["rest"])
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
    bare = (f"x  {LINTER}", f"x  {LINTER}: E501", f"x  {TYPES}[index]", f"x  {LINTER} - why")
    assert unreasoned("\n".join(bare)) == [1, 2, 3, 4]
    assert not unreasoned(f"x  {LINTER}: E501 - a path\nx  {TYPES}[index]  # a stub's fault")
