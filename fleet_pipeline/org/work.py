"""The shape of work rules: what metadata a turn may be known by, and the kinds that work comes in.

The rules that come with the product (``worktypes/rules.yaml``) and an agent's own in
``agents.yaml`` have this one shape. Matching a turn against them belongs to ``worktypes``.
"""

import re
from typing import Annotated, Final, Literal, get_args

from pydantic import Field, model_validator

from fleet_pipeline.org.strict import Strict, Text

_Bounded = Literal[
    "implementation",
    "test_writing",
    "editing",
    "review",
    "checks",
    "extraction",
    "research",
    "text_cleanup",
    "packet",
]

Kind = Literal["orchestration", "conversation", "external_action", _Bounded, "overhead"]
"""What a rule may call a turn; a turn that no rule knows is ``unknown``."""

UNKNOWN: Final = "unknown"

BOUNDED: Final[frozenset[Kind]] = frozenset(get_args(_Bounded))
"""Kinds that can be briefed and verified: only such work may leave Claude. The others need live
context or a gate, are the client's own overhead, or are not known."""

Act = Literal[
    "edit", "read", "web", "check", "run", "version", "outside", "delegate", "ask", "note", "other"
]
"""What a tool or a shell command does, see ``acts`` in ``worktypes/rules.yaml``."""

CLAUDE_MODEL: Final = re.compile(r"claude|opus|sonnet|haiku|fable", re.IGNORECASE)
"""A name of a Claude model, however people call it."""

_Count = Annotated[int, Field(gt=0)]


class When(Strict):
    """Conditions on one turn; all that are given must hold, and at least one must be given."""

    client: Literal["claude", "codex"] | None = Field(
        default=None, description="claude or codex", examples=["claude"]
    )
    agent_type: tuple[Text, ...] = Field(
        default=(),
        description="types of subagent, any case, * stands for anything",
        examples=["[Explore, '*review*']"],
    )
    subagent: bool | None = Field(
        default=None, description="whether a subagent made the turn", examples=["true"]
    )
    typed: bool | None = Field(
        default=None, description="whether a subagent's type is on record", examples=["false"]
    )
    asked_by: tuple[Text, ...] = Field(
        default=(), description="who asked, as logged", examples=["[peer, coordinator]"]
    )
    prompt_source: tuple[Text, ...] = Field(
        default=(), description="how the prompt came in, as logged", examples=["[typed]"]
    )
    entrypoint: tuple[Text, ...] = Field(
        default=(), description="how the client was started, as logged", examples=["[sdk-cli]"]
    )
    does: tuple[Act, ...] = Field(
        default=(), description="acts that all occur in the turn", examples=["[edit]"]
    )
    does_any: tuple[Act, ...] = Field(
        default=(), description="acts of which at least one occurs", examples=["[check, run]"]
    )
    does_only: tuple[Act, ...] = Field(
        default=(),
        description="the only acts that occur, one of them at least",
        examples=["[read, note]"],
    )
    does_nothing: Literal[True] | None = Field(
        default=None, description="true: no tool is called", examples=["true"]
    )
    requests_at_most: _Count | None = Field(
        default=None, description="the most requests of the turn", examples=["2"]
    )
    context_below_tokens: _Count | None = Field(
        default=None, description="what its largest prompt stays below", examples=["20000"]
    )

    @model_validator(mode="after")
    def _says_something(self) -> "When":
        if self == type(self).model_construct():
            raise ValueError("has no condition, so that it would claim every turn; add one")
        return self


class WorkRule(Strict):
    """One rule: turns for which ``when`` holds are of this kind, unless an earlier rule did."""

    id: Text = Field(description="a short name; every turn keeps it", examples=["sage-prework"])
    kind: Kind = Field(description="one of the kinds in docs/work-types.md", examples=["editing"])
    when: When = Field(description="the conditions, all of which must hold")
    why: Text = Field(description="the reason, in a sentence", examples=["Drafts have a brief."])


def leaves_claude(route: str) -> bool:
    """Say whether a route names no Claude model, so that its work leaves the Max windows."""
    return bool(route) and not CLAUDE_MODEL.search(route)
