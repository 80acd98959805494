"""From what is believed of models to their places: tiers that differ, curated order within a tier.

Pure. Belongs here: places and the reasons for each change of place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fleet_pipeline.ranking.beta import probability_above
from fleet_pipeline.ranking.evidence import Evidence

SURE: Final = 0.9
"""How probably one model must be better than another before they stand in different tiers."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a model stands in one scope; places count from 1."""

    evidence: Evidence
    rank: int
    tier: int
    rank_low: int
    """Best place of its tier: within a tier no order is claimed."""
    rank_high: int
    curated_rank: int


def places(evidence: Sequence[Evidence], curated: Sequence[str]) -> list[Place]:
    """Return the places of one scope's models, best first.

    Models come by the 5 % quantile of their pass rate. A tier begins with the best of those left
    and takes in each that follows, until one is worse than its first with probability 0.9 or more.
    Within a tier the curated order holds: what evidence does not tell apart, it does not reorder.
    """
    curated_rank = {model: place for place, model in enumerate(curated, start=1)}
    by_quality = sorted(evidence, key=lambda each: (-round(each.q05, 12), curated_rank[each.model]))
    tiers: list[list[Evidence]] = []
    for each in by_quality:
        if not tiers or probability_above(tiers[-1][0].belief, each.belief) >= SURE:
            tiers.append([])
        tiers[-1].append(each)
    placed: list[Place] = []
    for number, tier in enumerate(tiers, start=1):
        first = len(placed) + 1
        tier.sort(key=lambda each: curated_rank[each.model])
        placed += [
            Place(each, rank, number, first, first + len(tier) - 1, curated_rank[each.model])
            for rank, each in enumerate(tier, start=first)
        ]
    return placed


def reason(
    place: Place, now: Sequence[Place], before: Mapping[str, Place], before_word: str
) -> str | None:
    """Return why a model changed its place since ``before``; null where it did not.

    ``before_word`` names what it is compared with ("last week", "the curated order").
    """
    model = place.evidence.model
    was = before[model]
    if was.rank == place.rank:
        return None
    moved = "up" if place.rank < was.rank else "down"
    ranks = {each.evidence.model: each for each in now}
    passed = [
        other
        for name, other in ranks.items()
        if (before[name].rank < was.rank) != (other.rank < place.rank) and name != model
    ]
    said = [
        f"{moved} from {was.rank} to {place.rank} against {before_word}",
        _own(place.evidence, was.evidence),
    ]
    if passed:
        # The one that the evidence tells apart best is the reason; others follow from the tiers.
        chances = [
            (probability_above(place.evidence.belief, other.evidence.belief), other)
            for other in passed
        ]
        clearest = max(chances, key=lambda pair: (abs(pair[0] - 0.5), -pair[1].curated_rank))
        chance, other = clearest
        better = "better" if chance >= 0.5 else "worse"
        sure = max(chance, 1 - chance)
        said.append(f"{better} than {other.evidence.model} with probability {sure:.2f}")
    return "; ".join(part for part in said if part)


def _own(now: Evidence, before: Evidence) -> str:
    more = now.n_probes - before.n_probes
    quantiles = f"5% quantile {before.q05:.2f} to {now.q05:.2f}"
    if more > 0:
        passed = now.n_passed - before.n_passed
        return f"{more} more probes, {passed} passed; {quantiles}"
    if more < 0:
        return f"another model answers under its name, earlier probes no longer count; {quantiles}"
    return quantiles
