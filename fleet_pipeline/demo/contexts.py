"""How much context each request carries: the mixture that meets the volumes' means and quantiles.

Conversations grow until their window is compacted, so contexts are spread almost evenly between
the opening prompt and the window's end. Two windows exist, 200k and 1M; what differs between
agents is the share of their requests made in the long one. Not here: which request comes when.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from fleet_pipeline.demo import volumes
from fleet_pipeline.demo.apportion import settle

Window = Literal["standard", "long"]

SMALLEST_CONTEXT_TOKENS = 12_000
LARGEST_CONTEXT_TOKENS = 1_000_000


@dataclass(frozen=True, slots=True)
class Spread:
    """Contexts of one window, in tokens: even from `low` to `middle`, and from there to `high`.

    `share_below` of the requests lie below `middle`.
    """

    low: float
    middle: float
    high: float
    share_below: float

    @property
    def mean(self) -> float:
        """Mean context in tokens."""
        below, above = (self.low + self.middle) / 2, (self.middle + self.high) / 2
        return self.share_below * below + (1 - self.share_below) * above

    def share_up_to(self, tokens: float) -> float:
        """Share of the requests below `tokens`, which lies between `low` and `middle`."""
        return self.share_below * (tokens - self.low) / (self.middle - self.low)

    def at(self, quantile: float) -> int:
        """Context in tokens at a quantile in [0, 1]."""
        if quantile <= self.share_below:
            return round(self.low + (self.middle - self.low) * quantile / self.share_below)
        above = (quantile - self.share_below) / (1 - self.share_below)
        return round(self.middle + (self.high - self.middle) * above)


@cache
def spreads() -> dict[Window, Spread]:
    """Return the spread of each window at which the whole fleet's p50 and p90 are the reference's.

    With W the share of requests in the long window, three equations hold: the fleet's mean is
    mixed from both means; only the long window reaches p90, so W (1 - below) = 10 %; and both
    windows together lie half below p50. Repeated substitution settles within a few rounds.
    """
    p50, p90 = volumes.CONTEXT_P50_TOKENS, volumes.CONTEXT_P90_TOKENS
    fleet_mean = volumes.FULL_INPUT_TOKENS / volumes.REQUESTS
    standard_below = long_below = 0.75
    for _ in range(100):
        standard = Spread(18_000, p50, 185_000, standard_below)
        long = Spread(28_000, p90, 965_000, long_below)
        long_share = (fleet_mean - standard.mean) / (long.mean - standard.mean)
        long_below = 1 - 0.1 / long_share
        standard_below = (0.5 - long_share * long.share_up_to(p50)) / (1 - long_share)
    return {"standard": standard, "long": long}


def long_window_requests(requests: int, full_input_tokens: int) -> int:
    """Count the requests, out of `requests`, that must be long for the mean to come out."""
    standard, long = spreads()["standard"].mean, spreads()["long"].mean
    share = (full_input_tokens / requests - standard) / (long - standard)
    return round(requests * min(1.0, max(0.0, share)))


def contexts(
    drafts: Sequence[float], windows: Sequence[Window], full_input_tokens: int
) -> list[int]:
    """Turn the drafts of one agent's contexts into tokens that add up to `full_input_tokens`.

    The smallest draft of a window becomes that window's smallest context, and so on upwards:
    what grew in the draft still grows, and the values are the ones that the volumes ask for.
    """
    values = [0] * len(drafts)
    for window, spread in spreads().items():
        members = [index for index, own in enumerate(windows) if own == window]
        members.sort(key=drafts.__getitem__)
        for rank, index in enumerate(members):
            values[index] = spread.at((rank + 0.5) / len(members))
    return settle(
        values,
        full_input_tokens,
        floors=[SMALLEST_CONTEXT_TOKENS] * len(values),
        ceilings=[LARGEST_CONTEXT_TOKENS] * len(values),
    )
