"""Kinds of values that fields of the organisation's files have in common."""

from typing import Annotated

from pydantic import AfterValidator, Field

from fleet_pipeline.org.strict import Text


def _price_id(text: str) -> str:
    provider, slash, model = text.partition("/")
    if not (slash and provider.strip() and model.strip()):
        raise ValueError("needs a provider and a model, as in openrouter/z-ai/glm-5.2")
    return text


PriceId = Annotated[Text, AfterValidator(_price_id)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Tokens = Annotated[int, Field(gt=0)]
