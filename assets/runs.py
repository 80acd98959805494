"""Running the graph without its interface: what ``fleet`` does, kept in the same instance."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

import dagster as dg
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection

from assets.definitions import defs
from assets.failures import refusals, refuses
from assets.partitions import key_of
from assets.schedules import weekly_sweep
from fleet_pipeline.home import write_whole
from fleet_pipeline.settings import Settings
from fleet_pipeline.weeks import Outcome

_WRITTEN_BY_FLEET: Final = "# Written by fleet, which renews it; without this line it is yours.\n"
_ONLY_IN_A_CHECKOUT: Final = "# ---- Only in a checkout"


def publish_week(settings: Settings, close: date) -> Outcome:
    """Run the weekly job for the week that closes at ``close``; nothing is raised for a refusal."""
    with instance_of(settings) as instance, _history_kept_open(instance):
        result = defs.resolve_job_def(weekly_sweep.name).execute_in_process(
            run_config=run_config(settings),
            partition_key=key_of(close),
            instance=instance,
            raise_on_error=False,
            tags={"fleet/as_of": close.isoformat()},
        )
    failed = [check for check in result.get_asset_check_evaluations() if not check.passed]
    warned = [check for check in failed if result.success or not refuses(check)]
    week = settings.home.site / "weeks" / close.isoformat()
    return Outcome(
        as_of=close.isoformat(),
        published=result.success,
        page=str(week / "index.html") if result.success else None,
        ranking=str(week / "cheap-model-offload-ranking.md") if result.success else None,
        run_id=result.run_id,
        warnings=[f"{check.check_name}: {check.description}" for check in warned],
        refusals=[] if result.success else refusals(result.all_events, close),
    )


@contextmanager
def _history_kept_open(instance: dg.DagsterInstance) -> Iterator[None]:
    """Open each file of the history of runs once, where Dagster would for each of its events.

    It makes an engine of SQLAlchemy for each, which then compiles its few statements anew. A crash
    of the machine may cost the history its last events, and nothing else: the tables are written
    by ourselves.
    """
    history = instance.event_log_storage
    if not isinstance(history, SqliteEventLogStorage):
        yield  # the operator keeps the history elsewhere
        return
    engines: dict[str, Engine] = {}
    opened_by_dagster = history._connect  # all that is read and written passes here

    @contextmanager
    def connect(shard: str) -> Iterator[Connection]:
        if shard not in engines:
            with opened_by_dagster(shard):
                pass  # makes the file and its tables where they are missing
            engines[shard] = create_engine(
                history.conn_string_for_shard(shard),
                connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS},
            )
            event.listen(engines[shard], "connect", _written_without_waiting)
        with engines[shard].begin() as connection:
            yield connection

    history._connect = connect  # type: ignore[method-assign]  # as above
    history.has_table = cache(history.has_table)  # type: ignore[method-assign]  # asked each time
    try:
        yield
    finally:
        for engine in engines.values():
            engine.dispose()


def _written_without_waiting(connection: DBAPIConnection, _: object) -> None:
    connection.cursor().execute("pragma synchronous = normal")
    # What is logged ahead is moved to its place once, when the connection is closed.
    connection.cursor().execute("pragma wal_autocheckpoint = 0")


def environment(settings: Settings) -> dict[str, str]:
    """Return the variables with which Dagster's own commands work on the same home."""
    _prepare_instance(settings.home.dagster)
    return {
        "DAGSTER_HOME": str(settings.home.dagster),
        "FLEET_HOME": str(settings.home.root),
        "FLEET_ORG": str(settings.org_folder),
    }


def instance_of(settings: Settings) -> dg.DagsterInstance:
    """Return the instance that keeps this home's runs.

    One process at a time: two that open a new one at once both try to make its tables.
    """
    settings.home.prepare()
    folder = settings.home.dagster
    with (folder / ".opening").open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        _prepare_instance(folder)
        return dg.DagsterInstance.from_config(str(folder))


def _prepare_instance(folder: Path) -> None:
    """Put the instance's settings into ``folder``, which is a DAGSTER_HOME from then on.

    Older settings that fleet wrote are renewed; those of an operator, who has taken the first
    line away, stay.
    """
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
    target = folder / "dagster.yaml"
    if target.exists() and not target.read_text("utf-8").startswith(_WRITTEN_BY_FLEET):
        return
    shipped = files("assets").joinpath("dagster.yaml").read_text("utf-8")
    settings, _, _ = shipped.partition(_ONLY_IN_A_CHECKOUT)
    write_whole(target, f"{_WRITTEN_BY_FLEET}{settings}".encode())


def run_config(settings: Settings) -> dict[str, object]:
    """Return the configuration that binds a run to ``settings``; it is kept with the run."""
    fleet = {
        "home": str(settings.home.root),
        "org": str(settings.org_folder),
        "claude": [str(folder) for folder in settings.claude],
        "codex": [str(folder) for folder in settings.codex],
    }
    return {
        "resources": {"fleet": {"config": fleet}},
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }
