"""The quota ledger: every attempt is written down before the call, and settled after it.

An attempt whose process died stays unsettled and counts in full: what may have been sent was sent.
Days begin at midnight in the lane's time zone; a minute is the last sixty seconds. What a
provider's headers say is left holds until the reset that they name, less what was sent since.
"""

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from fleet_pipeline.org.lanes import Lane
from fleet_pipeline.packets.outcome import Outcome
from fleet_pipeline.packets.rate_limits import ToldLimit
from fleet_pipeline.packets.store import milliseconds, moment, transaction

_MINUTE: Final = timedelta(seconds=60)
_COOL_DOWN: Final = {
    "rate_limited": timedelta(seconds=60),
    "unavailable": timedelta(seconds=30),
    "timed_out": timedelta(seconds=30),
    "malformed": timedelta(seconds=30),
}
"""How long a lane is left alone that could not answer and did not say when it can."""

_TOKENS: Final = "coalesce(prompt_tokens + output_tokens, reserved_tokens)"


@dataclass(frozen=True, slots=True)
class Exhausted:
    """A lane takes nothing now: why, and when to look again."""

    says: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """What a provider's headers said, when, and with which attempt."""

    at: datetime
    limit: ToldLimit
    attempt: int


class QuotaLedger:
    """Attempts of one home; safe between processes."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Take a connection to the database of packets."""
        self._connection = connection

    def begin(
        self, lane: Lane, packet_sha256: str, tokens: int, now: datetime
    ) -> "int | Exhausted":
        """Return the number of an attempt that may be made, or why it may not.

        ``tokens`` is what it may cost at most, in and out. When this returns a number, it is on
        disk.
        """
        with transaction(self._connection):
            if exhausted := self._exhausted(lane, tokens, now):
                return exhausted
            made = self._connection.execute(
                "insert into attempts (packet_sha256, lane, allowance, began_ms, reserved_tokens)"
                " values (?, ?, ?, ?, ?)",
                (packet_sha256, lane.name, lane.allowance, milliseconds(now), tokens),
            )
            return int(made.lastrowid or 0)

    def settle(self, attempt: int, outcome: Outcome, now: datetime) -> None:
        """Write down what became of an attempt."""
        usage = outcome.usage
        with transaction(self._connection):
            self._connection.execute(
                "update attempts set settled_ms = ?, kind = ?, status = ?, prompt_tokens = ?,"
                " cached_tokens = ?, output_tokens = ?, latency_ms = ?, request_id = ?,"
                " not_before_ms = ? where id = ?",
                (
                    milliseconds(now),
                    outcome.kind,
                    outcome.status,
                    usage.prompt_tokens,
                    usage.cached_tokens,
                    usage.output_tokens,
                    round(outcome.latency_seconds * 1000),
                    outcome.request_id,
                    _not_before(outcome, now),
                    attempt,
                ),
            )
            for told in outcome.told_limits:
                resets = told.resets_at(now)
                self._connection.execute(
                    "insert or replace into told_limits"
                    " select allowance, ?, ?, id, ?, ?, ?, ? from attempts where id = ?",
                    (
                        told.unit,
                        told.per or "",
                        milliseconds(now),
                        told.remaining,
                        told.limit,
                        None if resets is None else milliseconds(resets),
                        attempt,
                    ),
                )

    def told_on(self, allowance: str) -> list[Told]:
        """Return what the provider's headers last said is left of an allowance."""
        rows = self._connection.execute(
            "select * from told_limits where allowance = ? order by unit, per", (allowance,)
        )
        return [
            Told(
                moment(row["told_ms"]),
                ToldLimit(
                    row["unit"],
                    row["per"] or None,
                    row["remaining"],
                    row["most"],
                    None if row["resets_ms"] is None else moment(row["resets_ms"]),
                ),
                row["attempt"],
            )
            for row in rows
        ]

    def requests_on(self, allowance: str, day_began: datetime) -> int:
        """Return how many attempts were made on an allowance since a moment."""
        return self._spent(allowance, day_began)[0]

    def _exhausted(self, lane: Lane, tokens: int, now: datetime) -> Exhausted | None:
        [cooling] = self._connection.execute(
            "select max(not_before_ms) from attempts where lane = ?"
            " or (allowance = ? and kind = 'rate_limited')",
            (lane.name, lane.allowance),
        ).fetchone()
        if cooling is not None and cooling > milliseconds(now):
            until = moment(cooling)
            return Exhausted(
                f"it could not answer, and is left alone until {_clock(until, now)}", until
            )
        day, limits = day_of(now, lane.resets_in), lane.limits
        for most_requests, most_tokens, since, until, name in (
            (limits.requests_per_day, limits.tokens_per_day, *day, "day"),
            (
                limits.requests_per_minute,
                limits.tokens_per_minute,
                now - _MINUTE,
                now + _MINUTE,
                "minute",
            ),
        ):
            requests, spent = self._spent(lane.allowance, since)
            if most_requests is not None and requests >= most_requests:
                return Exhausted(f"its {most_requests} requests of this {name} are used up", until)
            if most_tokens is not None and spent + tokens > most_tokens:
                return Exhausted(f"its {most_tokens} tokens of this {name} do not suffice", until)
        for told in self.told_on(lane.allowance):
            resets = told.limit.resets_at(told.at)
            if resets is None or resets <= now:
                continue
            requests, spent = self._spent_after(lane.allowance, told.attempt)
            left = told.limit.remaining - (requests if told.limit.unit == "requests" else spent)
            if left < (1 if told.limit.unit == "requests" else tokens):
                says = f"by its provider's word {max(left, 0)} {told.limit.unit} are left"
                return Exhausted(f"{says} until {_clock(resets, now)}", resets)
        return None

    def _spent(self, allowance: str, since: datetime) -> tuple[int, int]:
        return self._sums("began_ms > ?", allowance, milliseconds(since) - 1)

    def _spent_after(self, allowance: str, attempt: int) -> tuple[int, int]:
        return self._sums("id > ?", allowance, attempt)

    def _sums(self, later: str, allowance: str, than: int) -> tuple[int, int]:
        requests, tokens = self._connection.execute(
            f"select count(*), coalesce(sum({_TOKENS}), 0) from attempts"
            f" where allowance = ? and {later}",
            (allowance, than),
        ).fetchone()
        return requests, tokens


def day_of(now: datetime, time_zone: str) -> tuple[datetime, datetime]:
    """Return when the day of ``now`` began in a time zone, and when the next one begins."""
    zone = ZoneInfo(time_zone)
    today = now.astimezone(zone).date()

    def midnight(after: int) -> datetime:
        day = today + timedelta(days=after)
        return datetime(day.year, day.month, day.day, tzinfo=zone)

    return midnight(0), midnight(1)


def _clock(at: datetime, now: datetime) -> str:
    day = "" if at.date() == now.date() else f"{at:%Y-%m-%d} "
    return f"{day}{at:%H:%M} UTC"


def _not_before(outcome: Outcome, now: datetime) -> int | None:
    pause = _COOL_DOWN.get(outcome.kind)
    if pause is None:
        return None
    if outcome.retry_after_seconds is not None:
        pause = timedelta(seconds=outcome.retry_after_seconds)
    return milliseconds(now + pause)
