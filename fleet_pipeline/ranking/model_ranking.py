"""The weekly table ``model_ranking``: every candidate's place, overall and by kind of packets.

A pure function of the probe results, the public observations, the organisation's order and the
week's close: last week's places are computed anew from what was known then, never remembered.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

import polars as pl

from fleet_pipeline.probes.results import SCHEMA as RESULTS
from fleet_pipeline.ranking.evidence import SCOPES, Evidence, evidence
from fleet_pipeline.ranking.observations import SCHEMA as OBSERVED
from fleet_pipeline.ranking.observations import standings
from fleet_pipeline.ranking.pareto import undominated
from fleet_pipeline.ranking.placing import Place, places, reason
from fleet_pipeline.weeks import opening

SCHEMA: Final = pl.Schema(
    {
        "scope": pl.String(),
        "model": pl.String(),
        "rank": pl.Int64(),
        "tier": pl.Int64(),
        "rank_low": pl.Int64(),
        "rank_high": pl.Int64(),
        "curated_rank": pl.Int64(),
        "previous_rank": pl.Int64(),
        "reason": pl.String(),
        "q05": pl.Float64(),
        "posterior_mean": pl.Float64(),
        "q95": pl.Float64(),
        "prior_mean": pl.Float64(),
        "prior_weight": pl.Float64(),
        "n_probes": pl.Int64(),
        "n_passed": pl.Int64(),
        "n_days": pl.Int64(),
        "n_unavailable": pl.Int64(),
        "availability": pl.Float64(),
        "provisional": pl.Boolean(),
        "evidence": pl.String(),
        "cost_usd_per_mtok": pl.Float64(),
        "pareto": pl.Boolean(),
    }
)
"""One row: the place of one candidate in one scope at the week's close."""


def model_ranking(
    curated: Sequence[str],
    results: pl.DataFrame,
    observed: pl.DataFrame,
    as_of: date,
    cost_usd_per_mtok: Mapping[str, float | None],
) -> pl.DataFrame:
    """Return the places of the ``curated`` models, every scope best first.

    ``results`` in the schema of ``probes.results``, ``observed`` in that of ``observations``;
    ``cost_usd_per_mtok``: what a million of the fleet's own tokens costs on each model.
    """
    now, before = (placed(curated, results, observed, day) for day in (as_of, opening(as_of)))
    untouched = placed(curated, pl.DataFrame(schema=RESULTS), pl.DataFrame(schema=OBSERVED), as_of)
    by_hand = {
        scope: {place.evidence.model: place for place in untouched[scope]} for scope in SCOPES
    }
    rows: list[dict[str, object]] = []
    for scope in SCOPES:
        quality = {place.evidence.model: place.evidence.q05 for place in now[scope]}
        best = undominated(quality, cost_usd_per_mtok)
        last = {place.evidence.model: place for place in before[scope]}
        for place in now[scope]:
            why = reason(place, now[scope], last, "last week") or reason(
                place, now[scope], by_hand[scope], "the curated order"
            )
            rows.append(
                {
                    **_row(scope, place),
                    "previous_rank": last[place.evidence.model].rank,
                    "reason": why,
                    "cost_usd_per_mtok": cost_usd_per_mtok.get(place.evidence.model),
                    "pareto": place.evidence.model in best,
                }
            )
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def placed(
    curated: Sequence[str], results: pl.DataFrame, observed: pl.DataFrame, as_of: date
) -> dict[str, list[Place]]:
    """Return the places of all models by what was known at ``as_of``: every scope, best first."""
    known = standings(observed.filter(pl.col("observed_at") < as_of))
    found = evidence(curated, results, known, as_of)
    return {
        scope: places([each for each in found if each.scope == scope], curated) for scope in SCOPES
    }


def _row(scope: str, place: Place) -> dict[str, object]:
    known = place.evidence
    return {
        "scope": scope,
        "model": known.model,
        "rank": place.rank,
        "tier": place.tier,
        "rank_low": place.rank_low,
        "rank_high": place.rank_high,
        "curated_rank": place.curated_rank,
        "q05": known.q05,
        "posterior_mean": known.belief.mean,
        "q95": known.q95,
        "prior_mean": known.prior.mean,
        "prior_weight": known.prior.strength,
        "n_probes": known.n_probes,
        "n_passed": known.n_passed,
        "n_days": known.n_days,
        "n_unavailable": known.n_unavailable,
        "availability": known.availability,
        "provisional": known.is_provisional,
        "evidence": _said(known),
    }


def _said(known: Evidence) -> str:
    basis = "curated order and public benchmarks" if known.has_public else "curated order"
    if known.n_probes:
        return f"{known.n_passed} of {known.n_probes} probes passed on {known.n_days} days"
    if known.n_unavailable:
        return f"{basis}; {known.n_unavailable} probes sent, none answered"
    return f"{basis}, no probes yet"
