"""The shape of what the replay of moved work assumes: nothing in it is measured by this product.

Each assumption has a value for the low, the expected and the high cost, and says why.
"""

from typing import Literal

from pydantic import Field, model_validator

from fleet_pipeline.org.fields import Amount, PriceId, Share, Tokens
from fleet_pipeline.org.strict import Strict, Text
from fleet_pipeline.org.work import BOUNDED, Kind

_BECAUSE = Field(
    description="where the values come from", examples=["assumed; nothing is measured yet"]
)


class CacheRules(Strict):
    """How a provider caches the prompts of a model."""

    kind: Literal["none", "implicit", "explicit"] = Field(
        description="none; implicit, which is not promised; explicit, which is asked for",
        examples=["implicit"],
    )
    ttl_seconds: Tokens | None = Field(
        default=None, description="how long an unused prompt is kept", examples=["600"]
    )
    block_tokens: Tokens = Field(
        default=1, description="hits come in blocks of so many tokens", examples=["64"]
    )
    minimum_tokens: Tokens = Field(
        default=1, description="shorter prompts are not kept", examples=["1024"]
    )
    because: Text = _BECAUSE

    @model_validator(mode="after")
    def _says_how_long(self) -> "CacheRules":
        if (self.kind == "none") is not (self.ttl_seconds is None):
            raise ValueError("needs ttl_seconds unless its kind is none; write ttl_seconds: 300")
        return self


class AssumedShare(Strict):
    """A share in the case of low, expected and high cost."""

    low: Share = Field(description="the share in the cheap case, 0 to 1", examples=["0.95"])
    expected: Share = Field(description="the share to expect, 0 to 1", examples=["0.5"])
    high: Share = Field(description="the share in the dear case, 0 to 1", examples=["0.0"])
    because: Text = _BECAUSE


class AssumedAmount(Strict):
    """A ratio or an amount, of 0 or more, in the case of low, expected and high cost."""

    low: Amount = Field(description="the amount in the cheap case", examples=["1.0"])
    expected: Amount = Field(description="the amount to expect", examples=["1.0"])
    high: Amount = Field(description="the amount in the dear case", examples=["1.3"])
    because: Text = _BECAUSE


class Assumptions(Strict):
    """What the cost of moved work depends on and no transcript tells."""

    cache_hits: AssumedShare = Field(
        description="how often an implicit cache holds what it may hold"
    )
    tokens_ratio: AssumedAmount = Field(
        description="tokens of the same text on the other model, for each of Claude's"
    )
    output_ratio: AssumedAmount = Field(
        description="tokens that the other model writes for each of Claude's"
    )
    retries: AssumedAmount = Field(description="further attempts for each request")
    escalated: AssumedShare = Field(description="share of requests that Claude does again")
    verify_input_tokens: AssumedAmount = Field(
        description="what Claude reads to verify the outcome of one turn, tokens"
    )
    verify_output_tokens: AssumedAmount = Field(
        description="what Claude writes to verify the outcome of one turn, tokens"
    )


class Subscription(Strict):
    """A lane that a plan pays: nobody bills its tokens, its quota windows are what bounds it."""

    id: Text = Field(description="a name for --model", examples=["codex"])
    name: Text = Field(description="the name on the page", examples=["Codex (GPT-5.5)"])
    limits: tuple[Text, ...] = Field(
        min_length=1,
        description="the quota windows that its work draws on, by their limit's id",
        examples=["[codex]"],
    )
    price_id: PriceId | None = Field(
        default=None,
        description="the price of the same model over an API, where there is one",
        examples=["openai/gpt-5.5"],
    )
    kinds: tuple[Kind, ...] = Field(
        default=tuple(sorted(BOUNDED)),
        description="the kinds of work that may go there; all bounded ones where left out",
        examples=["[packet, extraction]"],
    )
    context_tokens: Tokens | None = Field(
        default=None, description="its context window in tokens", examples=["400000"]
    )
    max_input_tokens: Tokens | None = Field(
        default=None, description="its cap on a prompt, where that is less", examples=["258400"]
    )
    max_output_tokens: Tokens | None = Field(
        default=None, description="its longest output in tokens", examples=["128000"]
    )
    cache: CacheRules | None = Field(
        default=None, description="how it caches prompts; none where left out"
    )
    because: Text = _BECAUSE

    @model_validator(mode="after")
    def _takes_bounded_work(self) -> "Subscription":
        if loose := set(self.kinds) - BOUNDED:
            raise ValueError(f"takes {', '.join(sorted(loose))}, which never leaves Claude")
        return self


class Replay(Strict):
    """``replay`` of ``offload.yaml``: how moved work is priced request by request."""

    stays_on: PriceId = Field(
        description="the model whose price staying, verifying and doing again have",
        examples=["anthropic/claude-sonnet-4-6"],
    )
    room: Share = Field(
        description="share of a window, less the longest output, that a prompt may fill",
        examples=["0.95"],
    )
    packet_tokens: tuple[Tokens, ...] = Field(
        description="sizes of packets to price, tokens of input", examples=["[4000, 8000]"]
    )
    assumptions: Assumptions = Field(description="what no transcript tells")
    subscriptions: tuple[Subscription, ...] = Field(
        default=(),
        description="lanes that a plan pays, where each agent's target_share may go",
        examples=["[]"],
    )
