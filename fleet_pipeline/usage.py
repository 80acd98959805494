"""Usage over any stretch of the ledger, in the words that the page uses."""

from datetime import date

import polars as pl

from fleet_pipeline import tables
from fleet_pipeline.org import Org, agents_by_folder

Totals = dict[str, dict[str, object]]


def requests(ledger: pl.DataFrame, org: Org, window: tuple[date, date]) -> pl.DataFrame:
    """Return the weekly table ``requests``: those of the window, each with its agent.

    ``window`` is the first UTC day and the first one outside.
    """
    start, end = window
    return tables.run(
        "requests",
        parameters={"window_start": start, "window_end": end},
        usage=ledger,
        agents_by_cwd=agents_by_folder(org, ledger["cwd"]),
    )


def totals(ledger: pl.DataFrame) -> Totals:
    """Return for each client its requests, tokens by class, shares and context per request."""
    rows = ledger.with_columns(
        full_input_tokens=pl.sum_horizontal(
            "input_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens"
        )
    )
    summed = tables.run("usage_totals", requests=rows)
    return {row.pop("client"): row for row in summed.to_dicts()}


def changes(before: Totals, after: Totals) -> list[tuple[str, str, int, int]]:
    """Return client, name, old and new value of each count of requests or tokens that differs."""
    return [
        (client, name, old, new)
        for client, counts in before.items()
        for name, old in counts.items()
        if isinstance(old, int) and isinstance(new := after[client][name], int) and old != new
    ]
