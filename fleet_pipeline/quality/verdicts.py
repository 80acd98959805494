"""The outcomes of a week's suites as a table, and whether they were of these very tables.

Great Expectations is asked once a run; publication reads what it said. A verdict holds for the
bytes that it was about, and for the suites that found it: a table that was made again as it was
need not be judged again, one that changed since has to be.
"""

import hashlib
import io
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

import polars as pl

from fleet_pipeline import tables as statements
from fleet_pipeline.quality.outcome import Outcome
from fleet_pipeline.quality.suites import COUNTED_OF, SUITES, suite_of

_SCHEMA: Final = {
    "check": pl.String,
    "table": pl.String,
    "severity": pl.String,
    "passed": pl.Boolean,
    "broken": pl.Boolean,
    "rows": pl.Int64,
    "rows_failing": pl.Int64,
    "expectations": pl.Int64,
    "expectations_failed": pl.Int64,
    "says": pl.String,
    "remedy": pl.String,
    "judged": pl.String,
}
_CODE: Final = ("suites.py", "expectations.py")
_COUNTS: Final = ("rows", "rows_failing", "expectations", "expectations_failed")


def verdicts(outcomes: Iterable[Outcome], tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return the outcomes as a table, one row each, with a digest of the table it is about."""
    judged = {name: digest(frame) for name, frame in tables.items()}
    rows = [
        {
            "check": outcome.name,
            **{name: getattr(outcome, name) for name in ("table", "severity", "passed", "broken")},
            **{name: outcome.counts.get(name, 0) for name in _COUNTS},
            "says": outcome.says,
            "remedy": outcome.remedy,
            "judged": judged[outcome.table],
        }
        for outcome in outcomes
    ]
    return pl.DataFrame(rows, schema=_SCHEMA)


def outcomes(verdicts: pl.DataFrame) -> list[Outcome]:
    """Return the outcomes that a table of verdicts was made of."""
    return [
        Outcome(
            row["check"],
            row["severity"],
            row["passed"],
            row["says"],
            {name: row[name] for name in _COUNTS},
            table=row["table"],
            remedy=row["remedy"],
            broken=row["broken"],
        )
        for row in verdicts.iter_rows(named=True)
    ]


def standing(before: pl.DataFrame, tables: Mapping[str, pl.DataFrame]) -> dict[str, list[Outcome]]:
    """Return the outcomes of verdicts made ``before`` that are of these very tables, by table.

    A check that broke said nothing of its table, which is then judged again as a whole.
    """
    if before.schema != _SCHEMA:
        return {}
    judged = dict(before.select("table", "judged").iter_rows())
    same = {name for name, frame in tables.items() if judged.get(name) == digest(frame)}
    found: dict[str, list[Outcome]] = {}
    for outcome in outcomes(before):
        of = COUNTED_OF if suite_of(outcome.table).counted_by else (outcome.table,)
        if same.issuperset(of):
            found.setdefault(outcome.table, []).append(outcome)
    return {name: those for name, those in found.items() if not any(each.broken for each in those)}


def verdicts_hold(verdicts: pl.DataFrame, tables: Mapping[str, pl.DataFrame]) -> Outcome:
    """No table was made again since the suites were run on it."""
    judged = dict(verdicts.select("table", "judged").iter_rows())
    made_since = sorted(name for name, frame in tables.items() if judged.get(name) != digest(frame))
    return Outcome(
        "verdicts_hold",
        "error",
        not made_since,
        f"made again since it was judged: {', '.join(made_since)}"
        if made_since
        else f"{len(tables)} tables are the ones that were judged",
        {"tables_made_since": len(made_since)},
        table="quality",
        remedy="make `quality` of the week again, or run `fleet refresh`",
    )


def digest(frame: pl.DataFrame) -> str:
    """Return what tells a table from another, and one way of judging it from another.

    Names, types, values and their order; the suites and what runs them.
    """
    written = io.BytesIO()
    frame.rechunk().write_ipc(written, compression="uncompressed")
    told = hashlib.sha256(_judging())
    told.update(written.getbuffer())
    return told.hexdigest()[:16]


@cache
def _judging() -> bytes:
    code = [Path(__file__).with_name(name).read_bytes() for name in _CODE]
    counts = [statements.statement(each.counted_by) for each in SUITES.values() if each.counted_by]
    told = [version("great-expectations").encode(), *code, *(text.encode() for text in counts)]
    return hashlib.sha256(b"\0".join(told)).digest()
