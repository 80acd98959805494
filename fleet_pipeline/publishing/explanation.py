"""One figure of a published week, explained from that week's own files and nothing else.

The value, the SELECT that gives it, the rows behind it, what their tables were made of, and whether
the published tables still say the same.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import polars as pl

from fleet_pipeline.errors import ConfigurationError, PublicationError
from fleet_pipeline.ledger.store import UNREADABLE
from fleet_pipeline.publishing import trace
from fleet_pipeline.publishing.figures import resolve
from fleet_pipeline.tables import answer, in_memory

ROWS_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Table:
    """A published table that a figure is read from: how it was made, and of what."""

    table: str
    made_by: list[dict[str, str]]
    of: list[dict[str, object]]
    """Upstream tables and outer inputs, each with its sums."""
    sql: str | None
    """The statement that made it, as it was published with the week."""
    sha256: str
    is_as_published: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """A figure with its address, its source, and what its source says today."""

    id: str
    as_of: str
    value: trace.Value
    how: str
    statement: str
    recomputed: trace.Value
    agrees: bool
    tables: list[Table]
    row_count: int
    rows: list[dict[str, object]]
    """At most ``ROWS_SHOWN`` of them."""

    def record(self) -> dict[str, object]:
        """Return the explanation as JSON has it."""
        return asdict(self)


def explain(folder: Path, address: str) -> Explanation:
    """Explain the figure at ``address`` of the week published in ``folder``.

    Raises ConfigurationError where no week is there, or for an id that it does not have, naming the
    nearest ones; PublicationError where its tables do not fit its figures.
    """
    page = _page(folder)
    known = dict(trace.figures(page))
    value = known[address] if address in known else _shown(page, address)
    origin = trace.traced(address)
    if origin is None:
        raise PublicationError(f"{address}: nothing says where it comes from")
    frames = {name: _table(folder, name) for name in origin.tables}
    with in_memory(frames) as connection:
        found = connection.execute(origin.statement).fetchall()
        behind = answer(connection, origin.rows)
    recomputed = trace.plain(found[0][0]) if found else None
    return Explanation(
        id=address,
        as_of=str(page["as_of"]),
        value=value,
        how=origin.source.how,
        statement=origin.statement,
        recomputed=recomputed,
        agrees=len(found) <= 1 and trace.same(value, recomputed),
        tables=[_made(folder, page, name) for name in origin.tables],
        row_count=behind.height,
        rows=[
            {name: trace.plain(cell) for name, cell in row.items()}
            for row in behind.head(ROWS_SHOWN).iter_rows(named=True)
        ],
    )


def _shown(page: trace.Page, address: str) -> trace.Value:
    """Return a figure that is words; one that does not exist is told with its neighbours."""
    try:
        value = resolve(page, address)
    except PublicationError:
        value = ()
    if isinstance(value, int | float | str) or value is None:
        return value
    near = trace.nearest(page, address)
    told = f"; the nearest: {', '.join(near)}" if near else "; page.json holds them all"
    raise ConfigurationError(f"{address}: the page of {page['as_of']} has no such figure{told}")


def _page(folder: Path) -> dict[str, object]:
    try:
        page = json.loads((folder / "page.json").read_bytes())
    except FileNotFoundError:
        raise ConfigurationError(
            f"{folder}: no week is published there; `fleet refresh` publishes one"
        ) from None
    except ValueError:
        raise ConfigurationError(f"{folder / 'page.json'} is damaged; publish it again") from None
    if not isinstance(page, dict) or "provenance" not in page:
        raise ConfigurationError(
            f"{folder / 'page.json'} does not say what it is made of: it is of an older version;"
            " publish it again with `fleet refresh --as-of`"
        )
    return page


def _table(folder: Path, name: str) -> pl.DataFrame:
    path = folder / "tables" / f"{name}.parquet"
    try:
        return pl.read_parquet(path, hive_partitioning=False)
    except (OSError, *UNREADABLE):
        raise PublicationError(f"{path} is missing or damaged; publish the week again") from None


def _made(folder: Path, page: Mapping[str, object], name: str) -> Table:
    told = page["provenance"]
    assert isinstance(told, Mapping)
    by_name = {row["table"]: row for row in told["tables"]}
    row = by_name[name]
    sql = folder / "tables" / f"{name}.sql"
    content = (folder / "tables" / f"{name}.parquet").read_bytes()
    return Table(
        table=name,
        made_by=row["made_by"],
        of=[
            {"input": of, "sha256": by_name[of]["sha256"]}
            if of in by_name
            else {"input": of, **told["inputs"].get(of, {})}
            for of in row["of"]
        ],
        sql=sql.read_text("utf-8") if sql.exists() else None,
        sha256=row["sha256"],
        is_as_published=hashlib.sha256(content).hexdigest() == row["sha256"],
    )
