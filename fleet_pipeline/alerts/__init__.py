"""Telling somebody that a run, or the command before it, failed: Slack, a webhook, e-mail.

``failure`` is what is told, in counts and names; ``channels`` is how it gets there; ``telling`` is
what keeps a channel from holding up or breaking anything. Who is told stands in ``fleet.yaml``.
"""

from fleet_pipeline.alerts.failure import Failure
from fleet_pipeline.alerts.telling import faults, tell

__all__ = ["Failure", "faults", "tell"]
