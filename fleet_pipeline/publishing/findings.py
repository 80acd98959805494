"""What the week's figures say: the choice of a sentence, never the sentence and never a figure.

Every finding is one of a closed set of answers, its opposite and a neutral one among them. The
templates hold the words for each answer, so a page whose numbers turn round says so by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from fleet_pipeline.publishing.figures import Record, number, records, text

CODEX_LIMIT_ID: Final = "codex"
WEEK_MINUTES: Final = 10080
FIVE_HOURS_MINUTES: Final = 300
TIGHT_REMAINING_SHARE: Final = 0.10
"""Editorial: with less than a tenth of a window left, the page stops advising to move work in."""
HOT_MULTIPLIER: Final = 1.25
"""Editorial: below it the hottest week is called usual. Chance alone gives 1.12 to 1.35."""

Verdict = Literal[
    "move", "codex_tight", "codex_unknown", "nothing_to_move", "targets_idle", "no_usage"
]
"""``targets_idle``: some agents have a target, and none of them was used."""
Room = Literal["room", "tight", "unknown", "partly_known"]
Mirage = Literal["context_dominates", "context_minor", "unknown"]
Naive = Literal["far_too_low", "close", "unknown"]
HotWeek = Literal["hot", "usual", "none"]
CostDriver = Literal["cache", "share", "unknown"]
Work = Literal["mostly_movable", "mostly_stays", "mostly_unknown", "no_usage"]
Volume = Literal["most_stays", "most_moves", "nothing_moves", "no_usage"]


@dataclass(frozen=True, slots=True)
class Findings:
    """The answers that headings, titles and the bottom line are chosen by."""

    verdict: Verdict
    room: Room
    mirage: Mirage
    naive: Naive
    hot_week: HotWeek
    cost_driver: CostDriver
    volume: Volume
    movers: tuple[str, ...]
    """Display names of the fewest agents that together hold over half of what can move."""
    work: Work
    exceeding: tuple[str, ...]
    """Display names of agents whose target asks for more than may move."""
    unclear: tuple[str, ...]
    """Display names of agents of whom that cannot be told."""
    output_is_lower_bound: bool
    price_known: bool
    cached_price_known: bool
    monthly: bool
    """Costs are for a month; otherwise for the covered days only."""
    covered: bool
    """Every day of the window is covered."""


def find(page: Record) -> Findings:
    """Read the findings off the figures of page.json."""
    costs = "costs.scenarios.expected"
    cost = number(page, f"{costs}.cost_usd_micros")
    naive = number(page, "costs.naive.cost_usd_micros")
    room = codex_room(records(page, "headroom"))
    final_share = number(page, "usage.claude.output_final_share")
    return Findings(
        verdict=_verdict(page, room),
        room=room,
        mirage=_mirage(page),
        naive="unknown" if not cost or naive is None else _naive(naive, cost),
        hot_week=_hot_week(page),
        cost_driver=_cost_driver(page),
        volume=_volume(page),
        movers=_movers(records(page, "agents")),
        work=_work(page),
        exceeding=_with_verdict(page, "exceeds"),
        unclear=_with_verdict(page, "unclear"),
        output_is_lower_bound=final_share is not None and final_share < 1,
        price_known=cost is not None,
        cached_price_known=number(page, f"{costs}.cached_cost_usd_micros") is not None,
        monthly=number(page, "window.monthly_factor") is not None,
        covered=number(page, "window.days_covered") == number(page, "window.days"),
    )


def is_codex(row: Record) -> bool:
    """Say whether a headroom row belongs to Codex itself, not to Spark or another client."""
    return row.get("client") == "codex" and row.get("limit_id") == CODEX_LIMIT_ID


def codex_room(headroom: Sequence[Record]) -> Room:
    """Judge Codex's own windows by their fresh readings; a stale one counts as not known."""
    rows = [row for row in headroom if is_codex(row)]
    known = [share for row in rows if (share := _fresh_share(row)) is not None]
    if not known:
        return "unknown"
    if min(known) < TIGHT_REMAINING_SHARE:
        return "tight"
    return "room" if len(known) == len(rows) else "partly_known"


def _fresh_share(row: Record) -> float | None:
    share = row.get("remaining_share")
    return float(share) if row.get("status") == "fresh" and isinstance(share, int | float) else None


def _verdict(page: Record, room: Room) -> Verdict:
    if not number(page, "usage.claude.requests"):
        return "no_usage"
    if not number(page, "target.tokens"):
        has_target = any(row.get("target_share") for row in records(page, "agents"))
        return "targets_idle" if has_target else "nothing_to_move"
    if room == "tight":
        return "codex_tight"
    return "codex_unknown" if room == "unknown" else "move"


def _mirage(page: Record) -> Mirage:
    rows = {text(row, "class"): row for row in records(page, "costs.mirage")}
    share = rows.get("cache_read", {}).get("share")
    if not isinstance(share, int | float):
        return "unknown"
    return "context_dominates" if share > 0.5 else "context_minor"


def _naive(naive: float, cost: float) -> Naive:
    return "far_too_low" if naive * 2 < cost else "close"


def _hot_week(page: Record) -> HotWeek:
    costs = page.get("costs")
    if not isinstance(costs, dict) or costs.get("hot_week") is None:
        return "none"
    multiplier = number(page, "costs.hot_week.multiplier")
    return "hot" if multiplier is not None and multiplier >= HOT_MULTIPLIER else "usual"


def _cost_driver(page: Record) -> CostDriver:
    """Say which moves the bill more: the cache assumption, or the share that is moved."""
    scenarios = "costs.scenarios"
    full = number(page, f"{scenarios}.expected.cost_usd_micros")
    cached = number(page, f"{scenarios}.expected.cached_cost_usd_micros")
    low = number(page, f"{scenarios}.low.cost_usd_micros")
    high = number(page, f"{scenarios}.high.cost_usd_micros")
    if not full or not cached or not low or not high:
        return "unknown"
    return "cache" if full / cached > high / low else "share"


def _volume(page: Record) -> Volume:
    if not number(page, "usage.claude.full_input_tokens"):
        return "no_usage"
    share = number(page, "target.share")
    if not share:
        return "nothing_moves"
    return "most_moves" if share > 0.5 else "most_stays"


def _work(page: Record) -> Work:
    whole = number(page, "task_mix.full_input_tokens")
    if not whole:
        return "no_usage"
    kinds = {text(row, "kind"): row for row in records(page, "task_mix.kinds")}
    unknown = kinds.get("unknown", {}).get("full_input_tokens")
    if isinstance(unknown, int) and unknown * 2 > whole:
        return "mostly_unknown"
    movable = number(page, "task_mix.movable_tokens") or 0
    return "mostly_movable" if movable * 2 > whole else "mostly_stays"


def _with_verdict(page: Record, verdict: str) -> tuple[str, ...]:
    rows = records(page, "eligible.agents")
    return tuple(
        text(row, "display_name") or text(row, "agent")
        for row in rows
        if row.get("verdict") == verdict
    )


def _movers(agents: Sequence[Record]) -> tuple[str, ...]:
    """Return the fewest agents, largest target first, that hold over half of the target."""
    weighed = [
        (tokens, text(row, "display_name") or text(row, "agent"))
        for row in agents
        if isinstance(tokens := row.get("target_tokens"), int) and tokens > 0
    ]
    weighed.sort(key=lambda item: (-item[0], item[1]))
    total, held, names = sum(tokens for tokens, _ in weighed), 0, []
    for tokens, name in weighed:
        if held * 2 > total:
            break
        held += tokens
        names.append(name)
    return tuple(names)
