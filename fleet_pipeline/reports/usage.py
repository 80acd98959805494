"""Usage reports: the ledger's requests by day, week, month, session, agent, model or block.

Costs are what the API's price lists ask at the UTC date of use, tier by tier: exact micro-dollars,
rounded only where they are written down. A model without a price is named, never free.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from itertools import groupby, pairwise
from typing import Final, Literal, get_args

import msgspec
import polars as pl

from fleet_pipeline import tables
from fleet_pipeline.headroom import BLOCK, block_starts
from fleet_pipeline.org import UNATTRIBUTED
from fleet_pipeline.pricing import EMBEDDED, PriceBook, list_prices
from fleet_pipeline.reports.periods import Days, first_of_week

Kind = Literal["daily", "weekly", "monthly", "session", "agent", "model", "blocks"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

_UNKNOWN: Final = "unknown"
_PROVIDERS: Final[Mapping[str, str]] = {"claude": "anthropic", "codex": "openai"}

_LARGEST_FIRST: Final = frozenset({"session", "agent", "model"})


@dataclass(frozen=True)
class Usage:
    """What some requests used; disjoint classes of tokens, exact micro-dollars at list price.

    ``placeholders`` counts requests whose output is only known to be at least what was logged.
    ``priced_usd_micros`` leaves out the requests of ``unpriced_models``, web searches, and the
    surcharge of fast mode.
    """

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_write_tokens: int = 0
    cache_read_tokens: int = 0
    placeholders: int = 0
    web_searches: int = 0
    fast_requests: int = 0
    unpriced_requests: int = 0
    priced_usd_micros: Decimal = Decimal(0)
    unpriced_models: frozenset[str] = frozenset()

    @property
    def total_tokens(self) -> int:
        """All tokens, output and cache included."""
        return (
            self.input_tokens
            + self.output_tokens
            + self.cache_write_tokens
            + self.cache_read_tokens
        )

    @property
    def cost_usd_micros(self) -> Decimal | None:
        """The cost of all requests; None as soon as one has no price."""
        return None if self.unpriced_requests else self.priced_usd_micros

    def __add__(self, other: "Usage") -> "Usage":
        """Return the usage of both together."""
        return Usage(
            self.requests + other.requests,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
            self.cache_read_tokens + other.cache_read_tokens,
            self.placeholders + other.placeholders,
            self.web_searches + other.web_searches,
            self.fast_requests + other.fast_requests,
            self.unpriced_requests + other.unpriced_requests,
            self.priced_usd_micros + other.priced_usd_micros,
            self.unpriced_models | other.unpriced_models,
        )


_COUNTED: Final = frozenset(field.name for field in fields(Usage)) - {"unpriced_models"}


@dataclass(frozen=True)
class Line:
    """What one client used of one model, within a row."""

    client: str
    model: str
    usage: Usage


@dataclass(frozen=True)
class Row:
    """One day, week, month, session, agent, model or block; ``lines`` by falling tokens.

    ``key`` is an ISO day (a week's first), an ISO month, an id, a name, or the UTC start of a
    block. ``first`` and ``last`` are its outermost requests. A gap between blocks has no lines;
    its ``first``, and key, is when the block before could not have lasted any longer, its ``last``
    the next request.
    """

    key: str
    first: datetime
    last: datetime
    lines: tuple[Line, ...]

    @property
    def usage(self) -> Usage:
        """What all models of the row used."""
        return sum((line.usage for line in self.lines), Usage())

    @property
    def is_gap(self) -> bool:
        """Whether this is what lies between two blocks."""
        return not self.lines

    @property
    def models(self) -> list[str]:
        """The names of the models, sorted."""
        return sorted({line.model for line in self.lines})


@dataclass(frozen=True)
class Report:
    """Rows of one kind over ``days``, in the order in which they are read.

    ``newest`` is the last request of the whole ledger, None where it is empty.
    """

    kind: Kind
    days: Days
    rows: tuple[Row, ...]
    newest: datetime | None
    week_start: str = "wednesday"

    @property
    def total(self) -> Usage:
        """What all rows used together."""
        return sum((row.usage for row in self.rows), Usage())


class _Record(msgspec.Struct):
    """A row of sql/report_lines.sql."""

    period: str
    client: str
    model: str
    requests: int
    input_tokens: int
    output_tokens: int
    cache_write_tokens: int
    cache_read_tokens: int
    placeholders: int
    web_searches: int
    fast_requests: int
    first_ts: datetime
    last_ts: datetime
    unpriced_requests: int
    priced_usd_micros: Decimal

    def line(self) -> Line:
        unpriced = frozenset({self.model} if self.unpriced_requests else ())
        usage = Usage(
            **{name: getattr(self, name) for name in self.__struct_fields__ if name in _COUNTED},
            unpriced_models=unpriced,
        )
        return Line(self.client, self.model, usage)


def report(
    kind: Kind,
    ledger: pl.DataFrame,
    days: Days,
    *,
    newest: datetime | None = None,
    agents: pl.DataFrame | None = None,
    week_start: str = "wednesday",
    book: PriceBook = EMBEDDED,
) -> Report:
    """Return the report of one kind over the ledger rows that lie on ``days``.

    Blocks are whole: they are found in all Claude rows given, and those are kept that begin on one
    of the days. ``agents`` (cwd, agent), each folder once, is what the agent report goes by;
    ``newest`` is the last request of the whole ledger, of which ``ledger`` may be a part. ``book``
    holds the list prices of the days.
    """
    rows = ledger.filter(days.hold(pl.col("ts"))) if kind != "blocks" else _blocks(ledger, days)
    if kind == "agent":
        nobodys = pl.DataFrame(schema={"cwd": pl.String, "agent": pl.String})
        rows = rows.join(nobodys if agents is None else agents, "cwd", "left")
    records = _records(rows.with_columns(period=_period(kind, days, week_start)), book)
    by_period = groupby(records, key=lambda record: record.period)
    made = [_row(key, list(group)) for key, group in by_period]
    if kind in _LARGEST_FIRST:
        made.sort(key=lambda row: (row.key == UNATTRIBUTED, -row.usage.total_tokens, row.key))
    if kind == "blocks":
        made = list(_with_gaps(made))
    return Report(kind, days, tuple(made), newest, week_start)


def _period(kind: Kind, days: Days, week_start: str) -> pl.Expr:
    day = days.of(pl.col("ts"))
    match kind:
        case "daily":
            return day.dt.to_string("iso")
        case "weekly":
            return first_of_week(day, week_start).dt.to_string("iso")
        case "monthly":
            return day.dt.to_string("%Y-%m")
        case "session":
            return pl.col("session_id").fill_null(_UNKNOWN)
        case "agent":
            return pl.col("agent").fill_null(UNATTRIBUTED)
        case "model":
            return pl.col("model").fill_null(_UNKNOWN)
        case "blocks":
            return pl.col("block").dt.to_string("%Y-%m-%dT%H:%M:%SZ")


def _blocks(ledger: pl.DataFrame, days: Days) -> pl.DataFrame:
    claude = ledger.filter(client="claude").sort("ts")
    blocks = claude.with_columns(block_starts(claude["ts"]).alias("block"))
    return blocks.filter(days.hold(pl.col("block")))


def _records(rows: pl.DataFrame, book: PriceBook) -> list[_Record]:
    requests = rows.with_columns(
        date=pl.col("ts").dt.date(),
        full_input_tokens=pl.sum_horizontal(
            "input_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens"
        ),
    )
    prices = pl.concat(_prices(requests, client, book) for client in _PROVIDERS)
    lines = tables.run("report_lines", requests=requests, list_prices=prices)
    return msgspec.convert(lines.to_dicts(), list[_Record])


def _prices(requests: pl.DataFrame, client: str, book: PriceBook) -> pl.DataFrame:
    used = requests.filter(client=client).select("model", "date").drop_nulls().unique()
    prices = list_prices(_PROVIDERS[client], used["model"], used["date"], book)
    return prices.with_columns(client=pl.lit(client))


def _row(key: str, records: list[_Record]) -> Row:
    return Row(
        key,
        min(record.first_ts for record in records),
        max(record.last_ts for record in records),
        tuple(record.line() for record in records),
    )


def _with_gaps(blocks: list[Row]) -> Iterator[Row]:
    yield from blocks[:1]
    for before, after in pairwise(blocks):
        if after.first - before.last > BLOCK:
            start = before.last + BLOCK
            yield Row(start.isoformat(), start, after.first, ())
        yield after
