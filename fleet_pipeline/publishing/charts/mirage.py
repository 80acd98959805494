"""The twin 100% bars of the mirage: where the tokens are, and where the dollars."""

from dataclasses import dataclass
from typing import Final

from fleet_pipeline.publishing.charts.scale import amount, pct
from fleet_pipeline.publishing.figures import Record, records, text


@dataclass(frozen=True, slots=True)
class Segment:
    """One class of tokens in a 100% bar."""

    token_class: str
    x: str
    width: str
    share: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A 100% bar over the four classes: smallest story first, cache reads last."""

    measure: str
    segments: tuple[Segment, ...]


CLASS_ORDER: Final = ("input", "output", "cache_write", "cache_read")


def mirage_bars(page: Record) -> tuple[Bar, ...]:
    """Return one bar for tokens and one for each price that is known."""
    rows = {text(row, "class"): row for row in records(page, "costs.mirage")}
    bars = []
    for measure in ("tokens", "no_cache_usd_micros", "cached_usd_micros"):
        amounts = {name: amount(rows.get(name, {}), measure) for name in CLASS_ORDER}
        total = sum(amounts.values())
        if total <= 0:
            continue
        segments, start = [], 0.0
        for name, part_amount in amounts.items():
            part = part_amount / total
            segments.append(Segment(name, pct(start), pct(part), part))
            start += part
        bars.append(Bar(measure, tuple(segments)))
    return tuple(bars)
