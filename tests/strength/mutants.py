"""What can be changed in a module so that a test should fail.

A comparison turned round, a sum made a difference, a number off by one, a condition negated, an
aggregate taken for another, rows that a filter leaves out let in: one thing at a time.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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


LET_IN = {"filter", "unique", "drop_nulls"}
"""Without one of these, a frame has more rows."""

OF_NO_ACCOUNT = {"strict", "frozen", "slots", "maintain_order", "check_sortedness"}
"""Options that hold a promise, save memory or keep an order that a later sort undoes anyway."""


@dataclass(frozen=True)
class Mutant:
    """One change: ``where`` is the function that it is in, ``source`` the whole changed module."""

    path: str
    line: int
    statement: range
    """The lines of the statement: which of them counts as run is the interpreter's choice."""
    where: str
    change: str
    source: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What stays the same while lines move."""
        return (self.path, self.where, self.change)

    def __str__(self) -> str:
        return f"{self.path}:{self.line} in {self.where}, {self.change}"


def changes(node: ast.AST) -> Iterator[tuple[str, ast.AST, ast.AST]]:
    """Yield what kind of change may be made, to which node, and what takes its place."""
    match node:
        case ast.Compare(ops=[op, *others]) if type(op) in COMPARISONS:
            turned = [COMPARISONS[type(op)](), *others]
            yield "comparison", node, ast.Compare(node.left, turned, node.comparators)
        case ast.BinOp(op=op) if type(op) in ARITHMETIC:
            yield "operator", node, ast.BinOp(node.left, ARITHMETIC[type(op)](), node.right)
        case ast.BoolOp(op=op):
            other = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield "and/or", node, ast.BoolOp(other, node.values)
        case ast.UnaryOp(op=ast.Not() | ast.Invert() | ast.USub(), operand=operand):
            yield "negation", node, operand
        case ast.Constant(value=bool(value)):
            yield "truth", node, ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield "number", node, ast.Constant(value + 1)
        case ast.IfExp(test=test) | ast.If(test=test):
            if not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp):
                yield "condition", test, ast.UnaryOp(ast.Not(), test)
        case ast.Call(func=ast.Attribute(value=rows, attr=name)) if name in LET_IN:
            yield "rows let in", node, rows
        case ast.Call(func=ast.Attribute(value=of, attr=name)) if name in CALLS:
            yield "aggregate", node, ast.Call(ast.Attribute(of, CALLS[name]), *called(node))
        case ast.Call(func=ast.Name(id=name)) if name in CALLS:
            yield "aggregate", node, ast.Call(ast.Name(CALLS[name]), *called(node))


def called(node: ast.Call) -> tuple[list[ast.expr], list[ast.keyword]]:
    """Return what a call is given."""
    return node.args, node.keywords


def replaced(source: bytes, node: ast.AST, other: ast.AST) -> str:
    """Return ``source`` with ``other`` where ``node`` stood; nothing else of it is touched."""
    lines = source.splitlines(keepends=True)
    start = sum(map(len, lines[: node.lineno - 1])) + node.col_offset
    end = sum(map(len, lines[: node.end_lineno - 1])) + node.end_col_offset
    return (source[:start] + b"(" + ast.unparse(other).encode() + b")" + source[end:]).decode()


@dataclass(frozen=True)
class Place:
    """Where a node is: the function, and the lines of the statement, without its body."""

    where: str = "the module"
    lines: range = range(0)

    def inside(self, node: ast.AST) -> "Place":
        """Return the place of what is inside of a node."""
        where = node.name if isinstance(node, ast.FunctionDef | ast.ClassDef) else self.where
        if not isinstance(node, ast.stmt):
            return Place(where, self.lines)
        body = getattr(node, "body", None)
        end = body[0].lineno - 1 if body else node.end_lineno
        return Place(where, range(node.lineno, max(node.lineno, end) + 1))


def nodes(tree: ast.AST, place: Place) -> Iterator[tuple[ast.AST, Place]]:
    """Yield every node that does something at run time, with its place.

    Not those of annotations, and none inside of an f-string, which says what is seen and has no
    place of its own in the source before Python 3.12.
    """
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns") or isinstance(tree, ast.JoinedStr):
            continue
        for node in value if isinstance(value, list) else [value]:
            if not isinstance(node, ast.AST):
                continue
            if isinstance(node, ast.keyword) and node.arg in OF_NO_ACCOUNT:
                continue
            here = place.inside(node)
            yield node, here
            yield from nodes(node, here)


def mutants(path: Path, root: Path) -> Iterator[Mutant]:
    """Yield each change of a module."""
    source = path.read_bytes()
    name = path.relative_to(root).as_posix()
    for node, place in nodes(ast.parse(source), Place()):
        for kind, target, other in changes(node):
            mutated = replaced(source, target, other)
            try:
                ast.parse(mutated)
            except SyntaxError:
                continue
            change = f"{kind}: {ast.unparse(target)[:90]} -> {ast.unparse(other)[:90]}"
            yield Mutant(name, target.lineno, place.lines, place.where, change, mutated)
