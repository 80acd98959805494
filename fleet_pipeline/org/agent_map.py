"""Which agent a working directory belongs to. Pure string work; no folder is ever looked at.

The first of these that names an agent decides, and among several of one kind the deepest:

1. ``folders`` of an agent in agents.yaml: a name (that folder wherever it is, and its worktrees) or
   a pattern of paths; each claims all that is inside.
2. ``orgs/<org>/agents/<agent>``, or a worktree folder in the agent's place. All below it is that
   agent's, whatever the folders there are called, and below an unknown agent it is nobody's.
3. Worktrees: ``<agent>/.worktrees``, ``<agent>/.claude/worktrees``, ``<agent>-worktrees``,
   ``<agent>.worktrees``, ``worktrees/<agent>``, ``<agent>-wt-<any>``.
4. A project: the folder itself has an agent's name, or its ancestor right under a project root has.

Names are compared as a whole, first as written and, if nothing comes of it, without regard to case.
"""

from collections.abc import Mapping
from functools import lru_cache

from fleet_pipeline.org.folders import (
    Fold,
    FolderPattern,
    Names,
    as_written,
    is_plain_name,
    split,
    without_case,
)
from fleet_pipeline.org.schema import UNATTRIBUTED, Org

_WORKTREE_FOLDERS = (".worktrees", "worktrees")
_WORKTREE_MARK = "-wt-"
_REMEMBERED = 65_536


class AgentMap:
    """Maps working directories to the agents of an organisation; answers are remembered."""

    def __init__(self, org: Org) -> None:
        """Compile the organisation's rules."""
        self._rules = (_Rules(org, as_written), _Rules(org, without_case))
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._found)

    def agent_of(self, cwd: str | None) -> str:
        """Return the name of the agent that a working directory belongs to, or ``unattributed``.

        Takes any text (POSIX and Windows paths, ``file:`` addresses) and never raises.
        """
        return self._remembered(cwd) if cwd else UNATTRIBUTED

    def _found(self, cwd: str) -> str:
        names = split(cwd)
        for rules in self._rules:
            agent = rules.agent_of(names)
            if agent is not None:
                return agent
        return UNATTRIBUTED


class _Rules:
    """The rules of an organisation under one way to compare names."""

    def __init__(self, org: Org, fold: Fold) -> None:
        self._fold = fold
        self._agents: dict[str, str] = {}
        self._claimed_names: dict[str, str] = {}
        self._claimed_patterns: list[tuple[FolderPattern, str]] = []
        for agent in org.agents:
            self._agents.setdefault(self._one_name(agent.name), agent.name)
            for folder in agent.folders:
                if is_plain_name(folder):
                    self._claimed_names.setdefault(self._one_name(folder), agent.name)
                else:
                    self._claimed_patterns.append((FolderPattern.of(folder, fold), agent.name))
        self._roots = [FolderPattern.of(root, fold) for root in org.mapping.project_roots]
        self._orgs = {self._one_name(name) for name in (org.name, *org.mapping.org_folders)}
        self._any_org = "*" in org.mapping.org_folders

    def agent_of(self, names: Names) -> str | None:
        names = tuple(self._fold(name) for name in names)
        claimed = self._claimed(names)
        if claimed is not None:
            return claimed
        if seats(names):
            return self._seated(names)
        return self._worktree(names) or self._project(names)

    def _claimed(self, names: Names) -> str | None:
        # Deepest first; at one depth a plain name beats a path, and a path beats a pattern.
        best: tuple[int, int] = (0, 0)
        owner: str | None = None
        for depth, name in enumerate(names, start=1):
            claimer = self._claimed_names.get(name) or _worktree_owner(name, self._claimed_names)
            if claimer is not None:
                best, owner = (depth, 2), claimer
        for pattern, claimer in self._claimed_patterns:
            rank = (max(pattern.depths(names), default=0), int(pattern.is_literal))
            if rank[0] and rank > best:
                best, owner = rank, claimer
        return owner

    def _seated(self, names: Names) -> str | None:
        """Return the agent in the deepest ``orgs/<org>/agents/<agent>`` that names one of ours."""
        for seat in reversed(seats(names)):
            if self._any_org or names[seat - 2] in self._orgs:
                name = names[seat]
                if name in _WORKTREE_FOLDERS and seat + 1 < len(names):
                    name = names[seat + 1]
                agent = self._agents.get(name) or _worktree_owner(name, self._agents)
                if agent is not None:
                    return agent
        return None

    def _worktree(self, names: Names) -> str | None:
        for at in reversed(range(len(names))):
            agent = _worktree_owner(names[at], self._agents)
            if agent is None and names[at] in _WORKTREE_FOLDERS:
                agent = self._project_of_worktrees(names, at)
            if agent is not None:
                return agent
        return None

    def _project_of_worktrees(self, names: Names, at: int) -> str | None:
        """Return the agent whose worktrees the folder ``names[at]`` holds."""
        above = names[:at]
        inside_project = names[at] == ".worktrees"
        if above[-1:] == (".claude",):
            above, inside_project = above[:-1], True
        if inside_project and above and above[-1] in self._agents:
            return self._agents[above[-1]]
        return self._agents.get(names[at + 1]) if at + 1 < len(names) else None

    def _project(self, names: Names) -> str | None:
        if names and names[-1] in self._agents:
            return self._agents[names[-1]]
        under_roots = {
            depth
            for root in self._roots
            for depth in root.depths(names)
            if depth < len(names) and names[depth] in self._agents
        }
        return self._agents[names[max(under_roots)]] if under_roots else None

    def _one_name(self, text: str) -> str:
        """Return a name as it would come out of a path; one with slashes in it matches nothing."""
        names = split(text)
        return self._fold(names[0] if len(names) == 1 else text)


def seats(names: Names) -> list[int]:
    """Return the places on a path, outermost first, right after an ``orgs/<org>/agents``."""
    return [
        at for at in range(3, len(names)) if names[at - 1] == "agents" and names[at - 3] == "orgs"
    ]


def _worktree_owner(name: str, owners: Mapping[str, str]) -> str | None:
    """Return who owns a folder whose name says that it holds worktrees, or is one."""
    for folder in ("-worktrees", ".worktrees"):
        if name.endswith(folder) and name.removesuffix(folder) in owners:
            return owners[name.removesuffix(folder)]
    at = name.rfind(_WORKTREE_MARK, 0, -1)
    while at > 0:
        if name[:at] in owners:
            return owners[name[:at]]
        at = name.rfind(_WORKTREE_MARK, 0, at)
    return None
