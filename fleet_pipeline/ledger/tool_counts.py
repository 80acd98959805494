"""How often each tool was called: from the calls that evidence keeps to the ledger's counts."""

import msgspec
import polars as pl

from fleet_pipeline.transcripts.tools import tools_and_heads


def with_tool_counts(rows: pl.DataFrame) -> pl.DataFrame:
    """Return ``rows`` with ``tools`` and ``command_heads`` counted, as JSON; null for no calls.

    ``tools`` comes as ``transcripts.tools`` keeps calls, separated by spaces.
    """
    # The same few tools are called over and over: each combination is counted once.
    calls = pl.col("tools").str.replace_all("#[0-9a-f]{8}", "")
    rows = rows.with_columns(tools=calls)
    seen = rows["tools"].drop_nulls().unique()
    counts = [tuple(map(_json, tools_and_heads(each))) for each in seen]
    counted = pl.DataFrame(
        {
            "tools": seen,
            "_tools": [tools for tools, _ in counts],
            "command_heads": [heads for _, heads in counts],
        },
        schema={"tools": pl.String, "_tools": pl.String, "command_heads": pl.String},
    )
    of_rows = rows.select("tools").join(counted, on="tools", how="left", maintain_order="left")
    return rows.with_columns(of_rows.select("command_heads", tools="_tools"))


def _json(counts: dict[str, int]) -> str | None:
    return msgspec.json.encode(counts).decode() if counts else None
