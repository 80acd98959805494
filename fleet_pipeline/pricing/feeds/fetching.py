"""Fetching a feed: one answer within limits, or a reason why there is none.

Belongs here: what a feed's status means and how often it is asked. What every exchange keeps to is
in ``guarded_http``. An answer is never shown to anybody before an adapter has read it.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fleet_pipeline.errors import SourceError
from fleet_pipeline.guarded_http import Bounds, Connection, Reply, Unanswered, connection

_TOO_MANY: Final = 429


@dataclass(frozen=True, slots=True)
class Limits:
    """What an answer may cost: seconds and bytes."""

    connect_seconds: float = 10
    total_seconds: float = 30
    """For all tries together, names and waiting included."""
    bytes: int = 8 << 20
    tries: int = 2
    redirects: int = 2
    wait_seconds: float = 2
    """Before another try, where the feed does not say how long."""


USUAL: Final = Limits()


class _Passing(Exception):
    """A failure that may be gone at the next try, ``after`` so many seconds."""

    def __init__(self, says: str, after: float | None = None) -> None:
        super().__init__(says)
        self.after = after


async def fetch(
    url: str, limits: Limits = USUAL, headers: Mapping[str, str] | None = None
) -> bytes:
    """Return the body of ``url``.

    Only https, or http to this machine's own loopback address. Raises SourceError, which names the
    host and what to expect, for anything else than one whole answer in time.
    """
    bounds = Bounds(limits.connect_seconds, limits.total_seconds, limits.bytes, limits.redirects)
    try:
        async with connection(url, bounds, headers) as feed:
            return await _tries(feed, limits)
    except Unanswered as failure:
        raise SourceError(str(failure)) from None


async def _tries(feed: Connection, limits: Limits) -> bytes:
    for tries_left in reversed(range(limits.tries)):
        try:
            return await _once(feed)
        except _Passing as failure:
            wait = limits.wait_seconds if failure.after is None else failure.after
            if not tries_left or wait > limits.total_seconds:
                raise SourceError(str(failure)) from None
            await asyncio.sleep(wait)
    raise AssertionError("at least one try")


async def _once(feed: Connection) -> bytes:
    try:
        reply = await feed.get()
    except Unanswered as failure:
        if failure.reason in ("broke_off", "timed_out"):
            raise _Passing(str(failure)) from None
        raise
    _check_status(reply)
    return reply.body


def _check_status(reply: Reply) -> None:
    host, status = reply.host, reply.status
    if status == _TOO_MANY:
        raise _Passing(f"{host} has had too many requests (429)", reply.retry_after_seconds)
    if status >= 500:
        raise _Passing(f"{host} failed ({status})", reply.retry_after_seconds)
    if status != 200:
        raise SourceError(f"{host} refused ({status})")
