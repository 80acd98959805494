"""The operating rule: guard, ledger, call, schema, one retry, then the next lane or the queue.

A run makes at most two calls, whatever happens: a second attempt on the same lane that is told what
was wrong, or one on the next lane where the first could not answer.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, Protocol

from fleet_pipeline.org.lanes import Lane
from fleet_pipeline.packets.guard import Guard
from fleet_pipeline.packets.outcome import CORRECTABLE, Outcome
from fleet_pipeline.packets.packet import Packet
from fleet_pipeline.packets.prompt import Message, messages, retry
from fleet_pipeline.packets.quota import Exhausted, QuotaLedger

MOST_CALLS: Final = 2
"""Calls of one run, over all lanes."""

_BYTES_PER_TOKEN: Final = 3
"""To reserve tokens before the provider has counted them; prose has about four."""


class Asks(Protocol):
    """Whoever puts packets to models: ``Client``, over the network."""

    def unready(self, lane: Lane) -> str:
        """Return why a lane cannot be asked from here, or nothing."""

    def ask(self, lane: Lane, packet: Packet, messages: Sequence[Message]) -> Outcome:
        """Return what became of one call."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call that was made."""

    lane: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Run:
    """What became of a packet.

    ``answered``: there is an answer, unverified. ``failed``: models answered, none of it of use.
    ``waiting``: no lane could answer now, which says nothing of any model. ``refused``: it must
    not go to any of the lanes.
    """

    state: Literal["answered", "failed", "waiting", "refused"]
    calls: tuple[Call, ...] = ()
    passed_over: Mapping[str, str] = field(default_factory=dict)
    """Why a lane was not asked, by its name."""
    not_before: datetime | None = None
    """When a lane that takes nothing now may take something again."""

    @property
    def answer(self) -> object:
        """The JSON value of the answer, where there is one."""
        return self.calls[-1].outcome.answer if self.state == "answered" else None

    @property
    def lane(self) -> str | None:
        """The lane that answered."""
        return self.calls[-1].lane if self.state == "answered" else None


def run(
    packet: Packet,
    lanes: Sequence[Lane],
    *,
    guard: Guard,
    ledger: QuotaLedger,
    client: Asks,
    now: Callable[[], datetime],
) -> Run:
    """Run a packet on the first lane that may have it and can answer."""
    calls: list[Call] = []
    passed_over: dict[str, str] = {}
    until: list[datetime] = []
    refused = 0
    for lane in lanes:
        if len(calls) == MOST_CALLS:
            break
        if reasons := guard.refusals(packet, lane):
            refused += 1
            passed_over[lane.name] = "; ".join(reasons)
            continue
        if why := client.unready(lane):
            passed_over[lane.name] = why
            continue
        made, exhausted = _on_lane(packet, lane, MOST_CALLS - len(calls), ledger, client, now)
        calls += made
        if exhausted is not None:
            passed_over[lane.name] = exhausted.says
            until.append(exhausted.until)
        if made and made[-1].outcome.is_quality:
            state = made[-1].outcome.kind
            return Run("answered" if state == "answered" else "failed", tuple(calls), passed_over)
    if refused == len(lanes):
        return Run("refused", (), passed_over)
    return Run("waiting", tuple(calls), passed_over, min(until, default=None))


def reserved_tokens(sent: Sequence[Message], packet: Packet) -> int:
    """Return what a call is reckoned to cost before it is made, in tokens in and out."""
    size = sum(len(message["content"].encode("utf-8", "surrogatepass")) for message in sent)
    return -(-size // _BYTES_PER_TOKEN) + packet.max_output_tokens


def _on_lane(
    packet: Packet,
    lane: Lane,
    most: int,
    ledger: QuotaLedger,
    client: Asks,
    now: Callable[[], datetime],
) -> tuple[list[Call], Exhausted | None]:
    """Return the calls made on one lane, the last of which stands, and what stopped another."""
    sent, calls = messages(packet), list[Call]()
    while len(calls) < most:
        begun = ledger.begin(lane, packet.sha256, reserved_tokens(sent, packet), now())
        if isinstance(begun, Exhausted):
            return calls, begun
        outcome = client.ask(lane, packet, sent)
        ledger.settle(begun, outcome, now())
        calls.append(Call(lane.name, outcome))
        if outcome.kind not in CORRECTABLE:
            break
        sent = retry(messages(packet), outcome.text, outcome.violation)
    return calls, None
