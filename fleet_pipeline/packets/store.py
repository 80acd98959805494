"""The packets' own database in the home: SQLite, private, on disk before anything is sent.

Tables: ``attempts`` (the quota ledger), ``told_limits`` (what providers' headers said last),
``queue``, ``refusals``. A rollback journal and not a log:
nothing but the one file has to be kept private, and a write is rare beside a call to a model.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.home import Home

_WAIT_SECONDS: Final = 30

_FIRST: Final = """
create table attempts (
  id integer primary key,
  packet_sha256 text not null,
  lane text not null,
  allowance text not null,
  began_ms integer not null,
  reserved_tokens integer not null,
  settled_ms integer,
  kind text,
  status integer,
  prompt_tokens integer,
  cached_tokens integer,
  output_tokens integer,
  latency_ms integer,
  request_id text,
  not_before_ms integer
) strict;
create index attempts_of_an_allowance on attempts (allowance, began_ms);
create table queue (
  packet_sha256 text primary key,
  packet_id text not null,
  packet text not null,
  lanes text not null,
  state text not null check (state in ('waiting', 'running', 'done', 'failed')),
  added_ms integer not null,
  not_before_ms integer not null,
  lease text,
  lease_until_ms integer,
  runs integer not null default 0,
  says text not null default '',
  answer text,
  lane text,
  verified integer not null default 0
) strict;
create table refusals (
  at_ms integer not null,
  packet_sha256 text not null,
  lane text not null,
  reasons text not null
) strict;
"""
_TOLD: Final = """
create table told_limits (
  allowance text not null,
  unit text not null,
  per text not null,
  attempt integer not null,
  told_ms integer not null,
  remaining integer not null,
  most integer,
  resets_ms integer,
  primary key (allowance, unit, per)
) strict;
"""
_VERSIONS: Final = (_FIRST, _TOLD)
"""What each version of the database added to the one before."""


def database(home: Home) -> Path:
    """Return where a home keeps what it knows of packets."""
    return home.root / "packets" / "packets.sqlite3"


@contextmanager
def opened(home: Home) -> Iterator[sqlite3.Connection]:
    """Yield a connection to the database, which is made where there is none.

    Raises ConfigurationError where a newer version of the product made it, OSError where the disk
    refuses, or SQLite for whatever is wrong with the file.
    """
    path = database(home)
    for folder in (home.root, path.parent):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # SQLite gives its journal the mode of the database.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    try:
        with closing(
            sqlite3.connect(path, timeout=_WAIT_SECONDS, isolation_level=None)
        ) as connection:
            connection.row_factory = sqlite3.Row
            connection.execute("pragma synchronous = full")
            connection.execute("pragma secure_delete = on")  # what is forgotten is gone
            with transaction(connection):
                _prepare(connection, path)
            yield connection
    except sqlite3.DatabaseError as error:
        raise OSError(None, f"cannot be used ({error})", str(path)) from None


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Let all statements inside happen or none, and no other writer in between."""
    connection.execute("begin immediate")
    try:
        yield
    except BaseException:
        if connection.in_transaction:  # a full disk has ended it already
            connection.execute("rollback")
        raise
    connection.execute("commit")


def milliseconds(moment: datetime) -> int:
    """Return a moment as the database has it."""
    return int(moment.timestamp() * 1000)


def moment(told: int) -> datetime:
    """Return a moment of the database."""
    return datetime.fromtimestamp(told / 1000, UTC)


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    [version] = connection.execute("pragma user_version").fetchone()
    if version > len(_VERSIONS):
        raise ConfigurationError(f"{path}: was written by a newer version; update this one")
    for added in _VERSIONS[version:]:
        for statement in added.split(";"):
            connection.execute(statement)
    connection.execute(f"pragma user_version = {len(_VERSIONS)}")
