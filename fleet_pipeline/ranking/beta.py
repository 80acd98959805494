"""The Beta distribution: its quantiles, and how probably one such quantity exceeds another.

Pure and deterministic: no draws. Belongs here: numbers only; what they are about is in
``evidence``.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import exp, lgamma, log, log1p
from typing import Final

_TINY: Final = 1e-300
_PRECISE: Final = 1e-14
_CELLS: Final = 2000


@dataclass(frozen=True, slots=True)
class Beta:
    """A belief about a pass rate: ``passes`` and ``failures`` count pseudo-probes, both above 0."""

    passes: float
    failures: float

    @property
    def strength(self) -> float:
        """How many probes the belief is worth."""
        return self.passes + self.failures

    @property
    def mean(self) -> float:
        """The expected pass rate."""
        return self.passes / self.strength

    def quantile(self, share: float) -> float:
        """Return the rate below which ``share`` of the belief lies; 0 < share < 1."""
        return _quantile(self.passes, self.failures, share)


def share_below(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b), for a, b > 0.

    By its continued fraction (DLMF 8.17.22), evaluated with Lentz's method on the side of the mean
    where it converges fast, and I_x(a, b) = 1 - I_(1-x)(b, a) on the other.
    """
    if x <= 0:
        return 0.0
    if x > (a + 1) / (a + b + 2):
        return 1 - share_below(1 - x, b, a)
    front = exp(a * log(x) + b * log1p(-x) - _log_beta(a, b)) / a
    return front / _fraction(x, a, b)


@lru_cache(4096)  # the weeks of a ranking's history ask for the same pairs
def probability_above(one: Beta, other: Beta) -> float:
    """Return P(one > other) for independent beliefs, to about three decimals.

    The integral of one's density times the other's distribution, summed over equal cells; both
    sides come from the same sums, so that P(a > b) + P(b > a) = 1.
    """
    if one == other:
        return 0.5
    above = below = reached_one = reached_other = 0.0
    for mine, theirs in zip(_cells(one), _cells(other), strict=True):
        above += mine * (reached_other + theirs / 2)
        below += theirs * (reached_one + mine / 2)
        reached_one += mine
        reached_other += theirs
    return above / (above + below)


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def _fraction(x: float, a: float, b: float) -> float:
    value, change, up, down = 1.0, 0.0, 1.0, 0.0
    step = 0
    while abs(change - 1) >= _PRECISE:
        step += 1
        m = step // 2
        if step % 2:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        down = 1 / _away_from_zero(1 + term * down)
        up = _away_from_zero(1 + term / up)
        change = up * down
        value *= change
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


@lru_cache(maxsize=4096)
def _quantile(a: float, b: float, share: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):  # each halves the error
        middle = (low + high) / 2
        if share_below(middle, a, b) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


@lru_cache(maxsize=512)
def _cells(belief: Beta) -> tuple[float, ...]:
    """Return the density at the middle of each cell between 0 and 1, up to a common factor."""
    a, b = belief.passes - 1, belief.failures - 1
    norm = _log_beta(belief.passes, belief.failures)
    middles = ((cell + 0.5) / _CELLS for cell in range(_CELLS))
    raw = [exp(a * log(x) + b * log1p(-x) - norm) for x in middles]
    whole = sum(raw)
    return tuple(each / whole for each in raw)
