"""Every figure of a page, computed again from the published tables by its line of SQL.

Belongs here: reading ``trace_map``, computing all figures of a page or one of them. What a table is
itself made of stands in ``provenance``.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from typing import Final
from urllib.parse import unquote

import duckdb
import polars as pl

from fleet_pipeline.errors import PublicationError
from fleet_pipeline.publishing.figures import NATURAL_KEYS, key, resolve, unkey
from fleet_pipeline.publishing.provenance import PUBLISHED
from fleet_pipeline.publishing.trace_map import NOT_FIGURES, SOURCES, Source
from fleet_pipeline.tables import in_memory

Page = Mapping[str, object]
Tables = Mapping[str, pl.DataFrame]
Value = int | float | str | bool | None

_DATED: Final = re.compile(r"\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|\+00:00))?")
_SAME: Final = 1e-12
"""Relative: two engines may add the same floats in another order."""
_TOLD: Final = 5
"""Figures that one refusal names."""
_TO_ADD: Final = "add its line to fleet_pipeline/publishing/trace_map.py (CONTRIBUTING, 'A figure')"


@dataclass(frozen=True, slots=True)
class Traced:
    """A figure's address, taken apart: the record's source, its keys, and the column."""

    address: str
    source: Source
    keys: Mapping[str, str | None]
    field: str

    @property
    def column(self) -> str:
        """Return the SQL of the figure, over one row or over all rows with its keys."""
        if self.source.value is not None:
            return self.source.value
        return self.source.columns.get(self.field, f'"{self.field}"')

    @property
    def condition(self) -> str:
        """Return which rows the figure is made of, as SQL that can be pasted into a shell."""
        keys = (
            f"{self.source.keys.get(name, _quoted(name))}"
            + (" is null" if value is None else f" = {_literal(value)}")
            for name, value in self.keys.items()
        )
        given = () if self.source.where == "true" else (self.source.where,)
        return " and ".join((*given, *keys)) or "true"

    @property
    def statement(self) -> str:
        """Return the one SELECT whose only cell is the figure."""
        return f"select {self.column} from {self.source.of} where {self.condition}"

    @property
    def rows(self) -> str:
        """Return the SELECT of the rows behind the figure, in a total order."""
        return f"select * from {self.source.of} where {self.condition} order by all"

    @property
    def tables(self) -> tuple[str, ...]:
        """Return the published tables that the statement reads."""
        words = set(re.findall(r"\b[a-z_0-9]+\b", self.statement))
        return tuple(sorted(words & PUBLISHED))


def figures(page: Page) -> Iterator[tuple[str, Value]]:
    """Give every number, date and unknown of a page with its address.

    A list without a natural key holds words: a number in one has no address, which raises
    PublicationError.
    """
    yield from _figures(page, (), "", keyed=True)


def _figures(
    node: object, path: tuple[str, ...], name: str, *, keyed: bool
) -> Iterator[tuple[str, Value]]:
    if isinstance(node, Mapping):
        for inner, value in node.items():
            if path or inner not in NOT_FIGURES:
                yield from _figures(value, (*path, key(inner)), str(inner), keyed=keyed)
    elif isinstance(node, Sequence) and not isinstance(node, str):
        fields = NATURAL_KEYS.get(name, ())
        for item in node:
            keys = [key(item.get(field)) for field in fields] if isinstance(item, Mapping) else []
            yield from _figures(item, (*path, *keys), "", keyed=keyed and bool(keys))
    elif node is None or isinstance(node, int | float | str):
        is_number = isinstance(node, int | float) and not isinstance(node, bool)
        if not keyed and is_number:
            raise PublicationError(
                f"page.json: {'.'.join(path)} holds a number in a list without a natural key;"
                " name the key in fleet_pipeline/publishing/figures.py"
            )
        if keyed and (is_number or node is None or _is_date(node)):
            yield ".".join(path), node


def traced(address: str) -> Traced | None:
    """Return where a figure comes from; None where the map has no line for it."""
    segments = tuple(address.split("."))
    found: list[Traced] = []
    for source, record in _candidates(len(segments), segments[0]):
        keys = _keys(record, segments if source.value is not None else segments[:-1])
        if keys is not None:
            field = unquote(segments[-1])
            if field in source.columns:
                return Traced(address, source, keys, field)
            if not source.closed:
                found.append(Traced(address, source, keys, field))
    return found[0] if found else None


def disagreements(page: Page, tables: Tables, shown: Sequence[str] = ()) -> list[str]:
    """Return what is wrong with a page's figures, in words; empty when all can be explained.

    A figure needs a source whose SQL over the published ``tables`` gives the value that the page
    has. ``shown`` are addresses on the page; of what is not shown, an unknown needs no source.
    """
    every = dict(figures(page))
    every |= {address: _value(page, address) for address in shown if address not in every}
    of_source: dict[int, list[Traced]] = defaultdict(list)
    wrong = []
    for address, value in every.items():
        origin = traced(address)
        if origin is not None:
            of_source[id(origin.source)].append(origin)
        elif value is not None or address in shown:
            wrong.append(f"{address} has no source: {_TO_ADD}")
    with in_memory(tables) as connection:
        for origins in of_source.values():
            needed = [each for each in origins if every[each.address] is not None]
            needed += [each for each in origins if every[each.address] is None]
            computed = _computed(connection, needed, shown, every)
            wrong += [
                f"{each.address} is {every[each.address]!r} on the page and"
                f" {computed[each.address]!r} by SQL ({each.statement}): one of the two is wrong"
                for each in origins
                if each.address in computed
                and not same(every[each.address], computed[each.address])
            ]
    return wrong


def assert_explained(page: Page, tables: Tables, shown: Sequence[str]) -> None:
    """Refuse a page with a figure that cannot be explained. Raises PublicationError naming it."""
    wrong = disagreements(page, tables, shown)
    if wrong:
        more = f"; and {len(wrong) - _TOLD} more" if len(wrong) > _TOLD else ""
        raise PublicationError(f"page.json: {'; '.join(wrong[:_TOLD])}{more}")


def nearest(page: Page, address: str) -> list[str]:
    """Return the ids that are most like one that does not exist."""
    known = [path for path, _ in figures(page)]
    inside = [path for path in known if address and path.startswith(f"{address}.")]
    return inside[:_TOLD] or get_close_matches(address, known, n=_TOLD, cutoff=0.4)


def same(page_value: Value, table_value: Value) -> bool:
    """Say whether a figure and what its SQL gives are one: to the token, floats to 1e-12."""
    if page_value is None or table_value is None or isinstance(page_value, str | bool):
        return page_value == table_value
    if isinstance(table_value, str):
        return False
    return math.isclose(page_value, table_value, rel_tol=_SAME, abs_tol=0.0)


def _computed(
    connection: duckdb.DuckDBPyConnection,
    origins: Sequence[Traced],
    shown: Sequence[str],
    every: Mapping[str, Value],
) -> dict[str, Value]:
    """Return the figures of one source by one statement, by address."""
    source = origins[0].source
    has = _columns_of(connection, source.of)
    wanted = {}
    for each in origins:
        if source.value is not None or each.field in source.columns or each.field in has:
            wanted[each.field if source.value is None else ""] = each.column
    keys = {name: source.keys.get(name, _quoted(name)) for name in origins[0].keys}
    columns = [*keys.values(), *wanted.values()]
    group = f" group by {', '.join(keys.values())}" if source.grouped and keys else ""
    statement = f"select {', '.join(columns)} from {source.of} where {source.where}{group}"
    rows = connection.execute(statement).fetchall() if columns else []
    found: dict[tuple[str, ...], dict[str, Value]] = {}
    for row in rows:
        named = tuple(key(plain(value)) for value in row[: len(keys)])
        if named in found:
            raise PublicationError(f"{origins[0].address}: two rows for one figure ({statement})")
        found[named] = {
            name: plain(value) for name, value in zip(wanted, row[len(keys) :], strict=True)
        }
    computed: dict[str, Value] = {}
    for each in origins:
        name = each.field if source.value is None else ""
        if name in wanted:
            values = tuple(key(value) for value in each.keys.values())
            computed[each.address] = found.get(values, {}).get(name)
        elif every[each.address] is not None or each.address in shown:
            raise PublicationError(
                f"page.json: {each.address} has no source: {source.of} has no column"
                f" {each.field}; {_TO_ADD}"
            )
    return computed


def plain(value: object) -> Value:
    """Return a cell as page.json has it: dates as ISO text, times in UTC, decimals as floats."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value if isinstance(value, int | float | str | bool) or value is None else str(value)


def _value(page: Page, address: str) -> Value:
    value = resolve(page, address)
    return value if isinstance(value, int | float | str) or value is None else str(value)


def _columns_of(connection: duckdb.DuckDBPyConnection, of: str) -> set[str]:
    return set(connection.sql(f"select * from {of} limit 0").columns)


def _keys(record: Sequence[str], segments: Sequence[str]) -> dict[str, str | None] | None:
    """Return the natural keys of an address under a source's pattern, None if it is not of it."""
    if len(record) != len(segments):
        return None
    pairs = list(zip(record, segments, strict=True))
    if any(part != segment and not part.startswith("{") for part, segment in pairs):
        return None
    return {part[1:-1]: unkey(segment) for part, segment in pairs if part.startswith("{")}


def _quoted(name: str) -> str:
    return f'"{name}"'


def _literal(value: str) -> str:
    doubled = value.replace("'", "''")
    return f"'{doubled}'"


def _is_date(value: object) -> bool:
    return isinstance(value, str) and _DATED.fullmatch(value) is not None


_PATTERNS: Final = [
    (source, tuple(source.at.split(".")) if source.at else ()) for source in SOURCES
]


@cache
def _candidates(length: int, first: str) -> list[tuple[Source, tuple[str, ...]]]:
    """Return the sources, in their order, of addresses so long that begin like this."""
    return [
        (source, record)
        for source, record in _PATTERNS
        if len(record) + (source.value is None) == length
        and (not record or record[0] == first or record[0].startswith("{"))
    ]
