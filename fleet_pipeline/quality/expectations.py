"""Great Expectations at work: the suites are run on one week's tables, each check gives an outcome.

The only module that loads Great Expectations, and only when it is asked: that takes seconds. Tables
go in as small pandas frames; no store, no Data Docs, no word to anybody. What comes out names rows
by their publishable keys and counts them; values that failed are dropped here.
"""

import os
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import polars as pl
import polars.selectors as cs

from fleet_pipeline import tables as statements
from fleet_pipeline.quality.outcome import REPORT_IT, Outcome
from fleet_pipeline.quality.suites import Check, Suite, checks_of, suite_of

if TYPE_CHECKING:
    import pandas as pd

_MOST_ROWS_NAMED: Final = 5


def judge(
    tables: Mapping[str, pl.DataFrame], names: Iterable[str] | None = None
) -> dict[str, list[Outcome]]:
    """Return what every check says of the tables ``names`` of one week, by table; else of all."""
    validate = _Validator()
    return {name: list(_of_table(name, tables, validate)) for name in names or tables}


def _of_table(
    name: str, tables: Mapping[str, pl.DataFrame], validate: "_Validator"
) -> Iterable[Outcome]:
    suite = suite_of(name)
    frame = _counted(suite, tables) if suite.counted_by else tables[name]
    checks = checks_of(name, frame.columns)
    results = validate(name, frame, suite, checks)
    for check in checks:
        yield outcome_of(name, frame.height, check, [results[each] for each in _keys(check)])


def _counted(suite: Suite, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    assert suite.counted_by
    return statements.run(
        suite.counted_by,
        requests=tables["requests"],
        turns=tables["turns"].drop("acts", strict=False),
        window_coverage=tables["window_coverage"],
    )


def outcome_of(table: str, height: int, check: Check, results: list[Mapping[str, Any]]) -> Outcome:
    """Return the outcome of a check from what Great Expectations says of its expectations.

    An expectation that crashed comes back as a failure without a result: it says nothing of the
    data, and is told as broken. Of what it raised only the kind of expectation is told.
    """
    broken = [result for result in results if _crashed(result)]
    failed = [result for result in results if not result["success"] and not _crashed(result)]
    counts = {
        "rows": height,
        "expectations": len(results),
        "expectations_failed": len(failed),
        "rows_failing": max((_rows_failing(result) for result in failed), default=0),
    }
    if broken:
        kinds = sorted({_subject(result) for result in broken})
        names = ", ".join(kinds)
        says = f"the check broke and says nothing of {table}: {names} could not be looked at"
    elif failed:
        says = f"{table}: " + "; ".join(_says(result) for result in failed)
    else:
        says = f"{table}: {height:,} {'row' if height == 1 else 'rows'}, as expected"
    return Outcome(
        check.name,
        check.severity,
        not broken and not failed,
        says,
        counts,
        table=table,
        remedy=REPORT_IT if broken else check.remedy,
        broken=bool(broken),
    )


def _crashed(result: Mapping[str, Any]) -> bool:
    return not result["success"] and not result["result"]


def _subject(result: Mapping[str, Any]) -> str:
    """Return what an expectation is about: a column, two of them, or the table's rows."""
    given = result["expectation_config"]["kwargs"]
    if "column_A" in given:
        return f"{given['column_B']} beside {given['column_A']}"
    return str(given.get("column") or ", ".join(given.get("column_list", ())) or "the rows")


def _rows_failing(result: Mapping[str, Any]) -> int:
    return int(result["result"].get("unexpected_count") or 0)


def _says(result: Mapping[str, Any]) -> str:
    found, given = result["result"], result["expectation_config"]["kwargs"]
    if "observed_value" in found:
        return f"{found['observed_value']:,} rows where {_bounds(given)} are expected"
    count = _rows_failing(result)
    named = _rows_named(found)
    rows = f"{count:,} of {found['element_count']:,} rows"
    return f"{_subject(result)}: {_complaint(given)} in {rows}" + (f" ({named})" if named else "")


def _complaint(given: Mapping[str, Any]) -> str:
    if "column_A" in given:
        return f"{given['column_B']} is above {given['column_A']}"
    if "value_set" in given:
        return "another value than expected"
    if "column_list" in given:
        return "the same key"
    if "min_value" in given or "max_value" in given:
        return f"not {_bounds(given)}"
    return "repeated or missing"


def _bounds(given: Mapping[str, Any]) -> str:
    low, high = given.get("min_value"), given.get("max_value")
    if low == high:
        return f"{low:g}"
    if high is None:
        return f"{low:g} or more"
    return f"{low:g} to {high:g}" if low is not None else f"up to {high:g}"


def _rows_named(found: Mapping[str, Any]) -> str:
    """Return which rows failed, by their keys alone."""
    keys = found.get("unexpected_index_column_names") or ()
    rows = found.get("unexpected_index_list") or ()
    named = list(dict.fromkeys("/".join(str(row[key] or "-") for key in keys) for row in rows))
    more = f" and {len(named) - _MOST_ROWS_NAMED} more" if len(named) > _MOST_ROWS_NAMED else ""
    return ", ".join(named[:_MOST_ROWS_NAMED]) + more


def _keys(check: Check) -> list[str]:
    return [f"{check.name}/{number}" for number in range(len(check.expects))]


class _LoadedOnUse(ModuleType):
    """Stands for a module until somebody asks for anything in it."""

    def __getattr__(self, name: str) -> object:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


class _Validator:
    """Great Expectations, loaded once; its results by the key of each expectation."""

    def __init__(self) -> None:
        os.environ["GX_ANALYTICS_ENABLED"] = "false"
        # A third of all the loading, for a kind of expectation that no suite has.
        sys.modules.setdefault("scipy.stats", _LoadedOnUse("scipy.stats"))
        import great_expectations as gx
        from great_expectations.data_context.types.base import ProgressBarsConfig

        self._gx = gx
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        # One place for all tables, each a batch of it: every further one is written down anew.
        place = context.data_sources.add_pandas(name="weekly").add_dataframe_asset(name="table")
        self._whole = place.add_batch_definition_whole_dataframe("week")

    def __call__(
        self, name: str, frame: pl.DataFrame, suite: Suite, checks: Iterable[Check]
    ) -> dict[str, Mapping[str, Any]]:
        expectations = [
            getattr(self._gx.expectations, each.kind)(**each.given, meta={"key": key})
            for check in checks
            for each, key in zip(check.expects, _keys(check), strict=True)
        ]
        batch = self._whole.get_batch({"dataframe": _as_pandas(frame)})
        suite_to_run = self._gx.ExpectationSuite(name=name, expectations=expectations)
        # Which rows fail takes twice as long to find as whether any does, and is rarely needed.
        found = batch.validate(suite_to_run, result_format="BOOLEAN_ONLY")
        if not found.success:
            keys = [key for key in suite.keys if key in frame.columns]
            named = {"unexpected_index_column_names": keys} if keys else {}
            found = batch.validate(
                suite_to_run, result_format={"result_format": "COMPLETE"} | named
            )
        results: list[Any] = [result.to_json_dict() for result in found.results]
        return {result["expectation_config"]["meta"]["key"]: result for result in results}


def _as_pandas(frame: pl.DataFrame) -> "pd.DataFrame":
    """Return a table as pandas has it: days and times as ISO texts, which sort as they do."""
    return frame.with_columns(
        cs.temporal().cast(pl.String), cs.decimal().cast(pl.Float64)
    ).to_pandas()
