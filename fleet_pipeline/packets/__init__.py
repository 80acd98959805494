"""One-shot packets to cheap models: what may leave, how it is asked, what comes back.

What belongs here: the operating rule of the offload lane as code. Not here: how good a model is at
the work (``probes``), or which one to choose (``ranking``). Nothing leaves but through ``runner``,
and nothing leaves by default.
"""

from fleet_pipeline.packets.client import Client
from fleet_pipeline.packets.guard import Guard, guard_of
from fleet_pipeline.packets.lanes import lanes_called, lanes_of
from fleet_pipeline.packets.outcome import Outcome, OutcomeKind, Usage
from fleet_pipeline.packets.packet import Packet, Verify, load
from fleet_pipeline.packets.policy import Rules
from fleet_pipeline.packets.quota import QuotaLedger
from fleet_pipeline.packets.runner import Run, run
from fleet_pipeline.packets.store import opened

__all__ = [
    "Client",
    "Guard",
    "Outcome",
    "OutcomeKind",
    "Packet",
    "QuotaLedger",
    "Rules",
    "Run",
    "Usage",
    "Verify",
    "guard_of",
    "lanes_called",
    "lanes_of",
    "load",
    "opened",
    "run",
]
