"""The plan of the Claude fleet: every session and request with its tokens, time, model and folder.

Pure: the same arguments give the same plan. Drafts give the shape, the volumes give the amounts,
and both are exact: each agent's classes add up to its share of the reference. Not here: how a
transcript writes it down.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count as numbers
from random import Random

from fleet_pipeline.demo import volumes
from fleet_pipeline.demo.apportion import apportion, settle
from fleet_pipeline.demo.caching import Turn, unread_tokens
from fleet_pipeline.demo.contexts import Window, contexts, long_window_requests
from fleet_pipeline.demo.drafts import DraftSession, Step, draft_sessions, pause_ms
from fleet_pipeline.demo.timetable import requests_by_day, times_ms
from fleet_pipeline.demo.volumes import UNATTRIBUTED, AgentVolume

SONNET, OPUS, HAIKU = "claude-sonnet-4-6", "claude-opus-4-8", "claude-haiku-4-5-20251001"

_AGENTS_ROOT = "/home/fleet/orgs/riles-fleet/agents"
_SCRATCH_ROOT = "/home/fleet/scratch"
_SCRATCH_WORDS = ("spike", "sandbox", "csv-check", "old-site", "demo-prep")
_SUBFOLDERS = ("", "", "", "/notes", "/reports", "/tools")
_WORKTREES = {"forge": ("fix-retries", "ledger-split", "ui-polish"), "mercury": ("hooks-v2",)}
_WORKTREE_SHARE = 0.25
_FIVE_MINUTE_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Request:
    """One billed request: tokens by disjoint class, UTC time in milliseconds since 1970.

    `compacted_tokens` is the context that was compacted just before it, 0 where none was.
    """

    at_ms: int
    input_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    cache_read_tokens: int
    output_tokens: int
    opens_prompt: bool
    compacted_tokens: int


@dataclass(frozen=True, slots=True)
class Thread:
    """Requests that share one growing context; `agent_type` is None on a session's main thread."""

    model: str
    agent_type: str | None
    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True)
class Session:
    """One transcript file and its subagents, each started by the main request of that index.

    A session that resumes the previous one opens its file with a copy of that one's lines.
    """

    agent: str
    cwd: str
    git_branch: str
    main: Thread
    subagents: tuple[tuple[int, Thread], ...]
    resumes_previous: bool


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a draft request stands in its agent's order; `previous` is its predecessor's place."""

    thread: int
    window: Window
    step: Step
    previous: int | None
    opens_session: bool
    five_minute_cache: bool


@dataclass(frozen=True, slots=True)
class _Outline:
    """One agent's conversations in order, with contexts but without times."""

    volume: AgentVolume
    rng: Random
    drafts: list[DraftSession]
    places: list[_Place]
    contexts: list[int]

    def scaled(self, reference_tokens: int) -> int:
        """Return the agent's part of a reference total, at this demo's number of requests."""
        return round(reference_tokens * len(self.places) / self.volume.requests)


def plan_sessions(requests: int, *, as_of: date, seed: str) -> list[Session]:
    """Plan `requests` Claude requests in the 30 whole UTC days before `as_of`, agent by agent."""
    outlines = [
        _outline(volume, count, Random(f"{seed}/{volume.agent}"))
        for volume, count in zip(volumes.VOLUMES, _requests_by_agent(requests), strict=True)
        if count
    ]
    by_day = requests_by_day(
        Random(f"{seed}/days"),
        as_of,
        [outline.contexts for outline in outlines],
        volumes.HOT_WEEK_MULTIPLIER,
    )
    return [
        session
        for outline, days in zip(outlines, by_day, strict=True)
        for session in _sessions(outline, _threads(outline, days, as_of))
    ]


def _requests_by_agent(requests: int) -> list[int]:
    """Share the requests out; nobody goes without once there are 30."""
    counts = apportion(requests, [volume.requests for volume in volumes.VOLUMES])
    while requests >= 30 and 0 in counts:
        counts[counts.index(0)] += 1
        counts[counts.index(max(counts))] -= 1
    return counts


def _outline(volume: AgentVolume, count: int, rng: Random) -> _Outline:
    """Draw an agent's conversations and give each request its context."""
    long = long_window_requests(volume.requests, volume.full_input_tokens)
    long = round(long * count / volume.requests)
    drafts = draft_sessions(rng, standard=count - long, long=long)
    places = _places(drafts, rng)
    tokens = contexts(
        [place.step.context for place in places],
        [place.window for place in places],
        round(volume.full_input_tokens * count / volume.requests),
    )
    return _Outline(volume, rng, drafts, places, tokens)


def _places(drafts: Sequence[DraftSession], rng: Random) -> list[_Place]:
    """Put requests in the order they are made: a subagent's run follows the request behind it."""
    places: list[_Place] = []
    numbered = numbers()
    last_of_main: int | None = None
    five_minute_cache = False
    for draft in drafts:
        if not draft.main.resumes_previous:
            last_of_main = None
            five_minute_cache = rng.random() < _FIVE_MINUTE_SHARE
        main_thread = next(numbered)
        runs = defaultdict(list)
        for start, run in draft.subagents:
            runs[start].append((next(numbered), run))
        for index, step in enumerate(draft.main.steps):
            places.append(
                _Place(
                    main_thread,
                    draft.main.window,
                    step,
                    last_of_main,
                    opens_session=index == 0,
                    five_minute_cache=five_minute_cache,
                )
            )
            last_of_main = len(places) - 1
            for thread, run in runs[index]:
                for own, run_step in enumerate(run.steps):
                    before = len(places) - 1 if own else None
                    places.append(_Place(thread, run.window, run_step, before, False, True))
    return places


def _threads(outline: _Outline, counts_by_day: Sequence[int], as_of: date) -> list[list[Request]]:
    """Return each thread's finished requests, once it is known how many fall on each day."""
    rng, places, context = outline.rng, outline.places, outline.contexts
    pauses = [pause_ms(rng, place.step, opens_session=place.opens_session) for place in places]
    at_ms = times_ms(rng, pauses, counts_by_day, as_of)
    per_request = outline.volume.requests / volumes.REQUESTS
    fresh_total = outline.scaled(round(volumes.FRESH_INPUT_TOKENS * per_request))
    half = [tokens // 2 for tokens in context]
    pasted = apportion(fresh_total, [_fresh_weight(rng) for _ in places])
    fresh = settle(
        [min(own, most) for own, most in zip(pasted, half, strict=True)],
        fresh_total,
        floors=[0] * len(half),
        ceilings=half,
    )
    output = apportion(
        outline.scaled(round(volumes.OUTPUT_TOKENS * per_request)),
        [min(60.0, rng.lognormvariate(0.0, 1.25)) for _ in places],
        minimum=1,
    )
    unread = unread_tokens(
        [
            Turn(
                tokens,
                own_fresh,
                None if place.step.after_compaction else place.previous,
                _lifetimes(place, own_ms, at_ms),
            )
            for place, tokens, own_fresh, own_ms in zip(places, context, fresh, at_ms, strict=True)
        ],
        outline.scaled(outline.volume.full_input_tokens - outline.volume.cache_read_tokens),
    )
    threads: list[list[Request]] = [[] for _ in range(max(place.thread for place in places) + 1)]
    for index, place in enumerate(places):
        written = unread[index] - fresh[index]
        short_lived = written if place.five_minute_cache else _mixed_part(rng, written)
        compacted = place.step.after_compaction and place.previous is not None
        threads[place.thread].append(
            Request(
                at_ms[index],
                fresh[index],
                short_lived,
                written - short_lived,
                context[index] - unread[index],
                output[index],
                opens_prompt=place.step.opens_prompt,
                compacted_tokens=context[place.previous or 0] if compacted else 0,
            )
        )
    return threads


def _sessions(outline: _Outline, threads: Sequence[list[Request]]) -> Iterator[Session]:
    """Give the threads their folders and models; a resumed session stays where it was."""
    rng, agent = outline.rng, outline.volume.agent
    remaining = iter(threads)
    cwd, branch, model = "", "", ""
    for draft in outline.drafts:
        if not draft.main.resumes_previous:
            cwd, branch = _workplace(rng, agent)
            model = rng.choices((SONNET, OPUS), (0.72, 0.28))[0]
        main = Thread(model, None, tuple(next(remaining)))
        subagents = []
        for start, _ in draft.subagents:
            agent_type, own_model = rng.choices(
                (("Explore", HAIKU), ("general-purpose", SONNET), ("Plan", model)), (6, 3, 1)
            )[0]
            subagents.append((start, Thread(own_model, agent_type, tuple(next(remaining)))))
        resumes = draft.main.resumes_previous
        yield Session(agent, cwd, branch, main, tuple(subagents), resumes)


def _workplace(rng: Random, agent: str) -> tuple[str, str]:
    """Choose a session's working directory and branch."""
    if agent == UNATTRIBUTED:
        return f"{_SCRATCH_ROOT}/{rng.choice(_SCRATCH_WORDS)}", ""
    home = f"{_AGENTS_ROOT}/{agent}"
    if agent in _WORKTREES and rng.random() < _WORKTREE_SHARE:
        worktree = rng.choice(_WORKTREES[agent])
        return f"{home}/.worktrees/{worktree}", worktree
    return home + rng.choice(_SUBFOLDERS), "main"


def _fresh_weight(rng: Random) -> float:
    """Draw the uncached part of a request: a few tokens, and now and then a whole paste."""
    return (
        min(12_000.0, rng.lognormvariate(8.4, 0.7)) if rng.random() < 0.035 else rng.randint(2, 9)
    )


def _lifetimes(place: _Place, at_ms: int, times: Sequence[int]) -> float:
    """Return the pause since the thread's previous request, in lifetimes of its cache."""
    if place.previous is None:
        return 0.0
    return (at_ms - times[place.previous]) / (300_000 if place.five_minute_cache else 3_600_000)


def _mixed_part(rng: Random, written: int) -> int:
    """Return how much of a one-hour session's cache write is kept for five minutes only."""
    return written // 3 if rng.random() < 0.15 else 0
