"""How much of each request the prompt cache did not hold: growth, cold starts, and long pauses."""

from collections.abc import Sequence
from dataclasses import dataclass

from fleet_pipeline.demo.apportion import settle

_SYSTEM_PROMPT_TOKENS = 15_000


@dataclass(frozen=True, slots=True)
class Turn:
    """One request as the cache sees it.

    `previous` is the index of the request whose prefix it repeats, None after a cold start or a
    compaction; `lifetimes` is the pause since that request, in lifetimes of its cache entry.
    """

    context_tokens: int
    fresh_tokens: int
    previous: int | None
    lifetimes: float


def unread_tokens(turns: Sequence[Turn], total: int) -> list[int]:
    """Return for each request the tokens that were not read from the cache; they sum to `total`.

    A request sends what its context grew by; a cold start all but the system prompt. Where that
    is less than `total`, the cache had expired in the longest pauses and the context was sent
    again; where it is more, more of the prompt was shared.
    """
    unread = [max(turn.fresh_tokens, _grown(turn, turns)) for turn in turns]
    missing = total - sum(unread)
    longest_first = sorted(range(len(turns)), key=lambda index: (-turns[index].lifetimes, index))
    for index in longest_first:
        if missing <= 0:
            break
        resent = min(missing, turns[index].context_tokens - unread[index])
        unread[index] += resent
        missing -= resent
    return settle(
        unread,
        total,
        floors=[turn.fresh_tokens for turn in turns],
        ceilings=[turn.context_tokens for turn in turns],
    )


def _grown(turn: Turn, turns: Sequence[Turn]) -> int:
    if turn.previous is None:
        return turn.context_tokens - min(_SYSTEM_PROMPT_TOKENS, turn.context_tokens // 2)
    return max(0, turn.context_tokens - turns[turn.previous].context_tokens)
