"""Default deny: whether a packet may be sent to a lane. Pure; every rule can only refuse.

A packet's own word makes nothing public that its agent, its folders or the lane do not allow.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from fleet_pipeline.org.lanes import Lane, Privacy


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules look at of a packet."""

    privacy: Privacy
    agent: str
    folders: tuple[str, ...]
    """Absolute, links resolved."""
    owners: tuple[str, ...]
    """The agents that these folders belong to, where they belong to any."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator allows."""

    agents: Mapping[str, Privacy]
    """All agents of the fleet, and how private their work is."""
    may_leave_agents: frozenset[str]
    may_leave_folders: tuple[str, ...]
    """Absolute, links resolved."""


def refusals(facts: Facts, lane: Lane, rules: Rules) -> tuple[str, ...]:
    """Return every reason why the packet must not go there; none means that it may."""
    whose = tuple(dict.fromkeys((facts.agent, *facts.owners)))
    touches_patients = touching_patients(facts, rules)
    found = []
    if facts.privacy not in lane.privacy:
        found.append(f"the packet is {facts.privacy}, the lane takes {', '.join(lane.privacy)}")
    if touches_patients and (lane.free or "phi" not in lane.privacy):
        found.append(f"{touches_patients[0]} may touch patient data")
    if facts.agent not in rules.agents and "phi" not in lane.privacy:
        # A name that is only misspelt would hide an agent that does.
        found.append(f"{facts.agent} is not listed in agents.yaml, and may touch patient data")
    if not lane.free:
        return tuple(found)
    if facts.privacy != "public":
        found.append("only packets that are declared public go to free lanes")
    found += [
        f"{name} is not listed in may_leave.agents"
        for name in whose
        if name not in rules.may_leave_agents or name not in rules.agents
    ]
    if not all(_inside(folder, rules.may_leave_folders) for folder in facts.folders):
        found.append("it has texts from a folder that is not listed in may_leave.folders")
    return tuple(found)


def touching_patients(facts: Facts, rules: Rules) -> list[str]:
    """Return the agents, of those that a packet concerns, that may touch patient data."""
    whose = dict.fromkeys((facts.agent, *facts.owners))
    return [name for name in whose if rules.agents.get(name) == "phi"]


def _inside(folder: str, allowed: tuple[str, ...]) -> bool:
    return any(PurePath(folder).is_relative_to(PurePath(root)) for root in allowed if root)
