"""Answers of OpenRouter and models.dev."""

import json
from typing import Any

GLM = "z-ai/glm-5.2"
PAID = {"prompt": "0.0000014", "completion": "0.0000044", "input_cache_read": "0.00000026"}


def openrouter_model(model: str = GLM, **pricing: str) -> dict[str, Any]:
    return {
        "id": model,
        "name": f"Name of {model}",
        "context_length": 1_048_576,
        "pricing": pricing or PAID,
        "top_provider": {"max_completion_tokens": 32_768},
        "supported_parameters": ["response_format", "structured_outputs"],
        "expiration_date": None,
    }


def openrouter(*models: dict[str, Any]) -> bytes:
    return json.dumps({"data": list(models or [openrouter_model()])}).encode()


def models_dev(provider: str = "zai", model: str = "glm-5.2", **cost: float) -> bytes:
    entry = {"id": model, "name": model, "cost": cost, "limit": {"context": 1000, "output": 100}}
    return json.dumps({provider: {"id": provider, "models": {model: entry}}}).encode()
