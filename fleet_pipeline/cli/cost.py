"""``fleet cost``: what tokens cost at a model's list price, and how that comes about."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import click

from fleet_pipeline.cli import options, output
from fleet_pipeline.cli.amounts import AMOUNT, SHARE

if TYPE_CHECKING:
    from fleet_pipeline.costing import Quote, TokenClasses
    from fleet_pipeline.pricing import ModelPrice
    from fleet_pipeline.settings import Settings


@click.command()
@click.option("--model", required=True, metavar="ID", help="The model, as a price list names it.")
@click.option(
    "--price-date", type=options.DAY, required=True, help="The UTC day whose price list holds."
)
@click.option("--fresh", type=AMOUNT, default=0, help="Tokens of fresh input [0].")
@click.option("--cache-write", type=AMOUNT, default=0, help="Tokens written to the cache [0].")
@click.option("--cache-read", type=AMOUNT, default=0, help="Tokens read from the cache [0].")
@click.option("--output", "output_tokens", type=AMOUNT, default=0, help="Tokens of output [0].")
@click.option("--share", type=SHARE, default="1", help="The share of all that moves [1].")
@click.option(
    "--hit-rate", type=SHARE, help="The share of cache reads that this model's cache hits [0]."
)
@click.option("--packet-tokens", type=AMOUNT, help="Send packets of so much input instead.")
@click.option("--requests", type=AMOUNT, help="How many packets, before --share.")
@click.option("--naive", is_flag=True, help="Count fresh input and output only.")
@click.option(
    "--context", type=AMOUNT, help="Full input of one request: it chooses a long-context tier."
)
@options.with_home
@options.as_json
def cost(
    settings: "Settings",
    model: str,
    price_date: date,
    fresh: int,
    cache_write: int,
    cache_read: int,
    output_tokens: int,
    share: Decimal,
    hit_rate: Decimal | None,
    packet_tokens: int | None,
    requests: int | None,
    naive: bool,
    context: int | None,
    as_json: bool,
) -> None:
    """Price tokens at a model's list price, term by term.

    Numbers may end in k, M or B. Cache misses are billed at the input price, and so are cache
    writes unless the model lists a higher price for them. Exit status: 0; 1 where a price is not
    listed, which is never taken for 0; 2 for bad usage, a model that nobody knows among it.
    """
    if (packet_tokens is None) is not (requests is None):
        raise click.UsageError("--packet-tokens and --requests go together")
    if sum((hit_rate is not None, packet_tokens is not None, naive)) > 1:
        raise click.UsageError("give one of --hit-rate, --packet-tokens and --naive")
    from fleet_pipeline.costing import TokenClasses, quote_naive, quote_packets, quote_turns

    price = _price(settings, model, price_date)
    flat = price.for_context(context or packet_tokens or 0)
    every = TokenClasses(
        input_tokens=fresh,
        cache_write_5m_tokens=cache_write,
        cache_read_tokens=cache_read,
        output_tokens=output_tokens,
    )
    moved = every.part(Fraction(share))
    if naive:
        quote = quote_naive(moved, flat)
    elif packet_tokens is not None and requests is not None:
        quote = quote_packets(requests * Fraction(share), packet_tokens, moved.output_tokens, flat)
    else:
        quote = quote_turns(moved, flat, hit_rate=hit_rate or 0)
    assumption = _assumption(hit_rate or Decimal(0), packet_tokens, naive)
    if as_json:
        output.document(_record(quote, flat, share, moved, assumption))
    else:
        output.result(_in_words(quote, flat, share, assumption))
    if price.by_hour:
        output.note(f"{price.model} asks other prices at some hours; fleet prices tells which")
    if price.tiers and not (context or packet_tokens):
        output.note(
            f"{price.model} asks more above {price.tiers[0].above_tokens:,} tokens in one request;"
            " --context N prices requests of that size"
        )


def _price(settings: "Settings", name: str, at: date) -> "ModelPrice":
    """Return the price of a model called as the organisation calls it, or as a price list does."""
    from fleet_pipeline.cli.prices import aliases
    from fleet_pipeline.pricing import price_book
    from fleet_pipeline.pricing.enquiry import resolve

    book = price_book(settings.home)
    org = settings.organisation() if settings.org_folder.is_dir() else None
    return book.require(*resolve(name, aliases(org), book, at), at)


def _assumption(hit_rate: Decimal, packet_tokens: int | None, naive: bool) -> str:
    if naive:
        return "naive: context that is sent again is left out"
    if packet_tokens is not None:
        return f"packets of {packet_tokens:,} tokens; no cache, no verify step"
    if not hit_rate:
        return "no cache hit"
    return (
        f"{(hit_rate * 100).normalize():f}% of cache reads hit, at the listed price of a cache read"
    )


def _record(
    quote: "Quote", price: "ModelPrice", share: Decimal, moved: "TokenClasses", assumption: str
) -> dict[str, object]:
    return {
        "cost_usd_micros": quote.cost_usd_micros,
        "assumption": assumption,
        "formula": quote.formula,
        "terms": [
            {
                "name": term.name,
                "tokens": term.tokens,
                "usd_per_mtok": float(term.usd_per_mtok),
                "cost_usd_micros": term.cost_usd_micros,
            }
            for term in quote.terms
        ],
        "share": float(share),
        "moved_tokens": {
            "fresh": moved.input_tokens,
            "cache_write": moved.cache_write_tokens,
            "cache_read": moved.cache_read_tokens,
            "output": moved.output_tokens,
        },
        "price": {
            "provider": price.provider,
            "model": price.model,
            "input_usd_per_mtok": _float(price.input_usd_per_mtok),
            "output_usd_per_mtok": _float(price.output_usd_per_mtok),
            "cache_read_usd_per_mtok": _float(price.cache_read_usd_per_mtok),
            "cache_write_5m_usd_per_mtok": _float(price.cache_write_5m_usd_per_mtok),
            "cache_write_1h_usd_per_mtok": _float(price.cache_write_1h_usd_per_mtok),
            "is_free": price.is_free,
            "source": price.source,
            "effective_from": price.effective_from,
            "seen_on": price.seen_on,
            "age_days": price.age_days,
            "at": price.at,
        },
    }


def _in_words(quote: "Quote", price: "ModelPrice", share: Decimal, assumption: str) -> str:
    lines = [
        f"{price.model} on {price.at} ({price.named()})",
        f"{(share * 100).normalize():f}% of the work; {assumption}",
        "",
    ]
    products = [
        f"{term.tokens:,} tokens x {_price_of(term.usd_per_mtok)} per million"
        for term in quote.terms
    ]
    wide = max(map(len, products), default=0)
    lines += [
        f"  {term.name:<11}  {product:>{wide}} = {_dollars(term.cost_usd_micros):>12}"
        for term, product in zip(quote.terms, products, strict=True)
    ]
    total = f"  {'total':<11}  {'':>{wide}}   {_dollars(quote.cost_usd_micros):>12}"
    return "\n".join([*lines, total, "", f"cost = {quote.formula}"])


def _price_of(usd_per_mtok: Decimal) -> str:
    """Write a price with all the digits it has, at least two."""
    shortest = usd_per_mtok.normalize()
    return f"${shortest:f}" if shortest != round(shortest, 2) else f"${shortest:.2f}"


def _dollars(micros: int) -> str:
    return f"${Decimal(micros) / 10**6:,.2f}"


def _float(price: Decimal | None) -> float | None:
    return None if price is None else float(price)
