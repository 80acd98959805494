"""Whether tests notice what they should: change one thing in a module, and see if a test fails.

    python tests/mutation.py [--sample N] [--minutes M] [--seed S] [--only PART] [--out FILE]

Changes are made in a copy of the checkout, one at a time: a comparison turned round, a sum made a
difference, a number off by one, a condition negated, an aggregate taken for another. Which of them
is left to chance; each is held against the tests that `SUBJECTS` names for its module.
"""

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]

COUNTING = (
    "tests/transcripts/test_codex_counting.py",
    "tests/ledger/test_requests_across_files.py",
    "tests/ledger/test_counting_again.py",
    "tests/ledger/test_reading_only_what_is_new.py",
    "tests/ledger/test_sources.py",
    "tests/ledger/test_reconciliation.py",
)
COST = ("tests/costing", "tests/cli/test_cost.py", "tests/cli/test_whatif.py", "tests/docs")
RANKING = ("tests/ranking",)
SUBJECTS = {
    "fleet_pipeline/ledger/claude_rules.py": COUNTING,
    "fleet_pipeline/ledger/codex_rules.py": COUNTING,
    "fleet_pipeline/ledger/counting.py": COUNTING,
    "fleet_pipeline/costing/*.py": COST,
    "fleet_pipeline/ranking/*.py": RANKING,
}
"""Which tests answer for which modules."""

COMPARISONS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
ARITHMETIC = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
CALLS = {
    "min": "max", "max": "min", "first": "last", "last": "first", "any": "all", "all": "any",
    "is_null": "is_not_null", "is_not_null": "is_null", "ge": "lt", "le": "gt", "eq": "ne",
    "ne": "eq", "any_horizontal": "all_horizontal", "all_horizontal": "any_horizontal",
    "floor": "ceil", "ceil": "floor",
}  # fmt: skip


def changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield what may take the place of a node, each with what is changed in it."""
    match node:
        case ast.Compare(ops=[op, *_]) if type(op) in COMPARISONS:
            other = copy.deepcopy(node)
            other.ops[0] = COMPARISONS[type(op)]()
            yield "comparison", other
        case ast.BinOp(op=op) if type(op) in ARITHMETIC:
            other = copy.deepcopy(node)
            other.op = ARITHMETIC[type(op)]()
            yield "operator", other
        case ast.BoolOp(op=op):
            other = copy.deepcopy(node)
            other.op = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield "and/or", other
        case ast.UnaryOp(op=ast.Not() | ast.Invert() | ast.USub(), operand=operand):
            yield "negation", operand
        case ast.Constant(value=bool(value)):
            yield "truth", ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield "number", ast.Constant(value + 1)
        case ast.IfExp(test=test):
            other = copy.deepcopy(node)
            other.test = ast.UnaryOp(ast.Not(), test)
            yield "condition", other
        case ast.Call(func=ast.Attribute(attr=name)) if name in CALLS:
            other = copy.deepcopy(node)
            other.func.attr = CALLS[name]
            yield "aggregate", other
        case ast.Call(func=ast.Name(id=name)) if name in CALLS:
            other = copy.deepcopy(node)
            other.func.id = CALLS[name]
            yield "aggregate", other


def replaced(source: str, node: ast.AST, other: ast.AST) -> str:
    """Return ``source`` with ``other`` where ``node`` stood; nothing else of it is touched."""
    lines = source.encode().splitlines(keepends=True)
    start = sum(map(len, lines[: node.lineno - 1])) + node.col_offset
    end = sum(map(len, lines[: node.end_lineno - 1])) + node.end_col_offset
    text = ast.unparse(ast.fix_missing_locations(other)).encode()
    data = source.encode()
    return (data[:start] + b"(" + text + b")" + data[end:]).decode()


def mutants(path: Path) -> Iterator[tuple[str, str]]:
    """Yield each change of a module: where and what it is, and the module with it."""
    source = path.read_text()
    tree = ast.parse(source)
    in_annotations = {
        id(inner)
        for node in ast.walk(tree)
        for hint in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if isinstance(hint, ast.AST)
        for inner in ast.walk(hint)
    }
    for node in ast.walk(tree):
        if id(node) in in_annotations or not hasattr(node, "lineno"):
            continue
        for what, other in changes(node):
            mutated = replaced(source, node, other)
            try:
                ast.parse(mutated)
            except SyntaxError:
                continue
            before, after = ast.unparse(node), ast.unparse(ast.fix_missing_locations(other))
            where = f"{path.relative_to(ROOT)}:{node.lineno}"
            yield f"{where} {what}: {before[:70]} -> {after[:70]}", mutated


def is_killed(checkout: Path, module: Path, mutated: str, tests: tuple[str, ...]) -> bool:
    """Say whether a test fails once the module is changed."""
    target = checkout / module
    original = target.read_text()
    target.write_text(mutated)
    try:
        for group in tests:
            if not (checkout / group).exists():
                continue
            command = [
                sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:xdist", "-p",
                "no:cacheprovider", "-m", "not slow", "--no-header", "--tb=no", group,
            ]  # fmt: skip
            environment = os.environ | {"PYTHONPATH": str(checkout)}
            try:
                done = subprocess.run(
                    command, cwd=checkout, env=environment, capture_output=True, timeout=240
                )
            except subprocess.TimeoutExpired:
                return True
            if done.returncode not in (0, 5):
                return True
        return False
    finally:
        target.write_text(original)


def copied(to: Path) -> Path:
    """Return a copy of everything in the checkout that tests need."""
    for name in ("fleet_pipeline", "assets", "sql", "orgs", "tests", "docs", "benchmarks", ".ci"):
        shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "Makefile", "requirements.lock", "dagster.yaml"):
        shutil.copy(ROOT / name, to / name)
    return to


def main() -> None:
    """Draw changes, hold each against its tests, and say which of them nobody noticed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sample", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--only", default="")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    drawn = [
        (path, what, mutated, tests)
        for pattern, tests in SUBJECTS.items()
        for path in sorted(ROOT.glob(pattern))
        if asked.only in str(path)
        for what, mutated in mutants(path)
    ]
    of_all = len(drawn)
    random.Random(asked.seed).shuffle(drawn)
    drawn = drawn[: asked.sample]
    deadline = time.monotonic() + asked.minutes * 60
    killed: dict[str, list[bool]] = {}
    survivors = []
    with tempfile.TemporaryDirectory() as folder:
        checkouts = [copied(Path(folder) / str(n)) for n in range(asked.workers)]

        def judge(one: tuple[Path, str, str, tuple[str, ...]]) -> tuple[Path, str, bool] | None:
            path, what, mutated, tests = one
            if time.monotonic() > deadline:
                return None
            checkout = checkouts.pop()
            try:
                return path, what, is_killed(checkout, path.relative_to(ROOT), mutated, tests)
            finally:
                checkouts.append(checkout)

        with ThreadPoolExecutor(asked.workers) as pool:
            for judged in pool.map(judge, drawn):
                if judged is None:
                    continue
                path, what, dead = judged
                killed.setdefault(path.parent.name, []).append(dead)
                if not dead:
                    survivors.append(what)
                    print(f"survived: {what}", file=sys.stderr, flush=True)
    tried = sum(map(len, killed.values()))
    lines = [f"{of_all} possible changes, {tried} tried (drawn with seed {asked.seed})"]
    for room, results in sorted(killed.items()):
        share = sum(results) / len(results)
        lines.append(f"{room}: {sum(results)} of {len(results)} killed ({share:.1%})")
    report = "\n".join([*lines, *(f"survived: {one}" for one in sorted(survivors))])
    print(report)
    if asked.out:
        asked.out.write_text(report + "\n")


if __name__ == "__main__":
    main()
