"""Stage 4b: what probes and public benchmarks say of the candidates, and the order that follows."""

from datetime import UTC, datetime

import dagster as dg
import polars as pl

from assets.partitions import close_of
from assets.resources import Fleet
from assets.tables import shown, weekly, weekly_check
from fleet_pipeline import costing, past_weeks, pricing, probes, quality, ranking
from fleet_pipeline.probes import running
from fleet_pipeline.weeks import window

GROUP = "ranking"


@dg.op
def send_probes(context: dg.OpExecutionContext, fleet: Fleet) -> None:
    """Asks candidates the probes that are due and keeps the grades; says why one is not asked.

    No asset: what sends packets and may cost money is not made along with all that is made.
    """
    settings = fleet.settings()
    made = running.probe(
        settings.home, settings.organisation(), settings.environment, lambda: datetime.now(UTC)
    )
    for line in made.lines():
        context.log.info(line)


@dg.job(description="Asks the probes that are due, on lanes that the organisation allows.")
def daily_probes_job() -> None:
    """One run of probes."""
    send_probes()


@weekly(GROUP)
def probe_results(context: dg.AssetExecutionContext, fleet: Fleet) -> pl.DataFrame:
    """Probes that were sent by the week's close and what became of each; never an answer."""
    return probes.read(fleet.settings().home, close_of(context))


@weekly(GROUP, deps=("organisation",))
def quality_observations(context: dg.AssetExecutionContext, fleet: Fleet) -> pl.DataFrame:
    """Candidates' scores on public benchmarks that were out by the week's close, with sources."""
    org = fleet.settings().organisation()
    return ranking.quality_observations([model.id for model in org.models], close_of(context))


@weekly(GROUP, deps=("organisation", "price_list", "price_snapshots"))
def model_ranking(
    context: dg.AssetExecutionContext,
    fleet: Fleet,
    probe_results: pl.DataFrame,
    quality_observations: pl.DataFrame,
    requests: pl.DataFrame,
) -> pl.DataFrame:
    """Candidates in order of quality at the week's close, overall and by kind of packets.

    Beta posteriors of probes on a capped prior, placed by their 5 % quantile; see docs/ranking.md.
    """
    settings, (start, close) = fleet.settings(), window(close_of(context))
    org, book = settings.organisation(), pricing.price_book(settings.home, close)
    return ranking.model_ranking(
        [model.id for model in org.models],
        probe_results,
        quality_observations,
        close,
        costing.cost_at_own_mix(requests, org, window_start=start, window_end=close, book=book),
    )


@weekly(GROUP, deps=("organisation",))
def rank_history(
    context: dg.AssetExecutionContext,
    fleet: Fleet,
    probe_results: pl.DataFrame,
    quality_observations: pl.DataFrame,
) -> pl.DataFrame:
    """Candidates' places at each of the last eight closes, by what was known then."""
    return ranking.rank_history(
        [model.id for model in fleet.settings().organisation().models],
        probe_results,
        quality_observations,
        past_weeks.closes(close_of(context)),
    )


@weekly_check(model_ranking, blocking=True)
def ranking_is_complete(fleet: Fleet, model_ranking: pl.DataFrame) -> dg.AssetCheckResult:
    """Every candidate is ranked: one that is missing would look like one that was left out."""
    candidates = [model.id for model in fleet.settings().organisation().models]
    return shown(quality.ranking_is_complete(model_ranking, candidates))


assets: list[dg.AssetsDefinition] = [
    probe_results,
    quality_observations,
    model_ranking,
    rank_history,
]
checks = [ranking_is_complete]
