"""What the fleet's tokens cost: as a slice moved elsewhere, and at Claude's own list price.

Belongs here: pure arithmetic from tokens and prices to micro-dollars. Prices come from
``pricing``; which shares to ask about comes from the org's files.
"""

from fleet_pipeline.costing.context_fit import context_fit
from fleet_pipeline.costing.corners import break_even, cost_corners
from fleet_pipeline.costing.offload import CostParts, cost_parts, cost_usd_micros
from fleet_pipeline.costing.policy import Policy, Target, policy_of
from fleet_pipeline.costing.quotes import Quote, Term, quote_naive, quote_packets, quote_turns
from fleet_pipeline.costing.replay import Replay, replay
from fleet_pipeline.costing.room import subscription_room
from fleet_pipeline.costing.run_rate import HotWeek, hot_week, monthly_factor
from fleet_pipeline.costing.scenarios import cost_scenarios
from fleet_pipeline.costing.subscription import subscription_value
from fleet_pipeline.costing.token_mix import cost_at_own_mix
from fleet_pipeline.costing.tokens import TokenClasses
from fleet_pipeline.costing.what_if import compared

__all__ = [
    "CostParts",
    "HotWeek",
    "Policy",
    "Quote",
    "Replay",
    "Target",
    "Term",
    "TokenClasses",
    "break_even",
    "compared",
    "context_fit",
    "cost_at_own_mix",
    "cost_corners",
    "cost_parts",
    "cost_scenarios",
    "cost_usd_micros",
    "hot_week",
    "monthly_factor",
    "policy_of",
    "quote_naive",
    "quote_packets",
    "quote_turns",
    "replay",
    "subscription_room",
    "subscription_value",
]
