"""An organisation's fleet as its operator describes it: policy, agents, candidates, providers.

What belongs here: reading ``orgs/<org>/*.yaml`` into typed values, saying what is wrong in them,
and telling which agent a working directory belongs to. Not here: prices, usage, anything measured.
"""

from fleet_pipeline.org.agent_map import AgentMap
from fleet_pipeline.org.alerts import Alert
from fleet_pipeline.org.frames import agents_by_folder, agents_table, priced_models
from fleet_pipeline.org.lanes import Lane, LaneLimits, PacketRules, Privacy
from fleet_pipeline.org.loading import fleet_file, load, with_offload
from fleet_pipeline.org.places import PriceFeed, Publication, Source
from fleet_pipeline.org.schema import (
    UNATTRIBUTED,
    Agent,
    AgentMapping,
    BackboneRole,
    CandidateModel,
    ExecutionRoute,
    FreeApi,
    FreeLimits,
    MatrixRow,
    Org,
    Packet,
    Passage,
    Principles,
    Scenario,
)
from fleet_pipeline.org.work import (
    BOUNDED,
    CLAUDE_MODEL,
    UNKNOWN,
    Act,
    Kind,
    When,
    WorkRule,
    leaves_claude,
)

__all__ = [
    "BOUNDED",
    "CLAUDE_MODEL",
    "UNATTRIBUTED",
    "UNKNOWN",
    "Act",
    "Agent",
    "AgentMap",
    "AgentMapping",
    "Alert",
    "BackboneRole",
    "CandidateModel",
    "ExecutionRoute",
    "FreeApi",
    "FreeLimits",
    "Kind",
    "Lane",
    "LaneLimits",
    "MatrixRow",
    "Org",
    "Packet",
    "PacketRules",
    "Passage",
    "PriceFeed",
    "Principles",
    "Privacy",
    "Publication",
    "Scenario",
    "Source",
    "When",
    "WorkRule",
    "agents_by_folder",
    "agents_table",
    "fleet_file",
    "leaves_claude",
    "load",
    "priced_models",
    "with_offload",
]
