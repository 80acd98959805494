"""One home's packets put together: guard, ledger, client, verify step and queue."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from fleet_pipeline.guarded_http import Bounds
from fleet_pipeline.home import Home
from fleet_pipeline.org import Lane, Org
from fleet_pipeline.packets.client import LIMITS, Client
from fleet_pipeline.packets.guard import Guard, guard_of
from fleet_pipeline.packets.lanes import lanes_of
from fleet_pipeline.packets.packet import Packet
from fleet_pipeline.packets.prompt import Message, messages
from fleet_pipeline.packets.queue import Held, Queue
from fleet_pipeline.packets.quota import QuotaLedger
from fleet_pipeline.packets.runner import Asks, Run, reserved_tokens, run
from fleet_pipeline.packets.store import milliseconds, opened, transaction
from fleet_pipeline.packets.verification import Verdict, verify


@dataclass(frozen=True, slots=True)
class Preview:
    """What would become of a packet on one lane, found out without asking anybody."""

    lane: Lane
    refused: tuple[str, ...]
    unready: str
    messages: tuple[Message, ...]
    reserved_tokens: int


def previews(packet: Packet, lanes: Sequence[Lane], guard: Guard, client: Asks) -> list[Preview]:
    """Return for each lane what would be sent, or every reason why it would not."""
    sent = tuple(messages(packet))
    return [
        Preview(
            lane,
            guard.refusals(packet, lane),
            client.unready(lane),
            sent,
            reserved_tokens(sent, packet),
        )
        for lane in lanes
    ]


class Desk:
    """Runs packets now or from the queue; made by ``desk``."""

    def __init__(
        self,
        lanes: Sequence[Lane],
        guard: Guard,
        client: Asks,
        ledger: QuotaLedger,
        queue: Queue,
        note_refusals: Callable[[Packet, Run, datetime], None],
        now: Callable[[], datetime],
    ) -> None:
        """Take all parts."""
        self._lanes = {lane.name: lane for lane in lanes}
        self._guard = guard
        self._client = client
        self._ledger = ledger
        self.queue = queue
        self._note_refusals = note_refusals
        self._now = now

    def run(self, packet: Packet, lanes: Sequence[Lane]) -> tuple[Run, Verdict | None]:
        """Run a packet once, and verify its answer if there is one."""
        made = run(
            packet,
            lanes,
            guard=self._guard,
            ledger=self._ledger,
            client=self._client,
            now=self._now,
        )
        if made.state == "refused":
            self._note_refusals(packet, made, self._now())
        if made.state != "answered":
            return made, None
        if packet.verify and packet.verify.review and not self._guard.may_be_reviewed(packet):
            return made, Verdict("unverified", "what may touch patient data goes to no reviewer")
        return made, verify(packet, made.answer)

    def keep(self, packet: Packet, lanes: Sequence[Lane], not_before: datetime | None) -> bool:
        """Put a packet into the queue; False where it is in it already."""
        names = [lane.name for lane in lanes]
        return self.queue.add(packet, names, self._now(), not_before)

    def work(self) -> Iterator[tuple[Held, Run, Verdict | None]]:
        """Run every packet of the queue that may be run now, each once, and yield what came of it.

        A lane that the organisation no longer lists is passed over.
        """
        began = self._now()
        while held := self.queue.take(began):
            lanes = [self._lanes[name] for name in held.lanes if name in self._lanes]
            made, verdict = self.run(held.packet, lanes)
            if self.queue.finish(held, made, verdict, self._now()):
                yield held, made, verdict


@contextmanager
def desk(
    home: Home,
    org: Org,
    environment: Mapping[str, str],
    now: Callable[[], datetime],
    limits: Bounds = LIMITS,
) -> Iterator[Desk]:
    """Yield the desk of a home for an organisation. Raises what ``store.opened`` raises."""
    lanes = lanes_of(org)
    with opened(home) as database:

        def note_refusals(packet: Packet, made: Run, at: datetime) -> None:
            with transaction(database):
                database.executemany(
                    "insert into refusals values (?, ?, ?, ?)",
                    [
                        (milliseconds(at), packet.sha256, lane, why)
                        for lane, why in made.passed_over.items()
                    ],
                )

        yield Desk(
            lanes,
            guard_of(org, environment),
            Client(lanes, environment, limits),
            QuotaLedger(database),
            Queue(database),
            note_refusals,
            now,
        )
