"""What public benchmarks say of models: figures of published tables, entered by hand and dated.

Belongs here: reading ``data/observations.yaml`` and the table of it. Nothing is asked over the
network: a figure is in the file because somebody read it in the table that its row names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from statistics import NormalDist
from typing import Final

import polars as pl
import yaml
from pydantic import Field

from fleet_pipeline.org.strict import Strict, Text
from fleet_pipeline.probes.work_types import WORK_TYPES, WorkType

SCHEMA: Final = pl.Schema(
    {
        "benchmark": pl.String(),
        "model": pl.String(),
        "variant": pl.String(),
        "work_type": pl.String(),
        "weight": pl.Float64(),
        "metric": pl.String(),
        "score": pl.Float64(),
        "n": pl.Int64(),
        "higher_is_better": pl.Boolean(),
        "source": pl.String(),
        "observed_at": pl.Date(),
        "harness": pl.String(),
        "reported_by": pl.String(),
        "licence": pl.String(),
    }
)
"""One row: one score of one model and variant, for one kind of packets it says something about."""


class _Score(Strict):
    model: Text
    variant: Text
    score: float
    n: int | None = None
    source: Text | None = None
    """Of this row, where it is not that of the benchmark; likewise the day."""
    observed_at: date | None = None


class _Benchmark(Strict):
    benchmark: Text
    metric: Text
    higher_is_better: bool
    source: Text
    observed_at: date
    harness: Text
    reported_by: Text
    licence: Text
    work_types: dict[WorkType, float] = Field(min_length=1)
    scores: list[_Score] = Field(min_length=1)


class _File(Strict):
    benchmarks: list[_Benchmark]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a model did among the candidates, for one kind of packets.

    ``z``: weighted mean of the normal scores of its ranks; ``coverage``: the weight behind it, at
    most 1.
    """

    z: float
    coverage: float


@cache
def shipped() -> pl.DataFrame:
    """Return every observation that ships with the package."""
    text = files("fleet_pipeline.ranking").joinpath("data", "observations.yaml").read_text("utf-8")
    return observations(_File.model_validate(yaml.safe_load(text)).benchmarks)


def observations(benchmarks: Sequence[_Benchmark]) -> pl.DataFrame:
    """Return benchmarks as rows, in order of benchmark, metric, kind of packets, model, variant."""
    rows = [
        {
            "n": None,
            **benchmark.model_dump(exclude={"work_types", "scores"}),
            **score.model_dump(exclude_none=True),
            "work_type": work_type,
            "weight": weight,
        }
        for benchmark in benchmarks
        for work_type, weight in benchmark.work_types.items()
        for score in benchmark.scores
    ]
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return frame.sort("benchmark", "metric", "work_type", "model", "variant")


def quality_observations(models: Sequence[str], as_of: date) -> pl.DataFrame:
    """Return what was published of ``models`` before ``as_of``."""
    return shipped().filter(pl.col("model").is_in(list(models)), pl.col("observed_at") < as_of)


def standings(observed: pl.DataFrame) -> Mapping[tuple[WorkType, str], Standing]:
    """Return the standing of each model that was observed, by kind of packets and model.

    Normal scores by Blom's formula, z = Phi^-1((r - 3/8) / (n + 1/4)) for rank r of n from below:
    free of any benchmark's scale. Equal scores share their mean rank. Of several variants the worst
    counts. A model that stands alone in a table is not compared with anything.
    """
    found: dict[tuple[WorkType, str], list[tuple[float, float]]] = {}
    for work_type in WORK_TYPES:
        of_type = observed.filter(pl.col("work_type") == work_type)
        for group in of_type.partition_by("benchmark", "metric", maintain_order=True):
            score = pl.col("score")
            quality = score if group["higher_is_better"].all() else -score
            worst = (
                group.group_by("model", maintain_order=True)
                .agg(value=quality.min(), weight=pl.col("weight").first())
                .with_columns(rank=pl.col("value").rank("average"))
            )
            for row in worst.iter_rows(named=True) if worst.height > 1 else ():
                at = (row["rank"] - 0.375) / (worst.height + 0.25)
                z = NormalDist().inv_cdf(at)
                found.setdefault((work_type, row["model"]), []).append((z, row["weight"]))
    return {
        key: Standing(
            z=sum(z * weight for z, weight in seen) / sum(weight for _, weight in seen),
            coverage=min(1.0, sum(weight for _, weight in seen)),
        )
        for key, seen in found.items()
    }
