"""Running the graph without its interface: what ``fleet`` does, kept in the same instance."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Final

import dagster as dg
from sqlalchemy import event
from sqlalchemy.engine import Engine

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
    with _history_kept_lightly(), instance_of(settings) as instance:
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
def _history_kept_lightly() -> Iterator[None]:
    """Spare the history of runs a sync of the disk and a new file for each of a thousand events.

    Dagster opens and closes its databases for each; as long as another connection is there, SQLite
    goes on with the same log. A crash of the machine may cost the history its last events, and
    nothing else: the tables are written by ourselves.
    """
    kept: dict[str, sqlite3.Connection] = {}

    def opened(connection: object, _: object) -> None:
        if not isinstance(connection, sqlite3.Connection):
            return  # the operator keeps the history elsewhere
        connection.execute("pragma synchronous = normal")
        [(_, _, file), *_] = connection.execute("pragma database_list").fetchall()
        if file and file not in kept:
            kept[file] = sqlite3.connect(file, check_same_thread=False)
            kept[file].execute("select count(*) from sqlite_master").fetchall()

    event.listen(Engine, "connect", opened)
    try:
        yield
    finally:
        event.remove(Engine, "connect", opened)
        for connection in kept.values():
            connection.close()


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
