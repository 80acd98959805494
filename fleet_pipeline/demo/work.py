"""What the demo's agents do all day: which tools a turn calls, so that its kind of work shows.

Invented, unlike the volumes: no page says what the fleet's turns did. Each agent mixes the kinds of
work that the routing matrix gives it. A turn is drawn when its prompt comes, a call for each
request that does not end it.
"""

from collections.abc import Iterator
from itertools import cycle
from random import Random
from typing import Final

Call = tuple[str, str]
"""A tool's name and, for a shell, the command that it runs; empty for every other tool."""

_READ: Final = (("Grep", ""), ("Read", ""), ("Read", ""), ("Bash", "ls docs"), ("Read", ""))
_WORK: Final[dict[str, tuple[Call, ...]]] = {
    "implement": (("Read", ""), ("Edit", ""), ("Bash", "make check"), ("Edit", ""),
                  ("Bash", "pytest -q")),
    "write": (("Read", ""), ("Write", ""), ("Edit", ""), ("Grep", "")),
    "check": (("Bash", "python3 report.py"), ("Read", ""), ("Bash", "duckdb month.db")),
    "review": (("Bash", "git diff"), ("Read", ""), ("Grep", ""), ("Bash", "git log")),
    "read": _READ,
    "research": (("WebSearch", ""), ("WebFetch", ""), ("Read", ""), ("WebFetch", "")),
    "ask": (("Read", ""), ("AskUserQuestion", ""), ("Read", ""), ("TodoWrite", "")),
    "message": (("SendMessage", ""), ("Read", ""), ("SendMessage", "")),
    "act": (("mcp__tracker__update_issue", ""), ("Read", ""), ("Bash", "gh pr view 12")),
    "note": (("TodoWrite", ""),),
}  # fmt: skip
_MIXES: Final[dict[str, dict[str, int]]] = {
    "sage": {"ask": 30, "message": 25, "act": 15, "note": 14, "read": 8, "research": 4, "write": 4},
    "forge": {"implement": 45, "check": 10, "review": 14, "read": 10, "write": 6, "ask": 15},
    "scribe": {"write": 42, "ask": 28, "note": 20, "read": 10},
    "apollo": {"message": 42, "ask": 18, "check": 12, "implement": 12, "read": 16},
    "mercury": {"implement": 24, "write": 12, "act": 38, "check": 12, "ask": 14},
    "analyst": {"check": 40, "implement": 14, "write": 12, "read": 14, "note": 20},
    "librarian": {"read": 46, "research": 22, "review": 12, "write": 8, "note": 12},
    "hippocrates": {"check": 9, "implement": 3, "read": 40, "write": 18, "ask": 30},
    "felix": {"write": 22, "read": 18, "act": 26, "note": 22, "ask": 12},
}
_ANYBODY: Final = {"implement": 20, "read": 30, "check": 20, "write": 20, "note": 10}
_OF_SUBAGENTS: Final[dict[str, str]] = {
    "Explore": "read",
    "Plan": "read",
    "general-purpose": "implement",
}
_OF_CODEX: Final[dict[str, dict[str, int]]] = {
    "forge": {"implement": 70, "read": 15, "check": 15},
    "analyst": {"check": 60, "read": 25, "implement": 15},
    "mercury": {"implement": 60, "write": 30, "read": 10},
}
_CODEX_LOOKS: Final = {"Read": "sed -n 1,80p notes.md", "Grep": "rg TODO"}


def turn_calls(rng: Random, agent: str, agent_type: str | None = None) -> Iterator[Call]:
    """Return the calls of one turn of Claude Code, without end: it takes as many as it needs."""
    if agent_type is not None:
        return cycle(_WORK[_OF_SUBAGENTS[agent_type]])
    return cycle(_WORK[_drawn(rng, _MIXES.get(agent, _ANYBODY))])


def codex_calls(rng: Random, agent: str) -> Iterator[Call]:
    """Return the same for a turn of Codex, whose tools are a shell and a patch."""
    for name, command in cycle(_WORK[_drawn(rng, _OF_CODEX.get(agent, _ANYBODY))]):
        if name in ("Edit", "Write"):
            yield "apply_patch", ""
        else:
            yield "exec_command", command or _CODEX_LOOKS[name]


def _drawn(rng: Random, mix: dict[str, int]) -> str:
    return rng.choices(list(mix), list(mix.values()))[0]
