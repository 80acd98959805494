"""Every row of the reliability plan has a proof that exists."""

import ast
from pathlib import Path

import pytest

from .rows import ROWS

ROOT = Path(__file__).parents[2]


def test_all_rows_are_there():
    numbered = [row.number for row in ROWS if row.number != "Leaks"]
    assert numbered == [f"R{n}" for n in range(1, 23)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.number)
def test_the_proofs_of_a_row_exist(row):
    assert row.proofs
    assert row.bar
    for proof in row.proofs:
        path, _, name = proof.partition("::")
        tree = ast.parse((ROOT / path).read_text())
        assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
