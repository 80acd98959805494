"""Packets of our own that every candidate is asked, week after week, and graders for the answers.

All of them are public and self-written. Belongs here: the items, their graders, when each is due,
and the results that are kept; what follows for the order of models is in ``ranking``.
"""

from fleet_pipeline.probes.results import read
from fleet_pipeline.probes.work_types import NAMES, WORK_TYPES, WorkType

__all__ = ["NAMES", "WORK_TYPES", "WorkType", "read"]
