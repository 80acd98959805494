"""docs/ranking.md says what the ranking computes for its worked example."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from fleet_pipeline.probes.results import SCHEMA
from fleet_pipeline.ranking import model_ranking
from fleet_pipeline.ranking.observations import SCHEMA as OBSERVED

RANKING = Path(__file__).parents[2] / "docs" / "ranking.md"
CLOSE = date(2026, 11, 25)


def asked(model: str, passed: int, failed: int) -> list[dict[str, object]]:
    yesterday = datetime(CLOSE.year, CLOSE.month, CLOSE.day, tzinfo=UTC) - timedelta(days=1)
    return [
        {
            "item_id": f"item-{number}",
            "work_type": "classification",
            "model": model,
            "started_at": yesterday - timedelta(days=number % 2),
            "fingerprint": model,
            "outcome": "pass" if number < passed else "fail",
        }
        for number in range(passed + failed)
    ]


def test_the_worked_example_is_what_the_ranking_computes() -> None:
    probes = pl.DataFrame([*asked("A", 20, 20), *asked("B", 36, 4)], schema=SCHEMA, orient="row")
    table = model_ranking(["A", "B", "C"], probes, pl.DataFrame(schema=OBSERVED), CLOSE, {})
    text = RANKING.read_text("utf-8")
    shown = [line.split() for line in text.splitlines()]
    for row in table.filter(pl.col("scope") == "overall").iter_rows(named=True):
        figures = [f"{row[name]:.2f}" for name in ("q05", "posterior_mean", "q95", "prior_mean")]
        assert [
            str(row["rank"]),
            row["model"],
            f"{row['rank_low']}-{row['rank_high']}",
            *figures,
            str(row["n_probes"]),
            "yes" if row["provisional"] else "no",
        ] in shown
        assert row["reason"] is None or f"    {row['model']}: {row['reason']}\n" in text
