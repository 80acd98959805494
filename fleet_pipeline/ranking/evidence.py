"""What is believed of each model's pass rate: probes of the last weeks on top of a capped prior.

Pure. Belongs here: from probe results and public standings to Beta distributions, one for each kind
of packets and model, and one for all kinds together. Placing models by them is in ``placing``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from math import exp, fsum, log
from typing import Final

import polars as pl

from fleet_pipeline.probes.results import UNAVAILABLE
from fleet_pipeline.probes.work_types import WORK_TYPES, WorkType
from fleet_pipeline.ranking.beta import Beta
from fleet_pipeline.ranking.observations import Standing

OVERALL: Final = "overall"
SCOPES: Final = (OVERALL, *WORK_TYPES)

HALF_LIFE_DAYS: Final = 28
"""A probe counts half after four weeks: providers swap models, and old answers say less."""
STRONGEST_PRIOR: Final = 10.0
"""Probes that all prior knowledge of a model may be worth, at most."""
_EVEN: Final = 1.0
"""Pseudo-probes of either outcome that nobody is without: the uniform distribution."""
_POOL: Final = 2.0
"""Pseudo-probes of "as good as the candidates are on the whole"."""
_PUBLIC: Final = STRONGEST_PRIOR - 2 * _EVEN - _POOL
"""Pseudo-probes that public benchmarks may add, at full coverage."""
_SLOPE: Final = 0.5
"""Log-odds for each unit of a public standing: assumed, until enough probes could tell."""

ENOUGH_PROBES: Final = 20
ENOUGH_DAYS: Final = 2
ENOUGH_AVAILABILITY: Final = 0.9


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one model, for one kind of packets or over all (``scope`` "overall")."""

    scope: str
    model: str
    belief: Beta
    prior: Beta
    n_probes: int
    """Graded probes of the present fingerprint, unweighted."""
    n_passed: int
    n_days: int
    n_unavailable: int
    has_public: bool

    @property
    def availability(self) -> float | None:
        """Share of probes that were answered; null where none was sent."""
        asked = self.n_probes + self.n_unavailable
        return self.n_probes / asked if asked else None

    @property
    def is_provisional(self) -> bool:
        """Whether the evidence is too thin: few probes, all on one day, or a flaky provider."""
        return (
            self.n_probes < ENOUGH_PROBES
            or self.n_days < ENOUGH_DAYS
            or (self.availability or 0) < ENOUGH_AVAILABILITY
        )

    @property
    def q05(self) -> float:
        """The pass rate that it exceeds with 95 % probability: what models are placed by."""
        return self.belief.quantile(0.05)

    @property
    def q95(self) -> float:
        """The pass rate that it exceeds with 5 % probability."""
        return self.belief.quantile(0.95)


@dataclass(frozen=True, slots=True)
class _Tally:
    passes: float = 0.0
    failures: float = 0.0
    n_probes: int = 0
    n_passed: int = 0
    days: frozenset[date] = frozenset()
    n_unavailable: int = 0


def evidence(
    models: Sequence[str],
    results: pl.DataFrame,
    standings: Mapping[tuple[WorkType, str], Standing],
    as_of: date,
) -> list[Evidence]:
    """Return what is known at ``as_of`` (00:00 UTC): every scope, each with every model.

    A probe of ``d`` days ago weighs 2^(-d/28). For one kind of packets with pool pass rate ``p``
    (all candidates, (passes + 1) / (probes + 2)) and a model's public standing z, coverage c:

        prior  = Beta(1 + n m, 1 + n (1 - m)),  m = expit(logit(p) + 0.5 z),  n = 2 + 6 c
        belief = Beta(prior + weighted passes, prior + weighted failures)

    so that the prior is worth 10 probes at most and says of a model nobody measured that it may be
    about as good as the others. Overall, the probes of all kinds count alike, on one such prior:
    every model is asked the same packets. Only probes of the model's newest fingerprint count;
    what was not answered is availability.
    """
    known = _weighted(results.filter(pl.col("model").is_in(list(models))), as_of)
    found: list[Evidence] = []
    for scope in SCOPES:
        in_scope = known if scope == OVERALL else known.filter(pl.col("work_type") == scope)
        tallies = _tallies(in_scope)
        passes = fsum(tally.passes for tally in tallies.values())
        failures = fsum(tally.failures for tally in tallies.values())
        pool = (passes + 1) / (passes + failures + 2)
        for model in models:
            tally = tallies.get(model, _Tally())
            standing = _standing(standings, scope, model)
            prior = prior_of(pool, standing)
            found.append(
                Evidence(
                    scope=scope,
                    model=model,
                    belief=Beta(prior.passes + tally.passes, prior.failures + tally.failures),
                    prior=prior,
                    n_probes=tally.n_probes,
                    n_passed=tally.n_passed,
                    n_days=len(tally.days),
                    n_unavailable=tally.n_unavailable,
                    has_public=standing is not None,
                )
            )
    return found


def prior_of(pool: float, standing: Standing | None) -> Beta:
    """Return the prior of a model, given the candidates' pass rate and its public standing."""
    z, coverage = (0.0, 0.0) if standing is None else (standing.z, standing.coverage)
    mean = 1 / (1 + exp(-(log(pool / (1 - pool)) + _SLOPE * z)))
    worth = _POOL + _PUBLIC * coverage
    return Beta(_EVEN + worth * mean, _EVEN + worth * (1 - mean))


def _standing(
    standings: Mapping[tuple[WorkType, str], Standing], scope: str, model: str
) -> Standing | None:
    """Return a model's public standing in a scope; overall, the mean over the kinds."""
    own = [
        found
        for work_type in WORK_TYPES
        if scope in (OVERALL, work_type) and (found := standings.get((work_type, model)))
    ]
    if not own:
        return None
    worth = sum(each.coverage for each in own)
    z = sum(each.z * each.coverage for each in own) / worth
    return Standing(z, worth / (len(WORK_TYPES) if scope == OVERALL else 1))


def _weighted(results: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return what was known, of each model's newest fingerprint, with the weight of its age."""
    close = datetime.combine(as_of, time(), UTC)
    known = results.filter(pl.col("started_at") < close)
    newest = (
        known.filter(pl.col("fingerprint").is_not_null())
        .sort("started_at", "fingerprint")
        .group_by("model", maintain_order=True)
        .agg(pl.col("fingerprint").last().alias("newest"))
    )
    age = (pl.lit(close) - pl.col("started_at")).dt.total_seconds() / 86_400
    return (
        known.join(newest, on="model", how="left", maintain_order="left")
        .filter(pl.col("fingerprint").is_null() | (pl.col("fingerprint") == pl.col("newest")))
        .with_columns(
            weight=(-age / HALF_LIFE_DAYS * log(2)).exp(), day=pl.col("started_at").dt.date()
        )
    )


def _tallies(known: pl.DataFrame) -> dict[str, _Tally]:
    answered = pl.col("outcome") != UNAVAILABLE
    passed = pl.col("outcome") == "pass"
    grouped = known.group_by("model", maintain_order=True).agg(
        passes=pl.col("weight").filter(passed),
        failures=pl.col("weight").filter(answered & ~passed),
        n_probes=answered.sum(),
        n_passed=passed.sum(),
        days=pl.col("day").filter(answered),
        n_unavailable=(~answered).sum(),
    )
    # fsum is exact: what else was asked, and in which order, must not show in the last digit.
    return {
        row["model"]: _Tally(
            passes=fsum(row["passes"]),
            failures=fsum(row["failures"]),
            n_probes=row["n_probes"],
            n_passed=row["n_passed"],
            days=frozenset(row["days"]),
            n_unavailable=row["n_unavailable"],
        )
        for row in grouped.iter_rows(named=True)
    }
