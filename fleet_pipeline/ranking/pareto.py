"""Which models no other one beats in both quality and cost. Pure."""

from collections.abc import Mapping


def undominated(quality: Mapping[str, float], cost: Mapping[str, float | None]) -> frozenset[str]:
    """Return the models for which none is at least as good and as cheap, and better in one.

    A model whose cost is not known is left out: unknown is not free.
    """
    known = {model: price for model, price in cost.items() if price is not None}

    def is_beaten(model: str) -> bool:
        return any(
            quality[other] >= quality[model]
            and known[other] <= known[model]
            and (quality[other] > quality[model] or known[other] < known[model])
            for other in known
        )

    return frozenset(model for model in known if not is_beaten(model))
