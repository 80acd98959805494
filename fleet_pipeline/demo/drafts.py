"""The shape of conversations before any volume is known: length, growth, pauses and breaks.

Lengths, growth and pauses follow what was measured on public Claude Code transcripts of 2025-26:
27 requests in a median session, 888 tokens of median growth, 12 s between two requests,
5.5 requests for each human prompt. Sessions of the 1M window are longer: they must fill it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import log
from random import Random

from fleet_pipeline.demo.contexts import Window

_SUBAGENT_SHARE = 0.07
_RESUMED_SHARE = 0.2
_LONGEST_COPY = 60


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a draft: context in tokens (only its rank counts), and what precedes it."""

    context: float
    opens_prompt: bool
    after_compaction: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """One conversation: a main thread or a subagent's run."""

    window: Window
    steps: tuple[Step, ...]
    resumes_previous: bool = False


@dataclass(frozen=True, slots=True)
class DraftSession:
    """A main thread and the subagents it started, each after one of its requests."""

    main: Draft
    subagents: tuple[tuple[int, Draft], ...] = ()


def draft_sessions(rng: Random, *, standard: int, long: int) -> list[DraftSession]:
    """Draw sessions that hold exactly so many requests of the standard and of the long window."""
    delegated = int(standard * _SUBAGENT_SHARE) if standard + long >= 20 else 0
    runs = list(_drafts(rng, "standard", delegated, median=6, sigma=0.85, longest=60))
    mains = [
        *_drafts(rng, "standard", standard - delegated, median=32, sigma=1.2, longest=400),
        *_drafts(rng, "long", long, median=280, sigma=0.7, longest=1_500),
    ]
    rng.shuffle(mains)
    mains = [part for main in mains for part in _perhaps_resumed(rng, main)]
    started: list[list[tuple[int, Draft]]] = [[] for _ in mains]
    for run in runs:
        home = rng.choices(range(len(mains)), [len(main.steps) for main in mains])[0]
        started[home].append((rng.randrange(len(mains[home].steps)), run))
    return [
        DraftSession(main, tuple(sorted(own, key=lambda start: start[0])))
        for main, own in zip(mains, started, strict=True)
    ]


def pause_ms(rng: Random, step: Step, *, opens_session: bool) -> float:
    """Draw the pause before a request, in milliseconds."""
    if opens_session:
        return 1000 * rng.lognormvariate(log(240), 1.4)
    if step.opens_prompt:
        return 1000 * rng.lognormvariate(log(80), 1.4)
    return 1000 * rng.lognormvariate(log(11), 0.8)


def _drafts(
    rng: Random, window: Window, requests: int, *, median: float, sigma: float, longest: int
) -> Iterator[Draft]:
    """Yield conversations until they hold `requests` between them; the last one is cut."""
    while requests > 0:
        length = min(requests, longest, 1 + int(rng.lognormvariate(log(median), sigma)))
        yield Draft(window, tuple(_steps(rng, window, length)))
        requests -= length


def _steps(rng: Random, window: Window, length: int) -> Iterator[Step]:
    """Yield requests whose context grows until the window is compacted."""
    fullest = {"standard": (150_000, 180_000), "long": (840_000, 965_000)}[window]
    growth = log({"standard": 900, "long": 1_200}[window])
    context, limit = rng.uniform(18_000, 45_000), rng.uniform(*fullest)
    prompt_left = 0
    for _ in range(length):
        compacted = context > limit
        if compacted:
            context, limit = rng.uniform(25_000, 60_000), rng.uniform(*fullest)
        opens_prompt = prompt_left == 0
        if opens_prompt:
            prompt_left = 1 + int(rng.lognormvariate(log(4.5), 0.75))
        prompt_left -= 1
        yield Step(context, opens_prompt, compacted)
        context += min(40_000.0, rng.lognormvariate(growth, 1.3))


def _perhaps_resumed(rng: Random, main: Draft) -> list[Draft]:
    """Cut some threads in two: the second resumes the first, and its file copies those lines."""
    if len(main.steps) < 12 or rng.random() >= _RESUMED_SHARE:
        return [main]
    cut = rng.randint(5, min(_LONGEST_COPY, len(main.steps) // 2))
    return [
        Draft(main.window, main.steps[:cut]),
        Draft(main.window, main.steps[cut:], resumes_previous=True),
    ]
