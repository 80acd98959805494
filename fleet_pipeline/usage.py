"""Usage over any stretch of the ledger, in the words that the page uses."""

import polars as pl

from fleet_pipeline import tables


def totals(ledger: pl.DataFrame) -> dict[str, dict[str, object]]:
    """Return for each client its requests, tokens by class, shares and context per request."""
    rows = ledger.with_columns(
        full_input_tokens=pl.sum_horizontal(
            "input_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens"
        )
    )
    summed = tables.run("usage_totals", requests=rows)
    return {row.pop("client"): row for row in summed.to_dicts()}
