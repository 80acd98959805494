"""What a replay is told: where work may go, how much of it, and what is assumed on the way.

Belongs here: the operator's files as plain values for arithmetic. Their shape is in ``org``; what
they lead to is in ``replay``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import floor
from typing import Literal

import polars as pl

from fleet_pipeline.costing.prefix_cache import PromptCache
from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.org import CandidateModel, Org
from fleet_pipeline.org.replay import CacheRules, Subscription

CaseName = Literal["low", "expected", "high"]
CASES: tuple[CaseName, ...] = ("low", "expected", "high")
_NO_CACHE = PromptCache()


@dataclass(frozen=True, slots=True)
class Target:
    """A model that work may go to; limits in tokens, None where none is known.

    Where a ``plan`` pays, no token is billed: its price, if it has one, is that of the same model
    over an API, and what bounds it are the quota windows of ``limits``. ``kinds`` are the kinds of
    work that may go there, None for all that may move.
    """

    model: str
    name: str
    price_provider: str
    price_model: str
    context_tokens: int | None = None
    max_input_tokens: int | None = None
    max_output_tokens: int | None = None
    cache: PromptCache = _NO_CACHE
    plan: bool = False
    limits: tuple[str, ...] = ()
    kinds: frozenset[str] | None = None

    @property
    def priced_as(self) -> tuple[str, str]:
        """The provider and the model under which its price is found."""
        return self.price_provider, self.price_model

    def prompt_limit(self, room: float) -> int | None:
        """Return the largest prompt that fits: ``room`` of the window less the longest output."""
        limits = [self.max_input_tokens] if self.max_input_tokens else []
        if self.context_tokens is not None:
            limits.append(floor(room * (self.context_tokens - (self.max_output_tokens or 0))))
        return min(limits, default=None)


@dataclass(frozen=True, slots=True)
class Case:
    """The assumptions of one case; the field comments of ``org.replay`` say what each is."""

    name: CaseName
    cache_hits: float
    tokens_ratio: float
    output_ratio: float
    retries: float
    escalated: float
    verify_input_tokens: float
    verify_output_tokens: float


@dataclass(frozen=True, slots=True)
class Policy:
    """Which share (0 to 1) of every agent's input may go to the targets, and at what risk.

    To ``subscriptions``, which a plan pays, goes each agent's own share of ``agent_shares``, where
    there are any. ``private_agents`` never move. ``stays_on`` is (provider, model) of the price
    that staying on Claude, verifying and doing again have.
    """

    share: float
    targets: tuple[Target, ...]
    cases: tuple[Case, ...]
    stays_on: tuple[str, str]
    room: float
    packet_tokens: tuple[int, ...]
    private_agents: frozenset[str]
    subscriptions: tuple[Target, ...] = ()
    agent_shares: Mapping[str, float] = field(default_factory=dict)

    @property
    def everywhere(self) -> tuple[Target, ...]:
        """All places that work may go to: those that bill tokens, and those that a plan pays."""
        return (*self.targets, *self.subscriptions)

    def own_share(self, target: Target) -> float | None:
        """Return every agent's share that goes to a target; None where each has its own."""
        return None if target.plan and self.agent_shares else self.share

    def case(self, name: CaseName) -> Case:
        """Return the assumptions of a case."""
        return next(case for case in self.cases if case.name == name)

    def narrowed(self, *, model: str | None = None, share: float | None = None) -> "Policy":
        """Return the same policy with one target only, or another share for every agent.

        Raises ConfigurationError where ``model``, in any case, is no target.
        """

        def is_meant(target: Target) -> bool:
            return model is None or target.model.casefold() == model.casefold()

        if not any(map(is_meant, self.everywhere)):
            known = ", ".join(target.model for target in self.everywhere)
            raise ConfigurationError(f"--model {model}: no candidate of the organisation ({known})")
        return replace(
            self,
            targets=tuple(filter(is_meant, self.targets)),
            subscriptions=tuple(filter(is_meant, self.subscriptions)),
            share=self.share if share is None else share,
            agent_shares=self.agent_shares if share is None else {},
        )


def policy_of(org: Org) -> Policy | None:
    """Return the policy of an organisation's expected share; None where it assumes nothing."""
    if org.replay is None:
        return None
    assumed = dict(org.replay.assumptions)
    return Policy(
        share=next(scenario.share for scenario in org.scenarios if scenario.name == "expected"),
        targets=tuple(target_of(model) for model in org.models),
        cases=tuple(
            Case(name, **{key: float(getattr(value, name)) for key, value in assumed.items()})
            for name in CASES
        ),
        stays_on=_provider_and_model(org.replay.stays_on),
        room=org.replay.room,
        packet_tokens=org.replay.packet_tokens,
        private_agents=frozenset(agent.name for agent in org.agents if agent.privacy == "phi"),
        subscriptions=tuple(lane_of(lane) for lane in org.replay.subscriptions),
        agent_shares={agent.name: float(agent.target_share) for agent in org.agents},
    )


def target_of(model: CandidateModel) -> Target:
    """Return a candidate as a place to go to; without rules of a cache it has none."""
    return Target(
        model=model.id,
        name=model.name,
        price_provider=model.price_provider,
        price_model=model.price_model,
        context_tokens=model.context_tokens,
        max_input_tokens=model.max_input_tokens,
        max_output_tokens=model.max_output_tokens,
        cache=_cache(model.cache),
    )


def lane_of(lane: Subscription) -> Target:
    """Return a subscription as a place to go to."""
    provider, model = _provider_and_model(lane.price_id or "")
    return Target(
        model=lane.id,
        name=lane.name,
        price_provider=provider,
        price_model=model,
        context_tokens=lane.context_tokens,
        max_input_tokens=lane.max_input_tokens,
        max_output_tokens=lane.max_output_tokens,
        cache=_cache(lane.cache),
        plan=True,
        limits=lane.limits,
        kinds=frozenset(lane.kinds),
    )


def _cache(rules: CacheRules | None) -> PromptCache:
    if rules is None:
        return _NO_CACHE
    return PromptCache(rules.kind, rules.ttl_seconds or 0, rules.block_tokens, rules.minimum_tokens)


def limits_table(targets: tuple[Target, ...], room: float) -> pl.DataFrame:
    """Return place, model, context_tokens, prompt_limit_tokens and max_output_tokens of targets."""
    return pl.DataFrame(
        [
            (
                place,
                target.model,
                target.context_tokens,
                target.prompt_limit(room),
                target.max_output_tokens,
            )
            for place, target in enumerate(targets)
        ],
        schema={
            "place": pl.Int64,
            "model": pl.String,
            "context_tokens": pl.Int64,
            "prompt_limit_tokens": pl.Int64,
            "max_output_tokens": pl.Int64,
        },
        orient="row",
    )


def _provider_and_model(price_id: str) -> tuple[str, str]:
    provider, _, model = price_id.partition("/")
    return provider, model
