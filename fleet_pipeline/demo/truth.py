"""What the demo fleet truly used, told from its plan: the sum that any reader must arrive at."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime
from operator import attrgetter
from typing import Literal

from fleet_pipeline.demo.codex import Rollout, Snapshot
from fleet_pipeline.demo.sessions import Session
from fleet_pipeline.demo.timetable import first_day, utc_text

Client = Literal["claude", "codex"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Requests and their tokens by disjoint class; reasoning is a part of output."""

    requests: int = 0
    input_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    cache_read_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0

    @property
    def full_input_tokens(self) -> int:
        """Everything that was sent: fresh input, cache writes and cache reads."""
        return (
            self.input_tokens
            + self.cache_write_5m_tokens
            + self.cache_write_1h_tokens
            + self.cache_read_tokens
        )

    @property
    def cache_read_share(self) -> float:
        """Cache reads as a share of the full input, 0 where nothing was sent."""
        return self.cache_read_tokens / self.full_input_tokens if self.full_input_tokens else 0.0


@dataclass(frozen=True, slots=True)
class Cell:
    """Usage of one client, agent, UTC day and model."""

    client: Client
    agent: str
    date: date
    model: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class AgentTotal:
    """Usage of one client and agent over the window."""

    client: Client
    agent: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class ContextProfile:
    """Exact quantiles of the context per request, in tokens, interpolated between neighbours."""

    p50: float
    p90: float
    p99: float


@dataclass(frozen=True, slots=True)
class QuotaReading:
    """The last reading of one window of one Codex limit; times are UTC."""

    limit_id: str
    limit_name: str | None
    window_minutes: int
    used_percent: float
    read_at: str
    resets_at: str


@dataclass(frozen=True, slots=True)
class Traps:
    """Lines that a reader must see through: none of them is a request of its own."""

    copied_requests: int
    placeholder_lines: int
    synthetic_lines: int
    broken_lines: int
    truncated_last_lines: int


@dataclass(frozen=True, slots=True)
class DemoTruth:
    """The true totals of one demo fleet; `truth.json` holds the same."""

    as_of: date
    seed: int
    claude: Usage
    codex: Usage
    claude_context: ContextProfile
    codex_context: ContextProfile
    agents: tuple[AgentTotal, ...]
    cells: tuple[Cell, ...]
    quota: tuple[QuotaReading, ...]
    traps: Traps

    def as_json(self) -> dict[str, object]:
        """Return the plain values that `truth.json` holds."""
        return {
            "schema_version": 1,
            "as_of": self.as_of.isoformat(),
            "seed": self.seed,
            "window": {"start": first_day(self.as_of).isoformat(), "end": self.as_of.isoformat()},
            "usage": {
                "claude": _plain(self.claude) | _quantiles(self.claude_context),
                "codex": _plain(self.codex) | _quantiles(self.codex_context),
            },
            "agents": [
                {"client": total.client, "agent": total.agent} | _plain(total.usage)
                for total in self.agents
            ],
            "cells": [
                {
                    "client": cell.client,
                    "agent": cell.agent,
                    "date": cell.date.isoformat(),
                    "model": cell.model,
                }
                | _plain(cell.usage)
                for cell in self.cells
            ],
            "quota": [asdict(reading) for reading in self.quota],
            "traps": asdict(self.traps),
        }


@dataclass(frozen=True, slots=True)
class _Billed:
    """One request of either client, ready to be added up."""

    cell: tuple[Client, str, date, str]
    usage: Usage


def tell_truth(
    sessions: Sequence[Session],
    rollouts: Sequence[Rollout],
    *,
    as_of: date,
    seed: int,
    traps: Traps,
) -> DemoTruth:
    """Add up the plan: each request once, on the UTC day of its first line."""
    by_cell: dict[tuple[Client, str, date, str], list[Usage]] = defaultdict(list)
    for billed in (*_claude(sessions), *_codex(rollouts)):
        by_cell[billed.cell].append(billed.usage)
    cells = tuple(Cell(*key, _sum(by_cell[key])) for key in sorted(by_cell))
    by_agent: dict[tuple[Client, str], list[Usage]] = defaultdict(list)
    for cell in cells:
        by_agent[cell.client, cell.agent].append(cell.usage)

    def context(client: Client) -> ContextProfile:
        return _profile(
            usage.full_input_tokens
            for key, usages in by_cell.items()
            if key[0] == client
            for usage in usages
        )

    return DemoTruth(
        as_of=as_of,
        seed=seed,
        claude=_sum(cell.usage for cell in cells if cell.client == "claude"),
        codex=_sum(cell.usage for cell in cells if cell.client == "codex"),
        claude_context=context("claude"),
        codex_context=context("codex"),
        agents=tuple(AgentTotal(*key, _sum(usages)) for key, usages in sorted(by_agent.items())),
        cells=cells,
        quota=_last_readings(rollouts),
        traps=traps,
    )


def _claude(sessions: Sequence[Session]) -> Iterator[_Billed]:
    for session in sessions:
        for thread in (session.main, *(run for _, run in session.subagents)):
            for request in thread.requests:
                yield _Billed(
                    ("claude", session.agent, _day(request.at_ms), thread.model),
                    Usage(
                        1,
                        request.input_tokens,
                        request.cache_write_5m_tokens,
                        request.cache_write_1h_tokens,
                        request.cache_read_tokens,
                        request.output_tokens,
                    ),
                )


def _codex(rollouts: Sequence[Rollout]) -> Iterator[_Billed]:
    for rollout in rollouts:
        for request in rollout.requests:
            yield _Billed(
                ("codex", rollout.agent, _day(request.at_ms), rollout.model),
                Usage(
                    requests=1,
                    input_tokens=request.input_tokens - request.cached_input_tokens,
                    cache_read_tokens=request.cached_input_tokens,
                    output_tokens=request.output_tokens,
                    reasoning_tokens=request.reasoning_tokens,
                ),
            )


def _last_readings(rollouts: Sequence[Rollout]) -> tuple[QuotaReading, ...]:
    """Keep the newest snapshot of each limit, in the order of limit and window length."""
    last: dict[str, Snapshot] = {}
    for rollout in rollouts:
        for request in rollout.requests:
            for snapshot in request.snapshots:
                known = last.get(snapshot.limit.limit_id)
                if known is None or known.at_ms <= snapshot.at_ms:
                    last[snapshot.limit.limit_id] = snapshot
    return tuple(
        QuotaReading(
            limit_id,
            snapshot.limit.limit_name,
            window.minutes,
            window.used_percent,
            utc_text(snapshot.at_ms),
            utc_text(window.resets_at * 1000),
        )
        for limit_id, snapshot in sorted(last.items())
        for window in snapshot.windows
    )


_CLASSES = attrgetter(*(field.name for field in fields(Usage)))


def _sum(usages: Iterable[Usage]) -> Usage:
    columns = zip(*(_CLASSES(usage) for usage in usages), strict=True)
    return Usage(*(sum(column) for column in columns))


def _profile(contexts: Iterable[int]) -> ContextProfile:
    ordered = sorted(contexts)

    def quantile(share: float) -> float:
        position = share * (len(ordered) - 1)
        lower = int(position)
        upper = min(lower + 1, len(ordered) - 1)
        return ordered[lower] + (position - lower) * (ordered[upper] - ordered[lower])

    return ContextProfile(quantile(0.5), quantile(0.9), quantile(0.99))


def _day(at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms // 1000, UTC).date()


def _plain(usage: Usage) -> dict[str, object]:
    return asdict(usage) | {
        "full_input_tokens": usage.full_input_tokens,
        "cache_read_share": usage.cache_read_share,
    }


def _quantiles(profile: ContextProfile) -> dict[str, object]:
    return {f"context_{name}": value for name, value in asdict(profile).items()}
