"""A usage report as text: the cells of its table, and the notes under it.

Belongs here: titles, thousands, dollars, and what a reader must be told about the figures. Drawing
the table is not: a terminal and a file each have their own way.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final
from zoneinfo import ZoneInfo

from fleet_pipeline.publishing.escaping import printable
from fleet_pipeline.reports.text_table import TextTable
from fleet_pipeline.reports.usage import Kind, Report, Row, Usage

_TITLES: Final[dict[Kind, str]] = {
    "daily": "Date",
    "weekly": "Week",
    "monthly": "Month",
    "session": "Session",
    "agent": "Agent",
    "model": "Model",
    "blocks": "Block",
}
_FIGURES: Final = ("Input", "Output", "Cache Create", "Cache Read", "Total Tokens", "Cost (USD)")
_SHORT_FIGURES: Final = ("Input", "Output", "Create", "Read", "Total", "Cost (USD)")
_CENT_MICROS: Final = Decimal(10_000)
_SCALES: Final = ((10**9, "B"), (10**6, "M"), (10**3, "k"))
_SHORT_ID: Final = 8


def table(report: Report, *, short: bool = False) -> TextTable:
    """Return the report's table; a ``short`` one fits 80 columns.

    There tokens have three digits, ids are cut, and of the models the one with the most tokens is
    named.
    """
    figures = _SHORT_FIGURES if short else _FIGURES
    words = (_TITLES[report.kind], *(() if report.kind == "model" else ("Models",)))
    rows = [
        (
            _name(report, row, short),
            *(() if report.kind == "model" else (_models(row, short),)),
            *([""] * len(figures) if row.is_gap else _figures(row.usage, short)),
        )
        for row in report.rows
    ]
    total = ("Total", *("" for _ in words[1:]), *_figures(report.total, short))
    right = (*(False for _ in words), *(True for _ in figures))
    return TextTable((*words, *figures), rows, right, total)


def notes(report: Report) -> list[str]:
    """Return what has to be said about the figures, one sentence to a line."""
    return list(_notes(report, report.total))


def _notes(report: Report, total: Usage) -> Iterator[str]:
    if total.placeholders:
        yield (
            f"+ at least: the transcripts of {total.placeholders:,} requests hold no final output"
        )
    if total.unpriced_models:
        named = ", ".join(printable(model) for model in sorted(total.unpriced_models))
        yield f"n/a, or a cost with +: no list price is known for {named}"
    surcharged = [
        f"{count:,} {what}"
        for count, what in (
            (total.web_searches, "web searches"),
            (total.fast_requests, "requests in fast mode at its surcharge"),
        )
        if count
    ]
    if surcharged:
        yield f"not in the cost: {' and '.join(surcharged)}"
    zone = report.days.zone
    if report.kind == "weekly":
        yield f"a week begins on {report.week_start.capitalize()} and bears that day"
    if report.newest:
        yield (
            f"costs are API list prices of the day of use; times are {zone};"
            f" the ledger reaches {_local(report.newest, zone)}"
        )


def _name(report: Report, row: Row, short: bool) -> str:
    if row.is_gap:
        hours, seconds = divmod(int((row.last - row.first).total_seconds()), 3600)
        return f"gap {hours}h {seconds // 60:02}m"
    if report.kind == "blocks":
        start = _local(datetime.fromisoformat(row.key), report.days.zone)
        return start[len("2026-") :] if short else start
    if report.kind == "session" and short and len(row.key) > _SHORT_ID:
        return f"{printable(row.key[:_SHORT_ID])}…"
    return _model(row.key) if report.kind == "model" and short else printable(row.key)


def _models(row: Row, short: bool) -> str:
    names = list(dict.fromkeys(_model(line.model) for line in row.lines))
    if short:
        return " +".join([*names[:1], *([str(len(names) - 1)] if names[1:] else [])])
    return ", ".join(sorted(names))


def _model(name: str) -> str:
    """Return the name of a model without what most share, and without its day of release."""
    return re.sub(r"^claude-|-20\d{6}$", "", printable(name))


def _figures(usage: Usage, short: bool) -> list[str]:
    least = "+" if usage.placeholders else ""
    return [
        _count(usage.input_tokens, short),
        _count(usage.output_tokens, short) + least,
        _count(usage.cache_write_tokens, short),
        _count(usage.cache_read_tokens, short),
        _count(usage.total_tokens, short) + least,
        _cost(usage),
    ]


def _count(tokens: int, short: bool) -> str:
    for scale, letter in _SCALES if short else ():
        if tokens >= scale:
            scaled = tokens / scale
            return f"{scaled:.{2 if scaled < 9.995 else 1 if scaled < 99.95 else 0}f}{letter}"
    return f"{tokens:,}"


def _cost(usage: Usage) -> str:
    if usage.requests and usage.unpriced_requests == usage.requests:
        return "n/a"
    cents = (usage.priced_usd_micros / _CENT_MICROS).quantize(Decimal(1), ROUND_HALF_UP)
    return f"${cents / 100:,.2f}" + ("+" if usage.unpriced_requests else "")


def _local(moment: datetime, zone: str) -> str:
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
