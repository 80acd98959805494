"""Which of a feed's prices are believed: pure verdicts on runs of equal sightings.

Feeds have shown a paid model at zero for half a day, prices in the wrong unit, and routers at -1.
A price that is not believed is held, with its reason; the last believed one stays in force.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Literal

from fleet_pipeline.pricing.feeds import origin

Reason = Literal[
    "not_stated", "negative", "not_a_unit_price", "zero", "jump", "cache_read_above_input"
]

JUMP: Final = Decimal("1.5")
WEEK: Final = timedelta(days=7)
LOWEST: Final = Decimal("0.0005")
"""USD per million tokens. The cheapest price in a real list of 364 models was 0.01."""
HIGHEST: Final = Decimal(1000)
"""USD per million tokens. The dearest price in that list was 600."""
SLIP: Final = Decimal(100)
"""No price moves by such a factor; a slip of the unit is a thousand or a million."""
_AGREES: Final = Decimal("0.01")
_FREE_NAME: Final = ":free"

_NEVER: Final[frozenset[Reason]] = frozenset({"not_stated", "negative", "not_a_unit_price"})
_ONLY_BY_ANOTHER: Final[frozenset[Reason]] = frozenset({"zero"})


@dataclass(frozen=True, slots=True)
class Prices:
    """What a verdict looks at: USD per million tokens; None where the feed is silent."""

    input: Decimal | None
    output: Decimal | None
    cache_read: Decimal | None
    others: tuple[Decimal, ...] = ()
    """Cache writes and long-context prices: they must be prices, but may move."""

    def all(self) -> tuple[Decimal, ...]:
        """Return every price that is stated."""
        base = (self.input, self.output, self.cache_read)
        return (*(price for price in base if price is not None), *self.others)


@dataclass(frozen=True, slots=True)
class Run:
    """An unbroken run of equal sightings of one model's price by one source."""

    source: str
    provider: str
    model: str
    prices: Prices
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a run is believed, what speaks against it, and what outweighed that."""

    believed: bool
    reason: Reason | None = None
    confirmed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """What a further source, dated by itself, states for the model of a run by the run's end."""

    source: str
    prices: Prices


Witness = Callable[[Run], Listed | None]


def declared_free(model: str) -> bool:
    """Say whether a model's own id says that it costs nothing."""
    return model.endswith(_FREE_NAME)


def verdicts(runs: Sequence[Run], witness: Witness | None = None) -> list[Verdict]:
    """Return the verdict on each of the ``runs`` of one model, all sources together.

    Each source is held against its own past, its first sighting against ``witness``; what is
    questionable needs another source that does not copy it, or ``witness``. A jump that is seen
    unchanged for a week is believed as well: a lone feed would otherwise be wrong for good. A zero
    never is: feeds keep wrong ones for weeks.
    """
    found: dict[int, Verdict] = {}
    for source in sorted({run.source for run in runs}):
        believed: list[Run] = []
        timeline = sorted(
            (run.first_seen, place) for place, run in enumerate(runs) if run.source == source
        )
        for _, place in timeline:
            run = runs[place]
            found[place] = _verdict(run, believed, runs, witness)
            if found[place].believed:
                believed.append(run)
    return [found[place] for place in range(len(runs))]


def _verdict(
    run: Run, believed: Sequence[Run], all_runs: Iterable[Run], witness: Witness | None
) -> Verdict:
    reason = _objection(run, believed)
    if reason is None and believed:
        return Verdict(True)
    listed = witness(run) if witness and reason not in _NEVER else None
    if reason is None and listed is not None:
        reason = _refuted(run.prices, listed.prices)
    if reason is None:
        return Verdict(True)
    if reason in _NEVER:
        return Verdict(False, reason)
    by = _second_source(run, all_runs)
    if by is None and listed is not None and borne_out(run.prices, listed.prices):
        by = listed.source
    if by is None and reason not in _ONLY_BY_ANOTHER and run.last_seen - run.first_seen >= WEEK:
        by = "a week of the same"
    return Verdict(by is not None, reason, by)


def _objection(run: Run, believed: Sequence[Run]) -> Reason | None:
    """Return what speaks against a run, the gravest first; None if nothing does."""
    prices, stated = run.prices, run.prices.all()
    if prices.input is None or any(_lost_output(past.prices, prices) for past in believed[-1:]):
        return "not_stated"
    if any(price < 0 for price in stated):
        return "negative"
    if any(price != 0 and not LOWEST <= price <= HIGHEST for price in stated):
        return "not_a_unit_price"
    if any(_slipped(past.prices, prices) for past in believed[-1:]):
        return "not_a_unit_price"
    if declared_free(run.model):
        return None
    if prices.input == 0 and not prices.output:
        return "zero"
    recent = [past for past in believed if past.last_seen >= run.first_seen - WEEK]
    if any(_became_zero(past.prices, prices) for past in believed[-1:]):
        return "zero"
    if prices.cache_read is not None and prices.cache_read > prices.input:
        return "cache_read_above_input"
    return "jump" if any(_jumps(past.prices, prices) for past in recent) else None


def _refuted(first: Prices, listed: Prices) -> Reason | None:
    """Return what a dated list has against a feed's first word, None if nothing."""
    if _lost_output(listed, first):
        return "not_stated"
    if _slipped(listed, first):
        return "not_a_unit_price"
    return "zero" if _became_zero(listed, first) else None


def _lost_output(before: Prices, after: Prices) -> bool:
    return before.output is not None and after.output is None


def _pairs(before: Prices, after: Prices) -> list[tuple[Decimal, Decimal]]:
    both = (
        (before.input, after.input),
        (before.output, after.output),
        (before.cache_read, after.cache_read),
    )
    return [(old, new) for old, new in both if old is not None and new is not None]


def _became_zero(before: Prices, after: Prices) -> bool:
    return any(old > 0 and new == 0 for old, new in _pairs(before, after))


def _slipped(before: Prices, after: Prices) -> bool:
    return _moved_by_more(SLIP, before, after)


def _jumps(before: Prices, after: Prices) -> bool:
    return _moved_by_more(JUMP, before, after)


def _moved_by_more(factor: Decimal, before: Prices, after: Prices) -> bool:
    return any(
        max(old, new) > factor * min(old, new)
        for old, new in _pairs(before, after)
        if old > 0 and new > 0
    )


def _second_source(run: Run, all_runs: Iterable[Run]) -> str | None:
    """Return the source, not of the same origin, that stated these prices around the same time."""
    own = origin(run.source, run.provider)
    agreeing = {
        other.source
        for other in all_runs
        if origin(other.source, other.provider) != own
        and other.first_seen <= run.last_seen
        and other.last_seen >= run.first_seen - WEEK
        and borne_out(run.prices, other.prices)
    }
    return min(agreeing, default=None)


def borne_out(prices: Prices, other: Prices) -> bool:
    """Say whether another source states these prices too, within one percent.

    Input and output, and the cache read where ``prices`` have one: who is silent on that, or states
    another, may not have seen what was questioned.
    """
    return (
        _alike(prices.input, other.input)
        and _alike(prices.output, other.output)
        and (prices.cache_read is None or _alike(prices.cache_read, other.cache_read))
    )


def _alike(one: Decimal | None, other: Decimal | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= _AGREES * max(one, other)
