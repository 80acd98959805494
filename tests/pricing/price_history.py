"""The real price history of OpenRouter's catalogue, April to July 2026, as daily snapshots."""

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl

from fleet_pipeline.pricing.observations import Offer, snapshot

FILE = Path(__file__).parents[3] / "shared" / "data" / "openrouter-prices-2026-04-to-07.csv"
WHOLE_SINCE = date(2026, 5, 16)
"""Before that day the history lists only a part of the catalogue."""
LAST_DAY = date(2026, 7, 1)


def daily_snapshots(source: str = "openrouter") -> Iterator[tuple[date, pl.DataFrame]]:
    """Replay the changes: the whole list as it stood at the end of each day, seen at noon."""
    changes: dict[date, list[dict[str, str]]] = {}
    with FILE.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            changes.setdefault(date.fromisoformat(row["day"]), []).append(row)
    listed: dict[str, Offer] = {}
    day = min(changes)
    while day <= LAST_DAY:
        for row in changes.get(day, ()):
            if row["event"] == "gone":
                listed.pop(row["model"], None)
            elif row["input"]:
                listed[row["model"]] = _offer(row)
        noon = datetime.combine(day, time(12), UTC)
        yield day, snapshot(source, listed.values(), noon, noon)
        day += timedelta(days=1)


def _offer(row: dict[str, str]) -> Offer:
    return Offer(
        provider="openrouter",
        model=row["model"],
        name=None,
        input_usd_per_mtok=_price(row["input"]),
        output_usd_per_mtok=_price(row["output"]),
        cache_read_usd_per_mtok=_price(row["cache_read"]),
        cache_write_5m_usd_per_mtok=_price(row["cache_write"]),
        context_tokens=int(row["context"]) if row["context"] else None,
        max_output=int(row["output_limit"]) if row["output_limit"] else None,
    )


def _price(text: str) -> Decimal | None:
    return Decimal(text) if text else None
