"""Probe results of models whose true pass rates are known: simulated here, never by the product."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from random import Random

import polars as pl

from fleet_pipeline.probes.results import SCHEMA
from fleet_pipeline.probes.work_types import WORK_TYPES

CLOSE = date(2026, 11, 25)
MODELS = [f"vendor/model-{number:02}" for number in range(15)]


def result(model: str, outcome: str, **given: object) -> dict[str, object]:
    """Return one row of results: of the day before the close, unless told otherwise."""
    return {
        "probe_run_id": "run",
        "item_id": "triage-1",
        "item_version": 1,
        "work_type": "source_triage",
        "is_anchor": False,
        "model": model,
        "repeat": 1,
        "due_on": CLOSE - timedelta(days=1),
        "started_at": datetime.combine(CLOSE, time(), UTC) - timedelta(days=1),
        "lane": "lane",
        "fingerprint": model,
        "outcome": outcome,
        "attempts": 1,
        **given,
    }


def results(*rows: Mapping[str, object]) -> pl.DataFrame:
    """Return rows as the product keeps them."""
    return pl.DataFrame(list(rows), schema=SCHEMA, orient="row")


def simulated(
    rates: Mapping[str, float], per_model: int, *, seed: int = 1, outages: float = 0.0
) -> pl.DataFrame:
    """Return ``per_model`` probes of each model over the week before the close."""
    random = Random(seed)
    rows = []
    for model, rate in rates.items():
        for number in range(per_model):
            passed = "pass" if random.random() < rate else "fail"
            day = CLOSE - timedelta(days=1 + number % 7)
            rows.append(
                result(
                    model,
                    "unavailable" if random.random() < outages else passed,
                    work_type=WORK_TYPES[number % len(WORK_TYPES)],
                    item_id=f"item-{number}",
                    started_at=datetime.combine(day, time(12), UTC),
                )
            )
    return results(*rows)
