"""The Wednesday sweep's first half: prices, endpoints, quotas; asked, kept, and told.

Belongs here: one sweep over everything that can be asked. How a single feed is asked and kept is in
``pricing.sweep``. Nothing that fails here stops anything.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl

from fleet_pipeline.catalog import endpoints, free_apis, own_counts, quotas, readings
from fleet_pipeline.errors import ConfigurationError, SourceError
from fleet_pipeline.home import Home, write_whole
from fleet_pipeline.org import Org, priced_models
from fleet_pipeline.pricing import PriceBook, price_book
from fleet_pipeline.pricing.feeds import Feed, feed, openrouter
from fleet_pipeline.pricing.feeds.fetching import USUAL, Limits, fetch
from fleet_pipeline.pricing.model_price import PRICE_COLUMNS
from fleet_pipeline.pricing.sweep import FeedReport, sweep

Record = dict[str, object]

_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one sweep found: feeds, prices that are held, and what the extras came to."""

    at: datetime
    feeds: Sequence[FeedReport]
    held: Sequence[Record]
    notes: Mapping[str, str]

    @property
    def failed(self) -> list[str]:
        """The sources that were asked in vain."""
        return [report.source for report in self.feeds if report.state == "failed"]

    def record(self) -> Record:
        """Return what was found as JSON says it."""
        return {
            "at": self.at.isoformat(),
            "feeds": [
                {
                    "source": report.source,
                    "state": report.state,
                    "says": report.says,
                    "models": report.models,
                    "last_good": report.last_good and report.last_good.isoformat(),
                    "age_days": report.last_good and (self.at - report.last_good).days,
                    "left_out": dict(report.left_out),
                }
                for report in self.feeds
            ],
            "held": list(self.held),
            "notes": dict(self.notes),
        }

    def lines(self) -> list[str]:
        """Return what was found as lines for a person."""
        told = [f"{report.source}: {_told(report, self.at)}" for report in self.feeds]
        told += [
            f"held back: {row['provider']}/{row['model']} at {row['input_usd_per_mtok']} in,"
            f" {row['output_usd_per_mtok']} out ({row['reason']})"
            for row in self.held
        ]
        return told + [f"{what}: {says}" for what, says in self.notes.items()]


def feeds_of(org: Org) -> list[Feed]:
    """Return the feeds that the organisation asks."""
    return [feed(asked.source, asked.url) for asked in org.price_feeds]


def run(
    home: Home,
    org: Org,
    now: datetime,
    *,
    offline: bool = False,
    key: str | None = None,
    unless_within: timedelta = timedelta(0),
    limits: Limits = USUAL,
) -> Sweep:
    """Ask every feed of the organisation and keep what can be believed.

    A feed whose last good snapshot is younger than ``unless_within`` is left alone. ``key`` is an
    OpenRouter key, which no mirror gets: only with one does anybody tell what is left of a quota.
    The lock is the caller's. Raises OSError where something cannot be written.
    """
    feeds = feeds_of(org)
    known = sweep(home, feeds, now, offline=True)
    due = [
        one
        for one, report in zip(feeds, known, strict=True)
        # A snapshot from the future was taken by a clock that is wrong: it keeps nobody waiting.
        if report.last_good is None or not timedelta(0) <= now - report.last_good < unless_within
    ]
    asked = {
        report.source: report for report in sweep(home, due, now, offline=offline, limits=limits)
    }
    reports = [asked.get(report.source, report) for report in known]
    notes: dict[str, str] = {}
    router = next((one for one in due if one.source == openrouter.SOURCE), None)
    if router is not None and asked[router.source].state == "kept":
        notes["endpoints"] = _note_endpoints(home, org, router, now, limits)
        if key and router.url == openrouter.URL:
            notes["quota"] = _note_quota(home, router, now, key, limits)
        elif key:
            notes["quota"] = "not asked: a mirror gets no key"
    _note_free_apis(home, org, now)
    notes |= _note_packets(home, org, now)
    made = Sweep(now, reports, _held(price_book(home), org, now), notes)
    write_whole(_last_sweep(home), f"{json.dumps(made.record(), indent=2)}\n".encode())
    return made


def failed_feeds(home: Home) -> list[str]:
    """Return the feeds that the last sweep of a home asked in vain; none if there was no sweep."""
    try:
        told = json.loads(_last_sweep(home).read_bytes())
        return [feed["source"] for feed in told["feeds"] if feed["state"] == "failed"]
    except (OSError, ValueError, LookupError, TypeError):
        return []  # a note for the operator, renewed by the next sweep; nothing is derived from it


def _last_sweep(home: Home) -> Path:
    return home.lake / "prices" / "last-sweep.json"


def require_known(org: Org, book: PriceBook, at: date) -> None:
    """Raise ConfigurationError for each candidate whose price id no price list has ever had."""
    unknown = []
    for candidate in org.models:
        provider, model = candidate.price_provider, candidate.price_model
        if book.find(provider, model, at) is None and model not in book.models(provider):
            near = " or ".join(f"{provider}/{name}" for name in book.nearest(provider, model))
            unknown.append(
                f"models.yaml: {candidate.id}: no price list knows {candidate.price_id}"
                + (f"; did you mean {near}?" if near else "; correct its price_id")
            )
    if unknown:
        raise ConfigurationError("\n".join(unknown))


def _note_endpoints(home: Home, org: Org, router: Feed, now: datetime, limits: Limits) -> str:
    models = [model for provider, model in priced_models(org) if provider == openrouter.PROVIDER]
    asked = {model: endpoints.url(router.url, model) for model in models}
    frames = []
    for model, body in asyncio.run(_ask_all(asked, limits)).items():
        found = _read(body, partial(endpoints.read, model=model, at=now))
        if found is not None:
            frames.append(found)
    if frames:
        readings.add(home, "endpoints", pl.concat(frames), now)
    rows = sum(frame.height for frame in frames)
    return f"{len(frames)} of {len(models)} candidates told theirs, {rows} in all"


def _note_quota(home: Home, router: Feed, now: datetime, key: str, limits: Limits) -> str:
    async def ask() -> bytes | None:
        try:
            return await fetch(quotas.url(router.url), limits, {"authorization": f"Bearer {key}"})
        except SourceError:
            return None

    reading = _read(asyncio.run(ask()), partial(quotas.read, at=now))
    if reading is None:
        return "not told"
    readings.add(home, "quotas", reading, now)
    [told] = reading.to_dicts()
    return f"{told['requests_left']} of {told['requests_per_day']} free requests left"


def _note_packets(home: Home, org: Org, now: datetime) -> dict[str, str]:
    """Keep what headers told and what this home counted; return words for what there was."""
    try:
        known: dict[readings.Kind, pl.DataFrame] = {
            "headers": own_counts.told_by_headers(home, org, now),
            "own_counts": own_counts.counted(home, org, now),
        }
    except (OSError, ConfigurationError) as failure:
        return {"packets": f"not read: {failure}"}
    said = {}
    for kind, frame in known.items():
        if frame.is_empty():
            continue
        readings.add(home, kind, frame, now)
        said[kind.replace("_", " ")] = ", ".join(
            f"{row['provider']}: {row['requests_left']}"
            f" of {row['requests_per_day'] or 'unknown'} requests left"
            for row in frame.iter_rows(named=True)
        )
    return said


def _note_free_apis(home: Home, org: Org, now: datetime) -> None:
    """Keep the free tiers as configured wherever they changed, so that changes can be told."""
    noted, last = free_apis.as_noted(org, now), readings.newest(home, "free_apis")
    content = ["provider", "field", "value"]
    if not noted.select(content).equals(last.select(content)):
        readings.add(home, "free_apis", noted, now)


async def _ask_all(urls: Mapping[str, str], limits: Limits) -> dict[str, bytes]:
    """Ask for several answers, a few at once; what has not come in time for all is left out."""
    slots, found = asyncio.Semaphore(_AT_ONCE), dict[str, bytes]()

    async def ask(name: str, url: str) -> None:
        async with slots:
            with suppress(SourceError):
                found[name] = await fetch(url, limits)

    with suppress(TimeoutError):
        async with asyncio.timeout(limits.total_seconds), asyncio.TaskGroup() as group:
            for name, url in urls.items():
                group.create_task(ask(name, url))
    return {name: found[name] for name in urls if name in found}


def _read(body: bytes | None, read: Callable[[bytes], pl.DataFrame]) -> pl.DataFrame | None:
    try:
        return None if body is None else read(body)
    except SourceError:
        return None


def _held(book: PriceBook, org: Org, now: datetime) -> list[Record]:
    """Return the candidates' prices that are seen now and not believed."""
    return [
        {
            "provider": provider,
            "model": model,
            "source": row["source"],
            "reason": row["reason"],
            **{column: _number(row[column]) for column in PRICE_COLUMNS[:2]},
        }
        for provider, model in priced_models(org)
        for row in book.periods(provider, model)
        if not row["believed"] and now - row["last_seen"] < timedelta(days=1)
    ]


def _number(price: Decimal | None) -> float | None:
    return None if price is None else float(price)


def _told(report: FeedReport, now: datetime) -> str:
    if report.state == "kept":
        return f"{report.says}, kept"
    last = report.last_good
    holds = (
        "nothing is known of it"
        if last is None
        else f"what it said on {last:%Y-%m-%d} holds, {(now - last).days} days old"
    )
    return f"{report.state} ({report.says}); {holds}"
