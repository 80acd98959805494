"""The plan of the Codex fleet beside it: rollouts, requests and what each reply said of the quotas.

Pure, like the plan of the Claude fleet. General requests spend the `codex` windows; Spark
requests are reported against both. The last readings are the reference page's: 72 % of the
five-hour and 83 % of the weekly window remaining.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import log
from random import Random

from fleet_pipeline.demo import volumes
from fleet_pipeline.demo.apportion import apportion
from fleet_pipeline.demo.timetable import DAY_MS, day_weights, midnight_ms, times_ms

GENERAL, SPARK = "gpt-5.5", "gpt-5.3-codex-spark"
FIVE_HOURS, WEEKLY = 300, 10_080
"""Lengths of the two windows of every limit, in minutes."""

_AGENTS = {"forge": 0.5, "analyst": 0.25, "mercury": 0.25}
_SPARK_SHARE = 0.3
_MINUTE_MS = 60_000
_LAST_GENERAL_BEFORE = 41 * _MINUTE_MS
_LAST_SPARK_BEFORE = 68 * _MINUTE_MS
_OPEN_AGAIN_AFTER = {FIVE_HOURS: 92 * _MINUTE_MS, WEEKLY: 6_312 * _MINUTE_MS}
"""How long after `as_of` the last windows open again."""
_CONTEXT_LIMITS = {GENERAL: 230_000, SPARK: 95_000}
_CACHE_BLOCK_TOKENS = 128
_OUTPUT_MEDIAN_TOKENS = 226


@dataclass(frozen=True, slots=True)
class Limit:
    """One of the account's limits, as rate limit snapshots name it."""

    limit_id: str
    limit_name: str | None


GENERAL_LIMIT = Limit("codex", None)
SPARK_LIMIT = Limit("codex_bengalfox", "GPT-5.3-Codex-Spark")


@dataclass(frozen=True, slots=True)
class Window:
    """State of one window: per cent used, and when it opens again (seconds since 1970)."""

    minutes: int
    used_percent: float
    resets_at: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one reply said of one limit, at a time in milliseconds since 1970."""

    at_ms: int
    limit: Limit
    windows: tuple[Window, Window]


@dataclass(frozen=True, slots=True)
class CodexRequest:
    """One billed request; as in the rollout, input includes cached, output includes reasoning."""

    at_ms: int
    opens_turn: bool
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    reasoning_tokens: int
    snapshots: tuple[Snapshot, ...]


@dataclass(frozen=True, slots=True)
class Rollout:
    """One session file of Codex."""

    agent: str
    cwd: str
    model: str
    effort: str
    requests: tuple[CodexRequest, ...]


@dataclass(frozen=True, slots=True)
class _Meter:
    """A limit over the month: every request takes as much of a window as in the last window.

    `moments_ms` are the times of the requests that spend it, sorted; `used_percent` and
    `closes_ms` tell, by length in minutes, how full the last window is and when it ends.
    """

    limit: Limit
    moments_ms: Sequence[int]
    used_percent: Mapping[int, float]
    closes_ms: Mapping[int, int]

    def at(self, at_ms: int, delay_ms: int) -> Snapshot:
        """Read the meter at a request's time; the reading is written `delay_ms` later."""
        windows = (self._window(at_ms, FIVE_HOURS), self._window(at_ms, WEEKLY))
        return Snapshot(at_ms + delay_ms, self.limit, windows)

    def _window(self, at_ms: int, minutes: int) -> Window:
        length_ms = minutes * _MINUTE_MS
        last_closes = self.closes_ms[minutes]
        closes = last_closes - (last_closes - at_ms) // length_ms * length_ms
        in_last = len(self.moments_ms) - bisect_left(self.moments_ms, last_closes - length_ms)
        spent = bisect_right(self.moments_ms, at_ms)
        spent -= bisect_left(self.moments_ms, closes - length_ms)
        used = min(97.0, round(self.used_percent[minutes] * spent / in_last, 1))
        return Window(minutes, used, closes // 1000)


@dataclass(frozen=True, slots=True)
class _Draft:
    agent: str
    model: str
    times_ms: list[int]


def plan_rollouts(requests: int, *, as_of: date, seed: str) -> list[Rollout]:
    """Plan the Codex requests that belong to a demo of `requests` Claude requests.

    There are always at least six, so that both kinds of model and both limits are there.
    """
    count = max(6, round(volumes.CODEX_REQUESTS * requests / volumes.REQUESTS))
    rng = Random(f"{seed}/codex")
    drafts = [
        draft
        for agent, share in zip(_AGENTS, apportion(count, list(_AGENTS.values())), strict=True)
        for draft in _drafts(rng, agent, share, as_of)
    ]
    spark = [draft for draft in drafts if draft.model == SPARK]
    general_meter = _meter(GENERAL_LIMIT, drafts, volumes.CODEX_GENERAL_USED_PERCENT, as_of)
    spark_meter = _meter(SPARK_LIMIT, spark, volumes.CODEX_SPARK_USED_PERCENT, as_of)
    meters = {GENERAL: (general_meter,), SPARK: (general_meter, spark_meter)}
    return [
        Rollout(
            draft.agent,
            f"/home/fleet/orgs/riles-fleet/agents/{draft.agent}",
            draft.model,
            "low" if draft.model == SPARK else rng.choice(("medium", "medium", "high")),
            tuple(_requests(rng, draft, meters[draft.model])),
        )
        for draft in drafts
    ]


def _drafts(rng: Random, agent: str, count: int, as_of: date) -> list[_Draft]:
    """Cut one agent's requests into sessions; the last of forge and mercury end the month."""
    by_day = apportion(count, day_weights(rng, as_of, hot=1.3))
    pauses = [1000 * rng.lognormvariate(log(15), 1.0) for _ in range(count)]
    at_ms = times_ms(rng, pauses, by_day, as_of)
    drafts = []
    while at_ms:
        length = min(len(at_ms), 1 + int(rng.lognormvariate(log(22), 0.8)))
        same_day = [at for at in at_ms[:length] if at // DAY_MS == at_ms[0] // DAY_MS]
        model = SPARK if rng.random() < _SPARK_SHARE else GENERAL
        drafts.append(_Draft(agent, model, same_day))
        at_ms = at_ms[len(same_day) :]
    closing = {
        "forge": (GENERAL, _LAST_GENERAL_BEFORE),
        "mercury": (SPARK, _LAST_SPARK_BEFORE),
    }.get(agent)
    if closing:
        model, before_ms = closing
        last = drafts.pop()
        late_ms = midnight_ms(as_of) - before_ms - last.times_ms[-1]
        drafts.append(_Draft(agent, model, [at + late_ms for at in last.times_ms]))
    return drafts


def _requests(rng: Random, draft: _Draft, meters: Sequence["_Meter"]) -> list[CodexRequest]:
    """Give a session's requests their tokens: contexts grow, are mostly cached, and compacted."""
    requests = []
    context, cached = rng.randint(11_000, 19_000), 0
    turn_left = 0
    for at_ms in draft.times_ms:
        opens_turn = turn_left == 0
        turn_left = rng.randint(2, 9) if opens_turn else turn_left - 1
        if rng.random() < 0.06:
            cached = 0
        output = max(8, int(rng.lognormvariate(log(_OUTPUT_MEDIAN_TOKENS), 1.0)))
        requests.append(
            CodexRequest(
                at_ms,
                opens_turn,
                context,
                cached,
                output,
                int(output * rng.uniform(0.1, 0.65)),
                tuple(meter.at(at_ms, later) for later, meter in enumerate(meters)),
            )
        )
        cached = context // _CACHE_BLOCK_TOKENS * _CACHE_BLOCK_TOKENS
        context += output + int(rng.lognormvariate(log(1_800), 1.0))
        if context > _CONTEXT_LIMITS[draft.model]:
            context, cached = rng.randint(14_000, 24_000), 0
    return requests


def _meter(
    limit: Limit, drafts: Sequence[_Draft], used_percent: Mapping[int, float], as_of: date
) -> _Meter:
    """Set up the meter that all requests of these drafts spend."""
    moments = sorted(at_ms for draft in drafts for at_ms in draft.times_ms)
    end = midnight_ms(as_of)
    return _Meter(
        limit,
        moments,
        used_percent,
        {minutes: end + after for minutes, after in _OPEN_AGAIN_AFTER.items()},
    )
