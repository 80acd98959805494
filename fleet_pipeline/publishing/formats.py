"""How a number, a share, an amount or a date is written for a reader; no HTML, no Markdown here.

Every function takes ``None`` and answers ``n/a``: a figure that nobody knows is never a zero.

Rounding is half up (away from zero), on the exact decimal value. A reader who checks a figure with
a pencil rounds that way, and no shown figure is ever added to another, so the bias that half-even
avoids cannot build up. An amount or a share that is not zero is never written as zero (``<$1``,
``<1%``), a share short of one never as the whole (``>99%``), and no zero carries a sign.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from fleet_pipeline.publishing.escaping import printable

MISSING: Final = "n/a"
MINUS: Final = "\N{MINUS SIGN}"
TIMES: Final = "\N{MULTIPLICATION SIGN}"
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
CENTS_BELOW_USD: Final = 100

Number = int | float | Decimal


def rounded(value: Number, digits: int = 0) -> Decimal:
    """Return ``value`` rounded half up to ``digits`` decimals, never a negative zero."""
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    result = exact.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    return result if result else abs(result)


def _signed(value: Decimal, text: str) -> str:
    """Put a true minus sign before the text of an absolute value when ``value`` is negative."""
    return f"{MINUS}{text}" if value < 0 else text


def _grouped(value: Decimal) -> str:
    return _signed(value, f"{abs(value):,f}")


def count(value: Number | None) -> str:
    """Write a number of things: ``107,338``."""
    return MISSING if value is None else _grouped(rounded(value))


def _scaled(value: Number, steps: tuple[tuple[int, int, str], ...]) -> str:
    """Write ``value`` in the first unit in which its rounded size stays below 1,000.

    Each step is (divisor, decimals, suffix), smallest unit first; the last one takes any size.
    """
    exact = Decimal(str(value))
    for divisor, digits, suffix in steps[:-1]:
        scaled = rounded(exact / divisor, digits)
        if abs(scaled) < 1000:
            return f"{_grouped(scaled)}{suffix}"
    divisor, digits, suffix = steps[-1]
    return f"{_grouped(rounded(exact / divisor, digits))}{suffix}"


def tokens(value: Number | None) -> str:
    """Write tokens for a table, in millions whenever there are millions: ``27,899M``, ``20.5M``.

    Whole millions from 100M, one decimal below, thousands (``134k``) under a million.
    """
    if value is None:
        return MISSING
    if abs(rounded(Decimal(str(value)) / 10**6, 1)) >= 100:
        return f"{_grouped(rounded(Decimal(str(value)) / 10**6))}M"
    return _scaled(value, ((1, 0, ""), (10**3, 0, "k"), (10**6, 1, "M")))


def tokens_short(value: Number | None) -> str:
    """Write tokens for a sentence: ``27.9B``, ``873M``, ``20.5M``, ``134k``."""
    if value is None:
        return MISSING
    if abs(rounded(Decimal(str(value)) / 10**6)) >= 1000:
        return f"{_grouped(rounded(Decimal(str(value)) / 10**9, 1))}B"
    return tokens(value)


def tokens_like(value: Number, largest: Number) -> str:
    """Write tokens for an axis in the unit of its largest value: ``0.5B`` beside ``2.0B``."""
    for divisor, suffix in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
        if largest >= divisor:
            return f"{_grouped(rounded(Decimal(str(value)) / divisor, 1))}{suffix}"
    return count(value)


def context(value: Number | None) -> str:
    """Write the size of a prompt or of a model's window: ``134k``, ``1M``, ``612``."""
    if value is None:
        return MISSING
    text = _scaled(value, ((1, 0, ""), (10**3, 0, "k"), (10**6, 1, "M")))
    return text.replace(".0M", "M")


def _dollars(value: Decimal, digits: int) -> str:
    smallest = Decimal(1).scaleb(-digits)
    shown = rounded(value, digits)
    if value and not shown:
        return f"<${smallest:f}" if value > 0 else f"{MINUS}<${smallest:f}"
    return _signed(shown, f"${abs(shown):,f}")


def money(micros: int | None) -> str:
    """Write micro-dollars in whole dollars: ``$7,185``; less than half a dollar is ``<$1``."""
    return MISSING if micros is None else _dollars(Decimal(micros) / 10**6, 0)


def money_exact(micros: int | None) -> str:
    """Write micro-dollars for a table: cents only under $100, ``$52.79`` but ``$7,185``."""
    if micros is None:
        return MISSING
    value = Decimal(micros) / 10**6
    digits = 2 if abs(rounded(value, 2)) < CENTS_BELOW_USD else 0
    return "$0" if not value else _dollars(value, digits)


def money_range(low_micros: int | None, high_micros: int | None) -> str:
    """Write two amounts with an en dash between them: ``$3,593\N{EN DASH}$10,679``."""
    return f"{money(low_micros)}\N{EN DASH}{money(high_micros)}"


def price(usd_per_mtok: Number | None) -> str:
    """Write a price per million tokens with all the digits it has, at least two: ``$0.075``."""
    if usd_per_mtok is None:
        return MISSING
    exact = Decimal(str(usd_per_mtok)).normalize()
    exponent = exact.as_tuple().exponent
    digits = max(2, -exponent) if isinstance(exponent, int) else 2
    return _dollars(exact, min(digits, 6))


def blend(usd_per_mtok: Number | None) -> str:
    """Write a computed price per million tokens in cents: ``$0.30``; below half: ``<$0.01``."""
    return MISSING if usd_per_mtok is None else _dollars(Decimal(str(usd_per_mtok)), 2)


def share(value: Number | None, digits: int = 0) -> str:
    """Write a share of one as a percentage: ``97%``; ``<1%`` and ``>99%`` at the open ends."""
    if value is None:
        return MISSING
    exact = Decimal(str(value))
    shown = rounded(exact * 100, digits)
    step = Decimal(1).scaleb(-digits)
    if exact > 0 and not shown:
        return f"<{step:f}%"
    if exact < 1 and shown >= 100:
        return f">{100 - step:f}%"
    return f"{_grouped(shown)}%"


def share_fine(value: Number | None) -> str:
    """Write a share whose parts must add up, with one decimal: ``97.4%``."""
    return share(value, 1)


def share_policy(value: Number | None) -> str:
    """Write a share that someone chose, without the zeros it does not need: ``18.26%``, ``9%``."""
    if value is None:
        return MISSING
    text = f"{abs(rounded(Decimal(str(value)) * 100, 3)).normalize():f}"
    return _signed(rounded(value, 5), f"{text}%")


def points(difference: Number | None, digits: int = 1) -> str:
    """Write a difference of two shares in percentage points with its sign: ``+0.8 pp``."""
    if difference is None:
        return MISSING
    shown = rounded(Decimal(str(difference)) * 100, digits)
    sign = MINUS if shown < 0 else "+" if shown > 0 else ""
    return f"{sign}{abs(shown):f} pp"


def percent(value: Number | None) -> str:
    """Write a reading that is already in per cent, as rate-limit headers give it: ``28%``."""
    return MISSING if value is None else share(Decimal(str(value)) / 100)


def factor(value: Number | None) -> str:
    """Write a multiple with one decimal: ``1.5``."""
    return MISSING if value is None else _grouped(rounded(value, 1))


def quantity(value: Number | None) -> str:
    """Write a number that someone assumed, as it was written: ``0.95``, ``4,000``."""
    return MISSING if value is None else _grouped(rounded(value, 6).normalize())


def signed_money(micros: int | None) -> str:
    """Write a change of an amount with its sign, in whole dollars: ``+$212``."""
    if micros is None:
        return MISSING
    shown = money(abs(micros))
    return f"{MINUS}{shown}" if micros < 0 else f"+{shown}" if micros else shown


def signed_share(value: Number | None) -> str:
    """Write a relative change with its sign, in whole percent: ``+11%``."""
    if value is None:
        return MISSING
    shown = rounded(Decimal(str(value)) * 100)
    return f"{MINUS if shown < 0 else '+' if shown > 0 else ''}{_grouped(abs(shown))}%"


def signed_tokens(value: Number | None) -> str:
    """Write a change of tokens with its sign: ``+1.2M``, a true minus for less."""
    if value is None:
        return MISSING
    shown = tokens(-value if value < 0 else value)
    return f"{MINUS}{shown}" if value < 0 else f"+{shown}" if value > 0 else shown


def rate(value: Number | None) -> str:
    """Write a small rate with two digits that say something: ``0.049``, ``2.1``, ``31``."""
    if value is None:
        return MISSING
    exact = Decimal(str(value))
    digits = max(0, 1 - exact.adjusted()) if exact else 0
    return _grouped(rounded(exact, digits))


def size(value: int | None) -> str:
    """Write a number of bytes in decimal units: ``1.2 GB``."""
    if value is None:
        return MISSING
    steps = ((1, 0, " B"), (10**3, 0, " kB"), (10**6, 1, " MB"), (10**9, 1, " GB"))
    return _scaled(value, steps)


def day(value: str | None) -> str:
    """Write an ISO date, or the date of an ISO time: ``17 Jun 2026``."""
    if value is None:
        return MISSING
    parsed = date.fromisoformat(value[:10])
    return f"{parsed.day} {MONTHS[parsed.month - 1]} {parsed.year}"


def day_short(value: str | None) -> str:
    """Write an ISO date without its year: ``18 May``."""
    return MISSING if value is None else day(value).rsplit(" ", 1)[0]


def day_before(value: str | None) -> str:
    """Write the last day that an exclusive end leaves inside: ``2026-06-17`` is ``16 Jun``."""
    if value is None:
        return MISSING
    return day_short((date.fromisoformat(value[:10]) - timedelta(days=1)).isoformat())


def moment(value: str | None) -> str:
    """Write an ISO time (UTC) as a short date and a 24-hour clock: ``17 Jun, 02:10 UTC``."""
    if value is None:
        return MISSING
    parsed = datetime.fromisoformat(value)
    return f"{day_short(parsed.date().isoformat())}, {parsed:%H:%M} UTC"


def age(minutes: Number | None) -> str:
    """Write how long before as-of something was read: ``41 min``, ``9 h``, ``3 days``."""
    if minutes is None or minutes < 0:
        return MISSING
    if minutes < 60:
        return f"{rounded(minutes)} min"
    if minutes < 48 * 60:
        return f"{rounded(Decimal(str(minutes)) / 60)} h"
    return f"{rounded(Decimal(str(minutes)) / 1440)} days"


def window(minutes: int | None) -> str:
    """Name the length of a quota window: ``5 hours``, ``week``; odd lengths stay in minutes."""
    if minutes is None:
        return MISSING
    named = {60: "hour", 1440: "day", 10080: "week"}
    if minutes in named:
        return named[minutes]
    if minutes and minutes % 1440 == 0:
        return f"{minutes // 1440} days"
    if minutes and minutes % 60 == 0:
        return f"{minutes // 60} hours"
    return f"{count(minutes)} min"


def words(value: str | None) -> str:
    """Write what a table says in words, as it stands there."""
    return MISSING if value is None else printable(value)


def formula(value: str | None) -> str:
    """Write how a cost comes about, with a true multiplication sign."""
    return words(value).replace(" x ", f" {TIMES} ")


FORMATS: Final[dict[str, Callable[..., str]]] = {
    formatter.__name__: formatter
    for formatter in (
        count,
        tokens,
        tokens_short,
        tokens_like,
        context,
        money,
        money_exact,
        price,
        blend,
        share,
        share_fine,
        share_policy,
        points,
        percent,
        factor,
        quantity,
        signed_money,
        signed_share,
        signed_tokens,
        rate,
        size,
        day,
        day_short,
        day_before,
        moment,
        age,
        window,
        words,
        formula,
    )
}
