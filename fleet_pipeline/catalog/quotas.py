"""What is left of free quotas, as providers tell it. Only OpenRouter tells without being used.

``GET /api/v1/key`` (fields as in the generated SDK): ``free_model_daily_requests`` is shared by all
free models of the account and begins anew at midnight UTC.
"""

from datetime import datetime
from typing import Final

import polars as pl

from fleet_pipeline.catalog.readings import QUOTAS
from fleet_pipeline.errors import SourceError
from fleet_pipeline.pricing.feeds.documents import document, part
from fleet_pipeline.pricing.observations import count, number

OPENROUTER: Final = "OpenRouter free"
"""The row of the organisation's free APIs that the reading is about."""


def url(models_url: str) -> str:
    """Return where OpenRouter tells an account's quota, beside its list of models."""
    return f"{models_url.rstrip('/').removesuffix('/models')}/key"


def read(body: bytes, at: datetime) -> pl.DataFrame:
    """Return the reading of one answer in ``QUOTAS``; SourceError where it tells no quota."""
    told = part(part(document(body), "data"), "free_model_daily_requests")
    limit, used, left = (_requests(told.get(name)) for name in ("limit", "used", "remaining"))
    if limit is None or left is None:
        raise SourceError("the answer tells no free quota")
    row = {
        "provider": OPENROUTER,
        "observed_at": at,
        "recorded_at": at,
        "requests_per_day": limit,
        "requests_used": used,
        "requests_left": left,
    }
    return pl.DataFrame([row], schema=QUOTAS, orient="row")


def _requests(value: object) -> int | None:
    told = number(value)
    return 0 if told == 0 else count(value)
