"""A change is one thing in one place, and says where it is."""

import pytest

from .equivalent import EQUIVALENT
from .mutants import mutants
from .subjects import ROOT, SUBJECTS


def changed(tmp_path, line: str) -> list[str]:
    path = tmp_path / "module.py"
    path.write_text(
        f'"""Says 1 + 1 in words."""\n\n\ndef f(a, b: "int | None" = None):\n    {line}\n'
    )
    return sorted(one.source.splitlines()[4].strip() for one in mutants(path, tmp_path))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("return a < b", ["return (a <= b)"]),
        ("return a + 1", ["return (a - 1)", "return a + (2)"]),
        ("return a and not b", ["return (a or not b)", "return a and (b)"]),
        ("return a.filter(b)", ["return (a)"]),
        ("return a.max()", ["return (a.min())"]),
        ("return min(a, b)", ["return (max(a, b))"]),
        ("return a if b else None", ["return a if (not b) else None"]),
        ("return sorted(a, reverse=True)", ["return sorted(a, reverse=(False))"]),
        ("return zip(a, b, strict=True)", []),
        ("return f'{a + 1}'", []),
    ],
)
def test_one_thing_changes_at_a_time(tmp_path, line, expected):
    assert changed(tmp_path, line) == expected


def test_a_change_knows_its_function_and_its_statement(tmp_path):
    path = tmp_path / "module.py"
    lines = [
        "def f(a):",
        "  for b in g(",
        "    a + c",
        "  ):",
        "    h(",
        "      b - a",
        "    )",
        "",
    ]
    path.write_text("\n".join(lines))
    [plus, minus] = mutants(path, tmp_path)
    assert (plus.where, plus.line, list(plus.statement)) == ("f", 3, [2, 3, 4])
    assert (minus.where, minus.line, list(minus.statement)) == ("f", 6, [5, 6, 7])


def test_a_change_that_is_called_equivalent_is_one_that_can_be_made():
    possible = {
        one.key
        for subject in SUBJECTS.values()
        for path in subject.paths()
        for one in mutants(path, ROOT)
    }
    assert not EQUIVALENT.keys() - possible
    assert all(reason.strip() for reason in EQUIVALENT.values())
