"""From evidence to the ledger, and from the ledger to whoever asks."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Final, TypedDict

import polars as pl

from fleet_pipeline.home import DEMO_HOST, Home
from fleet_pipeline.ledger import evidence, store
from fleet_pipeline.ledger.claude_rules import count_claude
from fleet_pipeline.ledger.codex_rules import count_codex
from fleet_pipeline.ledger.columns import USAGE
from fleet_pipeline.ledger.connected import ClaudeEvidence
from fleet_pipeline.ledger.damage import drop_damaged_days
from fleet_pipeline.ledger.days import day_of, host_of
from fleet_pipeline.ledger.reconciliation import NEEDED, compare_sessions, in_short
from fleet_pipeline.ledger.versions import RULES_VERSION
from fleet_pipeline.ledger.waiting import Waiting

_COMPACT: Final = evidence.compact(USAGE)
_CHUNK_BYTES: Final = 3 * 2**18


def recount(home: Home, *, everything: bool = False) -> int:
    """Bring the ledger up to date with the evidence; return how many of its files changed.

    Only what waits is counted: days that ingestion touched or the ledger has lost, and what is tied
    to them. All of history is counted again where ``everything`` is asked for, or where the rules
    have changed. The result depends on the evidence alone. Raises BusyError, SourceError where
    evidence is damaged, OSError where the disk refuses.
    """
    with home.lock("fleet recount"):
        waiting = Waiting(home)
        if everything:
            drop_damaged_days(home)
        if everything or waiting.rules != RULES_VERSION:
            waiting.add_everything()
        # Once a client is counted the lost file is there again, though the other's rows are not.
        waiting.add_lost_days()
        changed = _count_claude_days(home, waiting.days("claude"))
        if waiting.days("codex"):
            changed += _count_codex_days(home)
        waiting.clear(RULES_VERSION)
        return changed


def _count_claude_days(home: Home, days: set[date]) -> int:
    changed = 0
    if days:
        known = ClaudeEvidence(home.lake, days)
        for chunk in known.chunks(days, _CHUNK_BYTES):
            changed += _replace(home, "claude", chunk, known.tied_to(chunk), count_claude)
    return changed


def _count_codex_days(home: Home) -> int:
    """Count all of Codex: forks and copies tie its threads across any number of days."""
    paths = sorted((home.lake / "events").glob("host=*/client=codex/date=*.parquet"))
    rows = store.read_files(paths, evidence.CODEX)
    return _replace(home, "codex", {day_of(path) for path in paths}, rows, count_codex)


def _replace(
    home: Home,
    client: str,
    days: set[date],
    rows: pl.DataFrame,
    count: Callable[[pl.DataFrame], pl.DataFrame],
) -> int:
    """Count ``rows`` and put the result in place of what the ledger had of them.

    Every request that begins on one of ``days`` is among the rows; of other days only those are
    that share an id with one of them.
    """
    ledger = home.lake / "usage"
    ids = [rows[name] for name in ("message_id", "request_id", "line_id") if name in rows.columns]
    known = pl.concat(ids).unique().implode() if ids else pl.Series([[]], dtype=pl.List(pl.String))
    is_known = pl.col("message_id").is_in(known)
    counted = count(rows).select(USAGE.names()).cast(_COMPACT)
    beside = (_days_in(counted) | _days_in(rows)) - days
    del rows  # the fullest day decides how much memory it all takes
    is_counted = _is_on(days)
    if beside:
        is_ours = pl.col("client") == client
        before = _counted_before(ledger, beside, is_ours & is_known)
        differing = _days_that_differ(before, counted.filter(_is_on(beside)))
        counted = counted.filter(_is_on(days | differing))
        if differing:
            days, is_counted = days | differing, is_counted | is_known
    kept = _counted_before(ledger, days, pl.col("client").ne(client) | ~is_counted)
    whole = pl.concat([kept, counted]).sort("ts", "client", "message_id")
    parts = store.by_day_and_host(whole)
    del kept, counted, whole
    return store.write_days(ledger, days, parts, USAGE)


def _counted_before(ledger: Path, days: Iterable[date], where: pl.Expr) -> pl.DataFrame:
    paths = sorted(path for day in days for path in ledger.glob(f"host=*/date={day}.parquet"))
    return store.read_files(paths, _COMPACT, where).select(USAGE.names()).cast(_COMPACT)


def _is_on(days: Iterable[date]) -> pl.Expr:
    return pl.col("ts").dt.date().is_in(sorted(days))


def _days_in(rows: pl.DataFrame) -> set[date]:
    return set(rows["ts"].dt.date().unique())


def _days_that_differ(before: pl.DataFrame, now: pl.DataFrame) -> set[date]:
    """Return the days of which not all rows are the same: nothing else has to be written."""
    both = pl.concat([before, now])
    return _days_in(both.filter(both.is_unique()))


def usage(
    home: Home,
    days: tuple[date, date] | None = None,
    *,
    columns: Sequence[str] = tuple(USAGE),
) -> pl.DataFrame:
    """Return the ledger, or its rows from the first up to, not including, the second day (UTC).

    With some of its ``columns`` only, if they are named: most of a row is seldom asked for.
    """
    paths = _of_real_hosts(home, home.lake / "usage", days)
    return store.read_files(paths, pl.Schema({name: USAGE[name] for name in columns})).select(
        columns
    )


def quota(home: Home) -> pl.DataFrame:
    """Return every quota reading, with its host."""
    return store.read_files(_of_real_hosts(home, home.lake / "quota"), evidence.QUOTA)


def sessions(home: Home, days: tuple[date, date] | None = None) -> pl.DataFrame:
    """Return each session beside what its client says that it was billed (``SESSIONS``).

    Of all of the ledger, or of the sessions whose last request was from the first up to, not
    including, the second day (UTC).
    """
    compared = _compared(home, usage(home))
    if days:
        start, end = (datetime.combine(day, time(), UTC) for day in days)
        compared = compared.filter(pl.col("last_ts").is_between(start, end, closed="left"))
    return compared


def _compared(home: Home, ledger: pl.DataFrame) -> pl.DataFrame:
    events = home.lake / "events"
    totals = store.read_files(_of_real_hosts(home, home.lake / "totals"), evidence.TOTALS)
    claude = _of_real_hosts(home, events, client="claude") if totals.height else []
    codex = _of_real_hosts(home, events, client="codex")
    return compare_sessions(
        ledger,
        (totals, store.read_files(claude, NEEDED)),
        store.read_files(codex, evidence.CODEX),
    )


class HostUsage(TypedDict):
    """How many requests a host made, and when the last one (UTC, ISO 8601)."""

    host: str
    requests: int
    last_ts: str


class Held(TypedDict):
    """What all transcripts together held; see ``held``."""

    files: int
    bytes: int
    lines: int
    requests_lines: int
    duplicates: int
    quarantined: dict[str, int]
    hosts: list[HostUsage]
    clients: dict[str, dict[str, int]]


class Sources(Held):
    """What all transcripts together held, and how far the clients agree; see ``sources``."""

    reconciliation: dict[str, dict[str, int | float | None]]


def held(home: Home) -> Held:
    """Return what all transcripts together held, from the store: the same whenever it is asked.

    ``duplicates`` is how many lines spoke of a request that was counted already.
    """
    return _held(home, usage(home, columns=("host", "ts")))


def sources(home: Home) -> Sources:
    """Return what ``held`` says, and how far each client's own totals and the ledger agree."""
    ledger = usage(home)
    return {**_held(home, ledger), "reconciliation": in_short(_compared(home, ledger))}


def _held(home: Home, ledger: pl.DataFrame) -> Held:
    transcripts = store.read_files(
        _of_real_hosts(home, home.lake / "transcripts"), evidence.TRANSCRIPTS
    )
    rejected = evidence.each_rejected_once(
        store.read_files(_of_real_hosts(home, home.quarantine), evidence.REJECTED)
    )
    hosts = ledger.group_by("host").agg(pl.len(), pl.col("ts").max()).sort("host")
    clients = transcripts.group_by("client").agg(pl.len(), pl.col("lines").sum()).sort("client")
    # A transcript that shrank still has the requests that it once spoke of.
    request_lines = max(int(transcripts["request_lines"].sum()), ledger.height)
    return {
        "files": transcripts.height,
        "bytes": int(transcripts["bytes"].sum()),
        "lines": int(transcripts["lines"].sum()),
        "requests_lines": request_lines,
        "duplicates": request_lines - ledger.height,
        "quarantined": dict(rejected.group_by("reason").len().sort("reason").iter_rows()),
        "hosts": [
            {"host": host, "requests": requests, "last_ts": last.isoformat()}
            for host, requests, last in hosts.iter_rows()
        ],
        "clients": {
            client: {"files": files, "lines": lines} for client, files, lines in clients.iter_rows()
        },
    }


def unfamiliar(home: Home) -> pl.DataFrame:
    """Return what transcripts hold that is not known: client, kind, name, transcripts, lines."""
    seen = store.read_files(_of_real_hosts(home, home.lake / "unfamiliar"), evidence.UNFAMILIAR)
    name = ["client", "kind", "name"]
    return seen.group_by(name).agg(pl.len().alias("transcripts"), pl.col("lines").sum()).sort(name)


def _of_real_hosts(
    home: Home,
    folder: Path,
    days: tuple[date, date] | None = None,
    *,
    client: str | None = None,
) -> list[Path]:
    """Return the files of ``folder``, without the demo fleet's once there is a real one."""
    real = any(path.name != f"host={DEMO_HOST}" for path in (home.lake / "usage").glob("host=*"))
    below = f"client={client}/" if client else ""
    paths = [*folder.glob(f"host=*/{below}date=*.parquet"), *folder.glob("host=*.parquet")]
    if real:
        paths = [path for path in paths if host_of(path) != DEMO_HOST]
    if days:
        paths = [path for path in paths if days[0] <= day_of(path) < days[1]]
    return sorted(paths)
