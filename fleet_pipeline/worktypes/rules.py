"""The rules that tell a turn's kind, read from ``rules.yaml`` and from the org's agents.

Belongs here: which tool and command does what, and which rule holds for a turn. What turns are made
of belongs to ``turns``; no rule looks at text.
"""

import hashlib
import json
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Annotated, Final

import polars as pl
import yaml
from pydantic import Field

from fleet_pipeline.org import UNKNOWN, Act, Org, When, WorkRule
from fleet_pipeline.org.strict import Strict, Text

NO_RULE: Final = "none"
"""Stands in the place of a rule where none knew the turn."""

_OTHER: Final = "other"
_RUN: Final = "run"


class _Signs(Strict):
    tools: tuple[Text, ...] = ()
    commands: tuple[Text, ...] = ()


class Rules(Strict):
    """The rules that come with the product; ``version`` rises with every change of meaning."""

    version: Annotated[int, Field(gt=0)]
    shells: tuple[Text, ...]
    acts: dict[Act, _Signs]
    rules: tuple[WorkRule, ...]

    def act_of_tool(self, name: str) -> str:
        """Return what a tool does; ``other`` where nobody has said so."""
        for act, signs in self.acts.items():
            if any(fnmatchcase(name, pattern) for pattern in signs.tools):
                return act
        return _OTHER

    def act_of_command(self, head: str) -> str:
        """Return what a shell command does; one that is not listed is a ``run``."""
        for act, signs in self.acts.items():
            if head in signs.commands:
                return act
        return _RUN

    def acts_of(self, tools: str | None, command_heads: str | None) -> tuple[list[str], bool]:
        """Return the acts of one request, sorted, and whether they are all that it did.

        Both arguments are JSON objects of counts. A shell whose commands are not on record did
        something that nobody can tell.
        """
        names, heads = json.loads(tools or "{}"), json.loads(command_heads or "{}")
        acts = {self.act_of_tool(name) for name in names if name not in self.shells}
        acts |= {self.act_of_command(head) for head in heads}
        return sorted(acts), bool(heads) or not any(name in self.shells for name in names)


@cache
def rules() -> Rules:
    """Return the product's own rules."""
    return Rules.model_validate(_tuples(yaml.safe_load(_text())))


def version() -> str:
    """Return the version of the rules with a digest of their text, as ``1-0a1b2c3d``."""
    return f"{rules().version}-{hashlib.sha256(_text().encode()).hexdigest()[:8]}"


def classified(turns: pl.DataFrame, org: Org) -> pl.DataFrame:
    """Return ``turns`` with the ``kind`` of each and the ``rule`` that decided.

    An agent's own rules are asked first and are called ``<agent>/<id>``. Where no rule holds the
    kind is ``unknown`` and the rule ``none``.
    """
    asked = [
        (f"{agent.name}/{rule.id}", rule.kind, (pl.col("agent") == agent.name) & holds(rule.when))
        for agent in org.agents
        for rule in agent.work_rules
    ]
    asked += [(rule.id, rule.kind, holds(rule.when)) for rule in rules().rules]
    first = pl.coalesce(
        *(pl.when(condition).then(place) for place, (*_, condition) in enumerate(asked))
    )
    names = [name for name, *_ in asked] + [NO_RULE]
    kinds = [kind for _, kind, _ in asked] + [UNKNOWN]
    place = first.fill_null(len(asked)).cast(pl.Int64)
    return turns.with_columns(
        kind=place.replace_strict(range(len(kinds)), kinds, return_dtype=pl.String),
        rule=place.replace_strict(range(len(names)), names, return_dtype=pl.String),
    )


def holds(when: When) -> pl.Expr:
    """Return whether a turn meets all conditions; what is not on record meets none."""
    acts, known = pl.col("acts"), pl.col("acts_known")
    conditions = [acts.list.contains(act) for act in when.does]
    if when.does_any:
        conditions.append(pl.any_horizontal(acts.list.contains(act) for act in when.does_any))
    if when.does_only:
        nothing_else = acts.list.set_difference(list(when.does_only)).list.len() == 0
        conditions.append(known & (acts.list.len() > 0) & nothing_else)
    if when.does_nothing:
        conditions.append(known & (acts.list.len() == 0))
    if when.client:
        conditions.append(pl.col("client") == when.client)
    if when.subagent is not None:
        conditions.append(pl.col("is_subagent") == when.subagent)
    if when.typed is not None:
        conditions.append(pl.col("agent_type").is_not_null() == when.typed)
    if when.agent_type:
        conditions.append(_is_like("agent_type", when.agent_type))
    for column in ("asked_by", "prompt_source", "entrypoint"):
        if wanted := getattr(when, column):
            conditions.append(pl.col(column).is_in(list(wanted)))
    if when.requests_at_most is not None:
        conditions.append(pl.col("requests") <= when.requests_at_most)
    if when.context_below_tokens is not None:
        conditions.append(pl.col("context_tokens") < when.context_below_tokens)
    return pl.all_horizontal(conditions).fill_null(False)


def _is_like(column: str, patterns: Iterable[str]) -> pl.Expr:
    """Return whether a text is like one of some patterns, any case; ``*`` stands for anything."""
    lowered = [pattern.lower() for pattern in patterns]
    return pl.any_horizontal(
        pl.col(column).str.to_lowercase().str.contains(_as_regex(pattern)) for pattern in lowered
    )


def _as_regex(pattern: str) -> str:
    return "^" + ".*".join(_escaped(part) for part in pattern.split("*")) + "$"


def _escaped(text: str) -> str:
    return "".join(sign if sign.isalnum() else f"\\x{{{ord(sign):x}}}" for sign in text)


def _text() -> str:
    source = files("fleet_pipeline.worktypes").joinpath("rules.yaml")
    return source.read_text(encoding="utf-8")


def _tuples(value: object) -> object:
    """Return YAML's lists as the tuples that strict models take."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
