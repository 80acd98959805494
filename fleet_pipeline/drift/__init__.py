"""What happened beside what was meant to happen, and beside what usually does.

Belongs here: each week against the plan of the week before, days far outside an agent's own
history, and whether a hot week is more than chance. Not here: what any of it cost.
"""

from fleet_pipeline.drift.agent_days import agent_days
from fleet_pipeline.drift.chance import hot_week_chance
from fleet_pipeline.drift.realised import WEEKS, plans_before, realised

__all__ = ["WEEKS", "agent_days", "hot_week_chance", "plans_before", "realised"]
