"""What became of one call: a closed set of outcomes, and which of them speak of a model."""

from dataclasses import dataclass, field
from typing import Final, Literal

from fleet_pipeline.packets.rate_limits import ToldLimit

OutcomeKind = Literal[
    "answered",
    "schema_violation",
    "refused",
    "empty",
    "too_long",
    "rate_limited",
    "unavailable",
    "timed_out",
    "malformed",
]

QUALITY: Final[frozenset[OutcomeKind]] = frozenset(
    ("answered", "schema_violation", "refused", "empty", "too_long")
)
"""A model answered, well or badly. All others are the provider's, and say nothing of the model."""

CORRECTABLE: Final[frozenset[OutcomeKind]] = frozenset(("schema_violation", "empty"))
"""What a second attempt may mend that is told what was wrong."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the provider counted them; None where it did not say."""

    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    """Of the prompt, those that a cache held."""
    output_tokens: int | None = None
    cost_usd_micros: int | None = None
    """What the provider says that it charged (OpenRouter's ``usage.cost``)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One call. ``says`` never quotes what was sent or answered, so that it may be logged."""

    kind: OutcomeKind
    says: str
    status: int | None = None
    latency_seconds: float = 0.0
    usage: Usage = Usage()
    request_id: str | None = None
    served_model: str | None = None
    """The model, host and build that answered, as the provider names them."""
    retry_after_seconds: float | None = None
    told_limits: tuple[ToldLimit, ...] = ()
    """What the provider's headers say is left of its allowances."""
    answer: object = field(default=None, repr=False)
    """The JSON value, where it was answered."""
    text: str = field(default="", repr=False)
    """The words of the answer as they came, within the cap."""
    violation: str = field(default="", repr=False)
    """What is wrong with the answer, for the model that gave it; may quote it."""

    @property
    def is_quality(self) -> bool:
        """Say whether it counts for or against the model; outages and 429s never do."""
        return self.kind in QUALITY
