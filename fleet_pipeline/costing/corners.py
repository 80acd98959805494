"""The weekly tables ``cost_corners`` and ``break_even``: the same share of work, told in four ways.

Belongs here: which corner is which and its formula in words. The formula itself is in ``offload``.
A corner leaves out what ``replay`` adds (windows, retries, escalations): it is arithmetic on totals
that anybody can repeat with ``fleet cost``.
"""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from typing import Final

import polars as pl

from fleet_pipeline.costing.basis import Basis, Months
from fleet_pipeline.costing.break_even import BreakEven
from fleet_pipeline.costing.break_even import break_even as solved
from fleet_pipeline.costing.offload import COST_COLUMNS, CostParts, cost_columns, cost_parts
from fleet_pipeline.costing.policy import Policy
from fleet_pipeline.costing.quotes import (
    NAIVE_FORMULA,
    PACKETS_FORMULA,
    TURNS_FORMULA,
    quote_packets,
    quote_turns,
)
from fleet_pipeline.costing.tokens import TokenClasses, round_half_up
from fleet_pipeline.pricing import EMBEDDED, ModelPrice, PriceBook

FORMULAS: Final = {
    "naive": NAIVE_FORMULA,
    "no_cache": "full input x input + output x output",
    "listed_cache_price": f"{TURNS_FORMULA}; every cache read of Claude's hits",
    "packets": PACKETS_FORMULA,
}

_Types = dict[str, pl.DataType | type[pl.DataType]]
_SCHEMA: Final[_Types] = {
    "model": pl.String,
    "corner": pl.String,
    "packet_tokens": pl.Int64,
    "basis": pl.String,
    "share": pl.Float64,
    "requests": pl.Int64,
    "sent_tokens": pl.Int64,
    "output_tokens": pl.Int64,
    **dict.fromkeys(COST_COLUMNS, pl.Int64),
    "verify_cost_usd_micros": pl.Int64,
    "formula": pl.String,
}
_BREAK_EVEN_SCHEMA: Final[_Types] = {
    "model": pl.String,
    "staying_model": pl.String,
    "basis": pl.String,
    "share": pl.Float64,
    "stay_cost_usd_micros": pl.Int64,
    "no_hit_cost_usd_micros": pl.Int64,
    "all_hit_cost_usd_micros": pl.Int64,
    "break_even_hit_rate": pl.Float64,
}
_Row = dict[str, object]


def cost_corners(
    requests: pl.DataFrame,
    policy: Policy | None,
    *,
    window_start: date,
    window_end: date,
    book: PriceBook = EMBEDDED,
) -> pl.DataFrame:
    """Return one row per target and corner for the policy's share of a month.

    Corners: 'naive' counts fresh input and output only; 'no_cache' bills all input at the input
    price; 'listed_cache_price' lets every cache read of Claude's hit; 'packets' sends each request
    as one prompt of ``packet_tokens``. Costs in micro-dollars by the class that the tokens had on
    Claude, null where a price is not listed; ``verify_cost`` is Claude's check of each packet in
    the expected case, and not in ``cost``. No rows without a policy.
    """
    if policy is None:
        return pl.DataFrame(schema=_SCHEMA)
    share = Fraction(str(policy.share))
    months = Months(requests, window_start, window_end, book)
    staying, _ = months.priced(policy.stays_on)
    rows: list[_Row] = []
    for target in policy.targets:
        price, basis = months.priced(target.priced_as)
        of_all = {"model": target.model, "basis": basis.name, "share": policy.share}
        turns = _turns(basis, share, price)
        packets = _packets(basis, share, price, policy, staying)
        rows += [{**of_all, **row} for row in (*turns, *packets)]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def break_even(
    requests: pl.DataFrame,
    policy: Policy | None,
    *,
    window_start: date,
    window_end: date,
    book: PriceBook = EMBEDDED,
) -> pl.DataFrame:
    """Return one row per target: from which hit rate on it costs less than staying, and why.

    ``stay_cost`` is the same share of tokens at the list price of the policy's staying model with
    every cache read served. ``break_even_hit_rate`` is a share of Claude's cache reads: 0 or less
    is cheaper without any hit, above 1 dearer at any rate, null where no price of a cache read is
    listed or a hit saves nothing. No rows without a policy.
    """
    if policy is None:
        return pl.DataFrame(schema=_BREAK_EVEN_SCHEMA)
    share = Fraction(str(policy.share))
    months = Months(requests, window_start, window_end, book)
    stay_price, stay_basis = months.priced(policy.stays_on)
    rows: list[_Row] = []
    for target in policy.targets:
        price, basis = months.priced(target.priced_as)
        found = BreakEven(None, None, None)
        if price is not None and stay_price is not None:
            found = solved(basis.slices(share, price), stay_basis.slices(share, stay_price))
        rows.append(
            {
                "model": target.model,
                "staying_model": policy.stays_on[1],
                "basis": basis.name,
                "share": policy.share,
                "stay_cost_usd_micros": found.stay_usd_micros,
                "no_hit_cost_usd_micros": found.no_hit_usd_micros,
                "all_hit_cost_usd_micros": found.all_hit_usd_micros,
                "break_even_hit_rate": None if found.hit_rate is None else float(found.hit_rate),
            }
        )
    return pl.DataFrame(rows, schema=_BREAK_EVEN_SCHEMA, orient="row")


def _turns(basis: Basis, share: Fraction, price: ModelPrice | None) -> Iterator[_Row]:
    """Yield the three corners of whole turns, each class at what it would cost."""
    slices = basis.slices(share, price) if price else []
    tokens = basis.moved(share)
    whole = cost_parts(slices, hit_rate=0, mode="no_cache") if price else None
    hits = cost_parts(slices, hit_rate=1, mode="listed_cache_price") if price else None
    naive = whole and CostParts(whole.input_usd_micros, 0, 0, whole.output_usd_micros)
    for corner, parts, sent in (
        ("naive", naive, tokens.input_tokens),
        ("no_cache", whole, tokens.full_input_tokens),
        ("listed_cache_price", hits, tokens.full_input_tokens),
    ):
        yield {
            "corner": corner,
            "requests": round_half_up(basis.requests(share)),
            "sent_tokens": sent,
            "output_tokens": tokens.output_tokens,
            **cost_columns(parts),
            "formula": FORMULAS[corner],
        }


def _packets(
    basis: Basis,
    share: Fraction,
    price: ModelPrice | None,
    policy: Policy,
    staying: ModelPrice | None,
) -> Iterator[_Row]:
    """Yield one corner per packet size: each request of the share sent as one bounded prompt."""
    calls = basis.requests(share)
    output = basis.moved(share).output_tokens
    verify = _verify_cost(calls, policy, staying)
    for size in policy.packet_tokens:
        row: _Row = {
            "corner": "packets",
            "packet_tokens": size,
            "requests": round_half_up(calls),
            "sent_tokens": round_half_up(calls * size),
            "output_tokens": output,
            "verify_cost_usd_micros": verify,
            "formula": FORMULAS["packets"],
        }
        if price is not None:
            quote = quote_packets(calls, size, output, price.for_context(size))
            written = sum(t.cost_usd_micros for t in quote.terms if t.name == "output")
            sent = quote.cost_usd_micros - written
            row |= cost_columns(CostParts(sent, 0, 0, written))
        yield row


def _verify_cost(calls: Fraction, policy: Policy, price: ModelPrice | None) -> int | None:
    case = policy.case("expected")
    if price is None:
        return None
    each = TokenClasses(
        input_tokens=round_half_up(calls * Fraction(case.verify_input_tokens)),
        output_tokens=round_half_up(calls * Fraction(case.verify_output_tokens)),
    )
    return quote_turns(each, price.for_context(0), hit_rate=0).cost_usd_micros
