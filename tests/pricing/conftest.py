"""Feeds, homes and books for the tests of prices."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from fleet_pipeline.home import Home
from fleet_pipeline.pricing.observations import Offer, snapshot

from ..local_server import LocalServer, serving
from .feed_answers import GLM, openrouter

FIRST = datetime(2026, 6, 1, 6, tzinfo=UTC)

Seen = Callable[..., pl.DataFrame]


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with serving(openrouter(), "/api") as feed:
        yield feed


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.prepare()
    return made


def seen(
    day: int | float,
    price: str | None = "1.4",
    output: str | None = "4.4",
    cache_read: str | None = None,
    *,
    model: str = GLM,
    provider: str = "openrouter",
    source: str = "openrouter",
    learned: datetime | None = None,
) -> pl.DataFrame:
    """A snapshot of one model, so many days after the first of June."""
    at = FIRST + timedelta(days=day)
    offer = Offer(
        provider=provider,
        model=model,
        name=None,
        input_usd_per_mtok=_usd(price),
        output_usd_per_mtok=_usd(output),
        cache_read_usd_per_mtok=_usd(cache_read),
    )
    return snapshot(source, [offer], at, learned or at)


def day(number: int) -> date:
    """The day so many days after the first of June."""
    return (FIRST + timedelta(days=number)).date()


def _usd(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
