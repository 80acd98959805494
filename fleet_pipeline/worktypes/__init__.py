"""What kind of work the fleet does, told from metadata alone, and how much of it may move.

Belongs here: turns, the rules that tell their kind, the share that is bounded and movable. Not
here: what moving it would cost, and what the operator wants moved.
"""

from fleet_pipeline.worktypes.eligibility import WHOLE_FLEET, eligible_share
from fleet_pipeline.worktypes.rules import rules, version
from fleet_pipeline.worktypes.turns import marked, routes, turns

__all__ = [
    "WHOLE_FLEET",
    "eligible_share",
    "marked",
    "routes",
    "rules",
    "turns",
    "version",
]
