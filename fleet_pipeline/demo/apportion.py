"""Splitting whole numbers exactly: parts that always add up to the total they came from."""

from collections.abc import Sequence
from itertools import accumulate


def apportion(total: int, weights: Sequence[float], *, minimum: int = 0) -> list[int]:
    """Split `total` in proportion to `weights`, each part at least `minimum`; exact in the sum.

    Rounds the running sum rather than each part, so that no remainder is left to hand out.
    """
    if not weights:
        return []
    shared = total - minimum * len(weights)
    whole = sum(weights)
    edges = [round(shared * running / whole) for running in accumulate(weights)]
    edges[-1] = shared
    return [minimum + edge - before for before, edge in zip([0, *edges[:-1]], edges, strict=True)]


def settle(
    values: Sequence[int], total: int, *, floors: Sequence[int], ceilings: Sequence[int]
) -> list[int]:
    """Move `values` by as little as each has room for, until they add up to `total`.

    Order is kept where the bounds are equal. A total that the bounds cannot hold gives the bounds.
    """
    gap = total - sum(values)
    bounds = ceilings if gap > 0 else floors
    room = [abs(bound - value) for value, bound in zip(values, bounds, strict=True)]
    if not any(room):
        return list(values)
    moves = apportion(min(abs(gap), sum(room)), room)
    sign = 1 if gap > 0 else -1
    return [value + sign * move for value, move in zip(values, moves, strict=True)]
