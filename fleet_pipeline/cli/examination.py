"""A look at a home, its organisation and its transcripts as they are right now.

Nothing here writes, locks or repairs, and nothing that is missing or broken ends the look: it is
a part of what is found. What follows from it is said in ``problems``.
"""

import os
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from fleet_pipeline import alerts, ledger, pricing
from fleet_pipeline.cli.diagnosis import (
    Alerts,
    Diagnosis,
    HomeState,
    Organisation,
    Place,
    Prices,
    RegisterState,
    Transcripts,
    Unfamiliar,
    Usage,
    Version,
)
from fleet_pipeline.errors import ConfigurationError, SourceError
from fleet_pipeline.home import Home
from fleet_pipeline.hosts import hosts
from fleet_pipeline.ledger import damage
from fleet_pipeline.ledger.columns import USAGE
from fleet_pipeline.ledger.register import Register
from fleet_pipeline.ledger.store import UNREADABLE
from fleet_pipeline.org import Org, fleet_file, priced_models
from fleet_pipeline.settings import Settings
from fleet_pipeline.transcripts.discover import CLIENTS, Found, Places, find
from fleet_pipeline.transcripts.files import LocalFile, SourceFile
from fleet_pipeline.weeks import latest_close

MEASURED: Final = {"claude": "2.1.330", "codex": "0.169"}
"""The newest client versions that the counting rules were measured on; see ``docs/counting.md``."""

ENDANGERED: Final = timedelta(days=23)
"""Claude Code deletes a transcript 30 days after its last line: at this age it is time to read."""

_NEITHER: Final = ("prices", "catalog", "probes")
"""Tables of the lake that are no evidence, and not made anew by each run either."""


def examine(settings: Settings, now: datetime) -> Diagnosis:
    """Look at everything; ``now`` is in UTC and only tells ages."""
    org, organisation = _organisation(settings)
    places, named = _places(settings)
    home = _home(settings.home)
    register = settings.home.lake / "register.parquet"
    rows = pl.DataFrame(schema=USAGE) if home.damaged else ledger.usage(settings.home)
    sources = None if home.damaged else ledger.sources(settings.home)
    seen = [(each, find(each)) for each in places]
    return Diagnosis(
        now=now,
        home=home,
        organisation=organisation,
        alerts=_alerts(settings),
        places=[place for each, found in seen for place in _places_of(each, found, named)],
        transcripts=_transcripts(seen, Register(register), _deletable_before(settings, now)),
        register=_register(register),
        usage=_usage(rows),
        hosts=hosts(sources, org.hosts if org else (), now.date()) if sources else [],
        sources=sources,
        versions=_versions(rows),
        unfamiliar=[] if home.damaged else _unfamiliar(settings.home),
        prices=_prices(rows, org, _book(settings.home), now.date()),
        published=_published(settings.home),
        latest_close=latest_close(now.date()),
    )


def _organisation(settings: Settings) -> tuple[Org | None, Organisation]:
    folder = settings.org_folder
    if not folder.is_dir():
        return None, Organisation(folder, False, None, 0, [])
    try:
        org = settings.organisation()
    except ConfigurationError as error:
        return None, Organisation(folder, True, None, 0, str(error).splitlines())
    return org, Organisation(folder, True, org.name, len(org.agents), [])


def _alerts(settings: Settings) -> Alerts:
    """Return what is known of them, whatever mistakes the other files of the organisation have."""
    try:
        named = fleet_file(settings.org_folder).alerts
    except ConfigurationError:
        return Alerts(0, [])
    return Alerts(len(named), alerts.faults(named, settings.environment))


def _places(settings: Settings) -> tuple[list[Places], bool]:
    """Return the places and whether they were named; this machine's own where nobody can tell."""
    try:
        if named := settings.named_places():
            return named, True
        return settings.sources(), False
    except ConfigurationError:
        return [settings.own_places()], False


def _places_of(places: Places, seen: Found, named: bool) -> list[Place]:
    found = []
    for client in CLIENTS if places.s3 else ():
        sizes = [file.size for file in seen.files if file.client == client]
        fault = "; ".join(seen.failures) or None
        address = str(places.s3)
        found.append(
            Place(client, places.host, address, named, not fault, len(sizes), sum(sizes), fault)
        )
    for client in CLIENTS:
        for folder in places.of(client):
            alone = Places((folder,), ()) if client == "claude" else Places((), (folder,))
            files = find(alone).files
            size = sum(file.size for file in files)
            found.append(
                Place(client, places.host, str(folder), named, folder.is_dir(), len(files), size)
            )
    return found


def _home(home: Home) -> HomeState:
    nearest = next(folder for folder in (home.root, *home.root.parents) if folder.exists())
    writable = nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
    other = [path for table in _NEITHER for path in (home.lake / table).rglob("*.parquet")]
    damaged = [
        *damage.damaged_evidence(home),
        *damage.damaged_days(home),
        *sorted(path for path in other if not damage.is_whole(path)),
    ]
    return HomeState(
        home.root,
        home.root.is_dir(),
        writable,
        [str(path.relative_to(home.root)) for path in damaged],
        [str(path.relative_to(home.root)) for path in damage.lies_aside(home)],
    )


def _deletable_before(settings: Settings, now: datetime) -> datetime | None:
    return None if settings.claude or settings.codex else now - ENDANGERED


def _transcripts(
    seen: list[tuple[Places, Found]], known: Register, deletable_before: datetime | None
) -> Transcripts:
    files = [(each.host, file) for each, found in seen for file in found.files]
    evidence = [(each.host, table) for each, found in seen for table in found.evidence]
    passed_over = Counter[str]()
    for _, found in seen:
        passed_over.update(found.passed_over)
    local = [file for _, file in files if isinstance(file, LocalFile)]
    passed_over["not readable"] += sum(not os.access(file.path, os.R_OK) for file in local)
    unread: list[SourceFile] = []
    for host, file in [*files, *evidence]:
        entry = known.get(host, file.id)
        if entry is None or not entry.is_unchanged(file):
            unread.append(file)
    return Transcripts(
        files={client: sum(file.client == client for _, file in files) for client in CLIENTS},
        bytes=sum(file.size for _, file in files),
        newest=max((_moment(file.modified_ns) for _, file in files), default=None),
        passed_over=dict(sorted((+passed_over).items())),
        unread=len(unread),
        unread_bytes=sum(file.size for file in unread),
        endangered=sum(
            deletable_before is not None
            and isinstance(file, LocalFile)
            and file.client == "claude"
            and _moment(file.modified_ns) < deletable_before
            for file in unread
        ),
    )


def _register(path: Path) -> RegisterState:
    try:
        written_at = _moment(path.stat().st_mtime_ns)
        files: int = pl.scan_parquet(path).select(pl.len()).collect().item()
    except FileNotFoundError:
        return RegisterState("missing", 0, None)
    except (OSError, *UNREADABLE):
        return RegisterState("damaged", 0, None)
    return RegisterState("ok", files, written_at)


def _usage(rows: pl.DataFrame) -> list[Usage]:
    day = pl.col("ts").dt.date()
    parts = rows.group_by("client", "host").agg(
        pl.len(), day.min().alias("first"), day.max().alias("last"), pl.mean("output_is_final")
    )
    return [Usage(*part) for part in parts.sort("client", "host").iter_rows()]


def _versions(rows: pl.DataFrame) -> list[Version]:
    """Return every version, the newest last."""
    parts = rows.group_by("client", version="client_version").agg(
        pl.len(), first=pl.col("ts").dt.date().min(), last=pl.col("ts").dt.date().max()
    )
    versions = [
        Version(client, version, requests, first, last, _is_measured(client, version))
        for client, version, requests, first, last in parts.iter_rows()
    ]
    return sorted(
        versions, key=lambda each: (each.client, _numbers(each.version), str(each.version))
    )


def _is_measured(client: str, version: str | None) -> bool:
    newest = _numbers(MEASURED[client])
    return _numbers(version)[: len(newest)] <= newest


def _unfamiliar(home: Home) -> list[Unfamiliar]:
    columns = ("client", "kind", "name", "transcripts", "lines")
    return [Unfamiliar(*row) for row in ledger.unfamiliar(home).select(columns).iter_rows()]


def _numbers(version: str | None) -> tuple[int, ...]:
    return tuple(int(part) for part in (version or "").split("-")[0].split(".") if part.isdecimal())


def _book(home: Home) -> pricing.PriceBook:
    """Return the home's prices, the package's own where a snapshot is damaged: it is told apart."""
    try:
        return pricing.price_book(home)
    except SourceError:
        return pricing.EMBEDDED


def _prices(rows: pl.DataFrame, org: Org | None, book: pricing.PriceBook, today: date) -> Prices:
    claude = rows.filter(pl.col("client") == "claude", pl.col("model").is_not_null())
    used = claude.group_by("model").agg(pl.col("ts").dt.date().max()).sort("model").rows()
    candidates = sorted(set(priced_models(org))) if org else []
    return Prices(
        [model for model, day in used if book.find("anthropic", model, day) is None],
        [
            f"{provider}/{model}"
            for provider, model in candidates
            if book.find(provider, model, today) is None
        ],
    )


def _published(home: Home) -> str | None:
    return max((path.name for path in (home.site / "weeks").glob("????-??-??")), default=None)


def _moment(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC)
