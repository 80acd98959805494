"""A usage report as one JSON document, under the names that scripts for ccusage know.

Belongs here: names and units of the document. US dollars are floats here and nowhere before.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from fleet_pipeline.headroom import BLOCK
from fleet_pipeline.reports.usage import Kind, Line, Report, Row, Usage

Document = dict[str, object]

_LIST_AND_KEY: Final[dict[Kind, tuple[str, str]]] = {
    "daily": ("daily", "date"),
    "weekly": ("weekly", "week"),
    "monthly": ("monthly", "month"),
    "session": ("sessions", "sessionId"),
    "agent": ("agents", "agent"),
    "model": ("models", "model"),
    "blocks": ("blocks", "id"),
}
_MICROS_PER_USD: Final = 1_000_000


def as_json(report: Report) -> Document:
    """Return the report: a list named after its kind, ``totals``, and what it speaks of.

    Costs are null as soon as one request has no price; ``pricedCost`` is the part that has one.
    """
    name, key = _LIST_AND_KEY[report.kind]
    rows = [
        _block(row) if report.kind == "blocks" else _row(row, key, with_times=key == "sessionId")
        for row in report.rows
    ]
    return {
        name: rows,
        "totals": _totals(report.total),
        "timezone": report.days.zone,
        "since": report.days.since,
        "until": report.days.until,
        "newest": report.newest and _moment(report.newest),
    }


def _row(row: Row, key: str, *, with_times: bool) -> Document:
    times = {"firstActivity": _moment(row.first), "lastActivity": _moment(row.last)}
    return {
        key: row.key,
        **_tokens(row.usage),
        **_cost(row.usage),
        **(times if with_times else {}),
        "modelsUsed": row.models,
        "modelBreakdowns": [_breakdown(line) for line in row.lines],
    }


def _totals(usage: Usage) -> Document:
    return {
        **_tokens(usage),
        **_cost(usage),
        "placeholderOutputs": usage.placeholders,
        "webSearches": usage.web_searches,
        "fastRequests": usage.fast_requests,
    }


def _block(row: Row) -> Document:
    """Return a block, or the gap before one, in the shape of ``ccusage blocks``.

    What would depend on the present moment (whether it is active, how it might go on) is left out.
    """
    is_gap, usage = row.is_gap, row.usage
    start = datetime.fromisoformat(row.key)
    return {
        "id": f"gap-{_moment(start)}" if is_gap else _moment(start),
        "startTime": _moment(start),
        "endTime": _moment(row.last if is_gap else start + BLOCK),
        "actualEndTime": None if is_gap else _moment(row.last),
        "isGap": is_gap,
        "entries": usage.requests,
        "tokenCounts": {
            "inputTokens": usage.input_tokens,
            "outputTokens": usage.output_tokens,
            "cacheCreationInputTokens": usage.cache_write_tokens,
            "cacheReadInputTokens": usage.cache_read_tokens,
        },
        "totalTokens": usage.total_tokens,
        "costUSD": _usd(usage.cost_usd_micros),
        "pricedCost": _usd(usage.priced_usd_micros),
        "models": row.models,
        "modelBreakdowns": [_breakdown(line) for line in row.lines],
    }


def _tokens(usage: Usage) -> Document:
    return {
        "requests": usage.requests,
        "inputTokens": usage.input_tokens,
        "outputTokens": usage.output_tokens,
        "cacheCreationTokens": usage.cache_write_tokens,
        "cacheReadTokens": usage.cache_read_tokens,
        "totalTokens": usage.total_tokens,
    }


def _cost(usage: Usage) -> Document:
    return {
        "totalCost": _usd(usage.cost_usd_micros),
        "pricedCost": _usd(usage.priced_usd_micros),
        "unpricedModels": sorted(usage.unpriced_models),
    }


def _breakdown(line: Line) -> Document:
    return {
        "modelName": line.model,
        "client": line.client,
        **_tokens(line.usage),
        "cost": _usd(line.usage.cost_usd_micros),
        "missingPricing": bool(line.usage.unpriced_requests),
    }


def _usd(micros: Decimal | None) -> float | None:
    return None if micros is None else float(micros / _MICROS_PER_USD)


def _moment(moment: datetime) -> str:
    """Write a UTC time to the millisecond, as the clients' logs do."""
    whole = moment - timedelta(microseconds=moment.microsecond % 1000)
    return f"{whole.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
