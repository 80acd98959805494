"""Tokens by billing class, and exact slices of them."""

from dataclasses import astuple, dataclass
from fractions import Fraction
from math import floor


def round_half_up(value: Fraction) -> int:
    """Return the nearest integer; a half goes up. The one rounding rule of all costs."""
    return floor(value + Fraction(1, 2))


@dataclass(frozen=True, slots=True)
class TokenClasses:
    """Disjoint classes of tokens: fresh input, two kinds of cache write, cache read, output."""

    input_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    cache_read_tokens: int = 0
    output_tokens: int = 0

    @property
    def cache_write_tokens(self) -> int:
        """Tokens written to the cache, whatever their lifetime."""
        return self.cache_write_5m_tokens + self.cache_write_1h_tokens

    @property
    def full_input_tokens(self) -> int:
        """Fresh input, cache writes and cache reads: what a request sends without a cache."""
        return self.input_tokens + self.cache_write_tokens + self.cache_read_tokens

    def __add__(self, other: "TokenClasses") -> "TokenClasses":
        """Return the sum, class by class."""
        return TokenClasses(
            self.input_tokens + other.input_tokens,
            self.cache_write_5m_tokens + other.cache_write_5m_tokens,
            self.cache_write_1h_tokens + other.cache_write_1h_tokens,
            self.cache_read_tokens + other.cache_read_tokens,
            self.output_tokens + other.output_tokens,
        )

    def part(self, share: Fraction) -> "TokenClasses":
        """Return ``share`` of every class, each rounded half up to a whole token."""
        return TokenClasses(*(round_half_up(tokens * share) for tokens in astuple(self)))
