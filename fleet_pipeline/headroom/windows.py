"""The latest reading of each rate-limit window, and whether it still says anything."""

from datetime import date

import polars as pl

from fleet_pipeline import tables

# The windows that the page always names, read or not (identified by limit and length, never by
# the slot in which a log carries them: slots have swapped).
_EXPECTED = pl.DataFrame(
    [
        ("codex", "codex", "Codex", 300),
        ("codex", "codex", "Codex", 10_080),
        ("codex", "codex_bengalfox", "Spark", 300),
        ("codex", "codex_bengalfox", "Spark", 10_080),
        ("claude", "claude_max", "Claude Max", 300),
        ("claude", "claude_max", "Claude Max", 10_080),
    ],
    schema={
        "client": pl.String,
        "limit_id": pl.String,
        "limit": pl.String,
        "window_minutes": pl.Int64,
    },
    orient="row",
).with_row_index("place")


def headroom(readings: pl.DataFrame, *, requests: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return one row per window, the expected ones first, as known at ``as_of`` 00:00 UTC.

    ``readings`` are rows of ``lake/quota`` up to any time; later ones than ``as_of`` are left
    out, so a closed week never changes. ``requests`` is the weekly table: once it holds a real
    host, readings of the synthetic fleet are left out as its requests are. Shares are in [0, 1].
    """
    return tables.run(
        "headroom",
        parameters={"as_of": as_of},
        readings=known_readings(readings, requests=requests, as_of=as_of),
        expected=_EXPECTED,
    )


def known_readings(readings: pl.DataFrame, *, requests: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return the readings that count at ``as_of`` 00:00 UTC; see ``sql/quota_readings.sql``."""
    return tables.run(
        "quota_readings",
        parameters={"as_of": as_of},
        quota=readings,
        requests=requests.select("host"),
    )
