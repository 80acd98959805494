"""The queue: packets that no lane could take yet, kept until one does: none lost, none doubled.

A packet is in it once, whoever adds it how often. Whoever runs one holds a lease; a lease that ran
out, because its process died, lets another run it. Only the holder can write down how it ended.
"""

import json
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydantic import ValidationError

from fleet_pipeline.packets.packet import Packet
from fleet_pipeline.packets.runner import Run
from fleet_pipeline.packets.store import milliseconds, moment, transaction
from fleet_pipeline.packets.verification import Verdict

MOST_RUNS: Final = 5
"""After which a packet is given up."""

LEASE: Final = timedelta(minutes=15)
"""Longer than two calls and a review may take together."""

_PAUSES: Final = tuple(timedelta(minutes=minutes) for minutes in (5, 20, 60, 240))
"""Between runs of one packet, where no lane said when it can take something again."""


@dataclass(frozen=True, slots=True)
class Held:
    """A packet that is held to be run."""

    packet: Packet
    lanes: tuple[str, ...]
    lease: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What the queue tells of a packet; no word of its content."""

    packet_sha256: str
    packet_id: str
    state: str
    lanes: tuple[str, ...]
    added_at: datetime
    not_before: datetime
    runs: int
    says: str
    lane: str | None
    verified: bool


class Queue:
    """The queue of one home; safe between processes."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Take a connection to the database of packets."""
        self._connection = connection

    def add(
        self,
        packet: Packet,
        lanes: Sequence[str],
        now: datetime,
        not_before: datetime | None = None,
    ) -> bool:
        """Keep a packet; False where it is in the queue already, done or not."""
        with transaction(self._connection):
            made = self._connection.execute(
                "insert or ignore into queue"
                " (packet_sha256, packet_id, packet, lanes, state, added_ms, not_before_ms)"
                " values (?, ?, ?, ?, 'waiting', ?, ?)",
                (
                    packet.sha256,
                    packet.id,
                    packet.model_dump_json(),
                    json.dumps(list(lanes)),
                    milliseconds(now),
                    milliseconds(not_before or now),
                ),
            )
            return made.rowcount == 1

    def take(self, now: datetime) -> Held | None:
        """Return the packet that has waited longest and may be run now, held by a new lease."""
        with transaction(self._connection):
            while row := self._connection.execute(
                "select packet_sha256, packet, lanes, runs from queue"
                " where (state = 'waiting' and not_before_ms <= :now)"
                " or (state = 'running' and lease_until_ms <= :now)"
                " order by not_before_ms, added_ms, packet_sha256 limit 1",
                {"now": milliseconds(now)},
            ).fetchone():
                if (packet := self._fit_to_run(row)) is None:
                    continue
                lease = secrets.token_hex(16)
                self._connection.execute(
                    "update queue set state = 'running', lease = ?, lease_until_ms = ?,"
                    " runs = runs + 1 where packet_sha256 = ?",
                    (lease, milliseconds(now + LEASE), row["packet_sha256"]),
                )
                return Held(packet, tuple(json.loads(row["lanes"])), lease)
        return None

    def _fit_to_run(self, row: sqlite3.Row) -> Packet | None:
        """Return the packet of a row; None for one that is given up, lest it be tried for ever."""
        why = f"none of {MOST_RUNS} runs came to an end"
        if row["runs"] < MOST_RUNS:
            try:
                return Packet.model_validate_json(row["packet"])
            except ValidationError:
                why = "another version of fleet kept it: remove it, and add it again"
        self._connection.execute(
            "update queue set state = 'failed', lease = null, lease_until_ms = null, says = ?,"
            " packet = '' where packet_sha256 = ?",
            (why, row["packet_sha256"]),
        )
        return None

    def finish(self, held: Held, made: Run, verdict: Verdict | None, now: datetime) -> bool:
        """Write down how a run ended; False where the lease has gone to somebody else."""
        with transaction(self._connection):
            row = self._connection.execute(
                "select runs from queue where packet_sha256 = ? and lease = ?",
                (held.packet.sha256, held.lease),
            ).fetchone()
            if row is None:
                return False
            state = {"answered": "done", "waiting": "waiting"}.get(made.state, "failed")
            if state == "waiting" and row["runs"] >= MOST_RUNS:
                state = "failed"
            pause = _PAUSES[min(row["runs"], len(_PAUSES)) - 1]
            self._connection.execute(
                "update queue set state = ?, lease = null, lease_until_ms = null, says = ?,"
                " packet = iif(? = 'waiting', packet, ''),"  # nothing of it is sent any more
                " not_before_ms = ?, answer = ?, lane = ?, verified = ? where packet_sha256 = ?",
                (
                    state,
                    said(made, verdict),
                    state,
                    milliseconds(max(made.not_before or now + pause, now)),
                    json.dumps(made.answer) if state == "done" else None,
                    made.lane,
                    int(verdict is not None and verdict.state == "verified"),
                    held.packet.sha256,
                ),
            )
        return True

    def entries(self) -> list[Entry]:
        """Return all packets, the oldest first."""
        rows = self._connection.execute("select * from queue order by added_ms, packet_sha256")
        return [
            Entry(
                row["packet_sha256"],
                row["packet_id"],
                row["state"],
                tuple(json.loads(row["lanes"])),
                moment(row["added_ms"]),
                moment(row["not_before_ms"]),
                row["runs"],
                row["says"],
                row["lane"],
                bool(row["verified"]),
            )
            for row in rows
        ]

    def answer(self, packet_sha256: str) -> object:
        """Return the answer of a packet that is done, None for any other."""
        row = self._connection.execute(
            "select answer from queue where packet_sha256 = ?", (packet_sha256,)
        ).fetchone()
        return None if row is None or row["answer"] is None else json.loads(row["answer"])

    def remove(self, packet_sha256: str) -> bool:
        """Forget a packet and its answer; False where there is none, or it is being run."""
        with transaction(self._connection):
            gone = self._connection.execute(
                "delete from queue where packet_sha256 = ? and state <> 'running'", (packet_sha256,)
            )
            return gone.rowcount == 1


def said(made: Run, verdict: Verdict | None) -> str:
    """Return in one line what a run came to, without quoting anybody."""
    parts = [f"{call.lane}: {call.outcome.says}" for call in made.calls]
    parts += [f"{lane}: {why}" for lane, why in made.passed_over.items()]
    if verdict is not None:
        parts.append(f"{verdict.state}: {verdict.says}")
    return "; ".join(parts)
