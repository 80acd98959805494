"""How far a sum would wander if the fleet had had other sessions like these.

Belongs here: resampling whole sessions within each agent. Requests of one session are alike, so
that resampling them one by one would show an interval many times too narrow.
"""

import random
from collections.abc import Iterator
from typing import Final

import polars as pl
import pyarrow as pa

DRAWS: Final = 2_000
SEED: Final = 20_260_618
FEWEST_SESSIONS: Final = 5
"""With fewer sessions there is no interval: a handful says nothing about the spread."""
_LOW, _HIGH = 0.025, 0.975
_LARGEST_CHUNK: Final = 4_000_000
_RANGE: Final = 2**32


def sampling_intervals(
    sessions: pl.DataFrame, *, stratum: str, draws: int = DRAWS, seed: int = SEED
) -> dict[str, tuple[int, int]]:
    """Return the 2.5th and 97.5th percentile of the sum of each integer column but ``stratum``.

    One row is one session. Sums are integers and percentiles are draws, so that the same rows in
    the same order give the same interval on every machine.
    """
    columns = [name for name in sessions.columns if name != stratum]
    sums = {name: pl.zeros(draws, pl.Int64, eager=True) for name in columns}
    for _, drawn in resampled_sums(sessions, stratum=stratum, draws=draws, seed=seed):
        sums = {name: sums[name] + drawn[name] for name in columns}
    of_each = {name: middle_of(sums[name]) for name in columns}
    return {name: (int(low), int(high)) for name, (low, high) in of_each.items()}


def resampled_sums(
    sessions: pl.DataFrame, *, stratum: str, draws: int = DRAWS, seed: int = SEED
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield each stratum, in order of name, with the sums of its integer columns in each draw.

    Each draw takes as many sessions of the stratum as there are, with replacement (cluster
    bootstrap, Davison & Hinkley 1997, 3.8). What is drawn depends on the seed, the stratum's name
    and how many sessions it has: not on any other stratum.
    """
    groups = sessions.partition_by(stratum, maintain_order=True, as_dict=True, include_key=False)
    for (name,), group in sorted(groups.items()):
        generator = random.Random(f"{seed}/{name}")
        drawn = [
            group.select(pl.all().gather(rows).reshape((count, group.height)).arr.sum())
            for count, rows in _drawn_rows(generator, group.height, draws)
        ]
        yield name, pl.concat(drawn)


def middle_of(draws: pl.Series) -> tuple[float, float]:
    """Return the 2.5th and 97.5th percentile of ``draws``, both of them draws; 0 without any."""
    low, high = (draws.quantile(q, interpolation="nearest") or 0 for q in (_LOW, _HIGH))
    return low, high


def _drawn_rows(
    generator: random.Random, height: int, draws: int
) -> Iterator[tuple[int, pl.Series]]:
    """Yield how many draws, and the rows that they take, a bounded number at a time."""
    most = max(_LARGEST_CHUNK // height, 1)
    for start in range(0, draws, most):
        count = min(most, draws - start)
        size = count * height
        # Bytes of Python's own generator: the same on every machine and for every version.
        random_bytes = pa.py_buffer(generator.randbytes(4 * size))
        numbers = pl.Series(pa.Array.from_buffers(pa.uint32(), size, [None, random_bytes]))
        yield count, (numbers.cast(pl.UInt64) * height // _RANGE).cast(pl.UInt32)
