"""What stands between a packet and a lane: the policy first, then the tripwires over its words.

The policy permits; a tripwire never does. Whatever is found is told by kind, never by what it is.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.org import UNATTRIBUTED, AgentMap, Lane, Org
from fleet_pipeline.packets import phi, secrets
from fleet_pipeline.packets.packet import Packet
from fleet_pipeline.packets.policy import Facts, Rules, refusals, touching_patients
from fleet_pipeline.packets.prompt import text


@dataclass(frozen=True)
class Guard:
    """What is allowed, whose a folder is, and which values of the environment are secret."""

    rules: Rules
    owner: Callable[[str], str | None]
    """The agent that a folder belongs to, if any."""
    secret_values: frozenset[str] = field(repr=False)

    def refusals(self, packet: Packet, lane: Lane) -> tuple[str, ...]:
        """Return every reason why this packet must not go to this lane; none means that it may."""
        words = text(packet)
        found = [*refusals(self._facts(packet), lane, self.rules)]
        found += [f"it holds what looks like {kind}" for kind in self._secrets(words)]
        if not (packet.privacy == "phi" and "phi" in lane.privacy):
            found += [f"it holds what looks like {kind}" for kind in phi.found(words)]
        return tuple(found)

    def may_be_reviewed(self, packet: Packet) -> bool:
        """Say whether another client may see a packet and its answer: not where patients may be."""
        touching = touching_patients(self._facts(packet), self.rules)
        return packet.privacy != "phi" and not touching

    def _facts(self, packet: Packet) -> Facts:
        owners = (self.owner(folder) for folder in packet.folders)
        return Facts(
            packet.privacy,
            packet.agent,
            packet.folders,
            tuple(name for name in owners if name is not None),
        )

    def _secrets(self, words: str) -> Iterable[str]:
        return secrets.found(words, self.secret_values)


def guard_of(org: Org, environment: Mapping[str, str]) -> Guard:
    """Return the guard that an organisation's files and this machine's environment make.

    Raises ConfigurationError for a folder that leads nowhere.
    """
    known = AgentMap(org)

    def owner(folder: str) -> str | None:
        agent = known.agent_of(folder)
        return None if agent == UNATTRIBUTED else agent

    rules = Rules(
        agents={agent.name: agent.privacy for agent in org.agents},
        may_leave_agents=frozenset(org.may_leave.agents),
        may_leave_folders=tuple(_real(org, folder) for folder in org.may_leave.folders),
    )
    keys = {lane.key_env for lane in org.lanes if lane.key_env}
    return Guard(rules, owner, secrets.secret_values(environment, keys))


def _real(org: Org, folder: str) -> str:
    try:
        return str(org.path(folder).resolve())
    except (OSError, RuntimeError):
        raise ConfigurationError(
            f"{org.folder / 'lanes.yaml'}: may_leave.folders: {folder} is a loop of links;"
            " name a folder that is there"
        ) from None
