"""The price sweep: ask every feed, keep each answer that can be believed as a whole.

A feed that is down, slow or talks nonsense stops nothing: the last good snapshot goes on holding,
with its age. Belongs here: one sweep from feeds to snapshots. Single prices are judged later.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

import polars as pl

from fleet_pipeline.errors import SourceError
from fleet_pipeline.home import Home
from fleet_pipeline.pricing import snapshots
from fleet_pipeline.pricing.feeds import Feed
from fleet_pipeline.pricing.feeds.fetching import USUAL, Limits, fetch
from fleet_pipeline.pricing.observations import snapshot

LEAST_OF_LAST: Final = 0.5
"""An answer with less than this share of the models of the one before is held to be cut."""
CUT_FOR: Final = timedelta(days=7)
"""For so long: then the list has become shorter, and nobody would ever hear of its prices again."""

State = Literal["kept", "failed", "not asked"]


@dataclass(frozen=True, slots=True)
class FeedReport:
    """What became of one feed; ``last_good`` is when its newest snapshot was taken (UTC)."""

    source: str
    state: State
    says: str
    models: int
    last_good: datetime | None
    left_out: Mapping[str, int] = field(default_factory=dict)


def sweep(
    home: Home,
    feeds: Sequence[Feed],
    now: datetime,
    *,
    offline: bool = False,
    limits: Limits = USUAL,
) -> list[FeedReport]:
    """Ask ``feeds`` all at once and keep what they answer; return one report for each.

    Nothing is raised for a feed that fails. ``offline`` asks nobody. The home's lock is the
    caller's. Raises OSError where a snapshot cannot be written.
    """
    last = {feed.source: _last(home, feed.source) for feed in feeds}
    if offline:
        return [_report(feed, "not asked", "offline", last[feed.source]) for feed in feeds]
    answers = asyncio.run(_ask(feeds, limits))
    return [
        _keep(home, feed, answer, now, last[feed.source])
        for feed, answer in zip(feeds, answers, strict=True)
    ]


async def _ask(feeds: Sequence[Feed], limits: Limits) -> list[bytes | SourceError]:
    async def ask(feed: Feed) -> bytes | SourceError:
        try:
            return await fetch(feed.url, limits)
        except SourceError as error:
            return error

    return list(await asyncio.gather(*(ask(feed) for feed in feeds)))


def _keep(
    home: Home,
    feed: Feed,
    body: bytes | SourceError,
    now: datetime,
    last: pl.DataFrame,
) -> FeedReport:
    try:
        if isinstance(body, SourceError):
            raise body
        answer = feed.read(body)
        frame = snapshot(feed.source, answer.offers, now, now)
        if frame.height < LEAST_OF_LAST * last.height and now - last["observed_at"][0] < CUT_FOR:
            raise SourceError(
                f"the answer lists {frame.height:,} models where the last one listed"
                f" {last.height:,}: held to be cut, unless it stays so for a week"
            )
    except SourceError as error:
        return _report(feed, "failed", str(error), last)
    snapshots.add(home, frame)
    says = f"{frame.height:,} models"
    return FeedReport(feed.source, "kept", says, frame.height, now, answer.left_out)


def _report(feed: Feed, state: State, says: str, last: pl.DataFrame) -> FeedReport:
    seen = None if last.is_empty() else last["observed_at"][0]
    return FeedReport(feed.source, state, says, last.height, seen)


def _last(home: Home, source: str) -> pl.DataFrame:
    """Return the newest snapshot of a source, an empty frame where there is none."""
    files = sorted((snapshots.folder(home) / f"source={source}").glob("*.parquet"))
    return snapshots.read(files[-1:])
