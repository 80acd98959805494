"""How a weekly table and its checks are made: what all of them have in common stands here once."""

import hashlib
import warnings
from collections.abc import Callable, Mapping
from functools import wraps
from inspect import Signature, signature
from itertools import takewhile
from typing import TypedDict

import dagster as dg
import polars as pl

from assets.partitions import close_of_key, weeks
from assets.resources import Fleet
from fleet_pipeline import quality, tables
from fleet_pipeline.dictionary import meaning

OWNERS = ["team:analyst"]

RETRY = dg.RetryPolicy(max_retries=2, delay=2, backoff=dg.Backoff.EXPONENTIAL)
"""For what asks feeds or reads what they said: a full disk or a store that is away may pass.

Not for the other tables: they are computed, some for minutes, and a second try says the same.
"""

_Table = Callable[..., pl.DataFrame]
_Tables = Callable[..., tuple[pl.DataFrame, ...]]
_Check = Callable[..., dg.AssetCheckResult]


def weekly(
    group: str,
    *kinds: str,
    sql: str | None = None,
    deps: tuple[str, ...] = (),
    retry: dg.RetryPolicy | None = None,
) -> Callable[[_Table], dg.AssetsDefinition]:
    """Make a function the asset of one weekly table; the text of its ``sql`` is shown with it.

    A change of that text is a change of the asset's code version; the number before it is raised
    by hand when the meaning of a table changes elsewhere.
    """

    def wrap(table: _Table) -> dg.AssetsDefinition:
        return dg.asset(
            partitions_def=weeks,
            group_name=group,
            owners=OWNERS,
            deps=list(deps),
            retry_policy=retry,
            **_described(table.__doc__ or "", kinds, sql),
        )(table)

    return wrap


def weekly_tables(
    group: str,
    *,
    deps: tuple[str, ...] = (),
    deps_of: Mapping[str, tuple[str, ...]] | None = None,
    sql: tuple[str, ...] = (),
    **described: str,
) -> Callable[[_Tables], dg.AssetsDefinition]:
    """Make a function the one step that computes several weekly tables, in the order named.

    All are made of all of its inputs, unless ``deps_of`` says of each what it is made of. Those
    that ``sql`` names are made by the statement of their name.
    """

    def wrap(made: _Tables) -> dg.AssetsDefinition:
        return dg.multi_asset(
            outs={
                name: dg.AssetOut(
                    group_name=group,
                    owners=OWNERS,
                    **_described(description, (), name if name in sql else None),
                )
                for name, description in described.items()
            },
            partitions_def=weeks,
            deps=list(deps),
            internal_asset_deps={name: set(map(dg.AssetKey, of)) for name, of in deps_of.items()}
            if deps_of
            else None,
        )(made)

    return wrap


class _Described(TypedDict):
    """What an asset says of the table that it makes."""

    description: str
    kinds: set[str]
    code_version: str
    metadata: dict[str, dg.MetadataValue] | None


def _described(says: str, kinds: tuple[str, ...], sql: str | None) -> _Described:
    statement = tables.statement(sql) if sql else ""
    parts = (says, _head_comment(statement))
    return {
        "description": "\n\n".join(part.strip() for part in parts if part),
        "kinds": {*kinds, "duckdb" if sql else "python", "parquet"},
        "code_version": _version(statement),
        "metadata": {"sql": dg.MetadataValue.md(f"```sql\n{statement}\n```")} if sql else None,
    }


def weekly_check(
    asset: dg.AssetsDefinition | str, *others: str, blocking: bool = False
) -> Callable[[_Check], dg.AssetChecksDefinition]:
    """Make a function the check of one week of ``asset``, given it and the ``others`` by name.

    Where the operator accepted that it fails in that week, it warns instead of refusing.
    """

    def wrap(check: _Check) -> dg.AssetChecksDefinition:
        with warnings.catch_warnings():
            # Checks by week are a preview in Dagster 1.13; without its week, a check could not
            # know which page it speaks of.
            warnings.simplefilter("ignore", dg.PreviewWarning)
            return dg.asset_check(
                asset=asset,
                additional_ins={name: dg.AssetIn(name) for name in others},
                blocking=blocking,
                partitions_def=weeks,
            )(unless_accepted(check))

    return wrap


def unless_accepted(check: _Check) -> _Check:
    """Let a check warn where it would refuse, if the operator accepted it for the run's week."""
    own = signature(check).parameters

    @wraps(check, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
    def asked(
        context: dg.AssetCheckExecutionContext, fleet: Fleet, **tables: pl.DataFrame
    ) -> dg.AssetCheckResult:
        given = {"context": context, "fleet": fleet, **tables}
        [key] = context.selected_asset_check_keys
        # Without its key, Dagster would look up twice what the result is of.
        result = check(**{name: given[name] for name in own})._replace(
            asset_key=key.asset_key, check_name=key.name
        )
        because = accepted_in(context, fleet).get(key.name)
        if result.passed or because is None or result.severity is dg.AssetCheckSeverity.WARN:
            return result
        return result._replace(
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{result.description}; accepted: {because}",
        )

    # Dagster reads from a function's parameters what to give it.
    always = signature(asked, follow_wrapped=False).parameters
    inputs = [each for name, each in own.items() if name not in always]
    asked.__signature__ = Signature([always["context"], always["fleet"], *inputs])  # type: ignore[attr-defined]  # Python reads it, typeshed does not list it
    return asked


def accepted_in(
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext, fleet: Fleet
) -> dict[str, str]:
    """Return the checks that the operator accepted for the week of a run, each with the reason."""
    key = context.run.tags.get("dagster/partition")
    if key is None:
        return {}
    home, close = fleet.settings().home, close_of_key(key)
    return {row["check"]: row["because"] for row in quality.accepted(home, close)}


def shown(outcome: quality.Outcome, key: dg.AssetCheckKey | None = None) -> dg.AssetCheckResult:
    """Return what a check found in the graph's own terms; counts only, and what to do."""
    warns = outcome.severity == "warn"
    todo = f"; {outcome.remedy}" if outcome.remedy and not outcome.passed else ""
    return dg.AssetCheckResult(
        asset_key=key and key.asset_key,
        check_name=key and key.name,
        passed=outcome.passed,
        severity=dg.AssetCheckSeverity.WARN if warns else dg.AssetCheckSeverity.ERROR,
        description=outcome.says + todo,
        metadata={**outcome.counts, **({"the_check_itself_broke": True} if outcome.broken else {})},
    )


def schema_shown(table: str, schema: pl.Schema) -> dg.TableSchema:
    """Return the columns of a table with their meaning, as the graph shows them."""
    return dg.TableSchema(
        [
            dg.TableColumn(name, str(dtype), description=meaning(table, name))
            for name, dtype in schema.items()
        ]
    )


def _head_comment(statement: str) -> str:
    """Return the comment that a statement begins with: what one row is, and in which units."""
    lines = takewhile(lambda line: line.startswith("--"), statement.splitlines())
    return " ".join(line.removeprefix("--").strip() for line in lines)


def _version(statement: str) -> str:
    digest = hashlib.sha256(statement.encode()).hexdigest()
    return f"1-{digest[:8]}" if statement else "1"
