"""Endpoint health: who serves a model on OpenRouter, and how well (``/models/<id>/endpoints``).

Fields as in the generated SDK (``openrouter`` on PyPI). Status 0 is up; every other code is some
kind of down. Latency is told to account holders only and is not kept.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import polars as pl

from fleet_pipeline.errors import SourceError
from fleet_pipeline.pricing.feeds.documents import document, part
from fleet_pipeline.pricing.observations import count, display_name, model_id, number

SCHEMA: Final = pl.Schema(
    {
        "provider": pl.String(),
        "model": pl.String(),
        "observed_at": pl.Datetime("us", "UTC"),
        "recorded_at": pl.Datetime("us", "UTC"),
        "endpoint": pl.String(),
        "quantization": pl.String(),
        "is_up": pl.Boolean(),
        "uptime_1d_share": pl.Float64(),
        "context_tokens": pl.Int64(),
        "max_output": pl.Int64(),
        "caches_by_itself": pl.Boolean(),
    }
)
"""One row: one endpoint of one model as it was observed; ``uptime_1d_share`` in [0, 1]."""


def url(models_url: str, model: str) -> str:
    """Return where a model's endpoints are told, beside the list of models."""
    return f"{models_url.rstrip('/')}/{model}/endpoints"


def read(body: bytes, model: str, at: datetime) -> pl.DataFrame:
    """Return the endpoints that an answer lists; SourceError where it is none.

    A model without endpoints has no row.
    """
    listed = part(document(body), "data").get("endpoints")
    if not isinstance(listed, list):
        raise SourceError("the answer lists no endpoint")
    rows = [_row(entry, model, at) for entry in listed if isinstance(entry, Mapping)]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row").sort("endpoint")


def _row(entry: Mapping[str, object], model: str, at: datetime) -> dict[str, object]:
    caches = entry.get("supports_implicit_caching")
    return {
        "provider": "openrouter",
        "model": model,
        "observed_at": at,
        "recorded_at": at,
        "endpoint": model_id(entry.get("tag")) or display_name(entry.get("provider_name")),
        "quantization": model_id(entry.get("quantization")),
        "is_up": entry.get("status") == 0,
        "uptime_1d_share": _share(entry.get("uptime_last_1d")),
        "context_tokens": count(entry.get("context_length")),
        "max_output": count(entry.get("max_completion_tokens")),
        "caches_by_itself": caches if isinstance(caches, bool) else None,
    }


def _share(percent: object) -> float | None:
    told = number(percent)
    return float(told / 100) if told is not None and 0 <= told <= 100 else None
