"""A configuration for claude-code-router: ``Providers`` and ``Router`` of its config.json.

Format: github.com/musistudio/claude-code-router, README of 2.0.0 (a route is "provider,model";
``$NAME`` in a key is read from the environment); 3.x takes the file over as settings of an older
version, where it has none of its own. What Claude Code sends there is whole turns with private
context: no free model is ever named.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

_PROVIDER: Final = "openrouter"
_ADDRESS: Final = "https://openrouter.ai/api/v1/chat/completions"
_LONG_CONTEXT_TOKENS: Final = 200_000
"""What Claude's own usual window holds; beyond it a larger one is needed."""


def claude_code_router(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the configuration, None where no paid candidate of OpenRouter is known.

    ``default`` is the best at first-pass code, ``think`` at code review, ``background`` at
    classification, ``longContext`` the best at first-pass code whose window exceeds 200,000 tokens.
    """
    of_kind = {each["work_type"]: each["models"] for each in document["candidates"]}

    def best(kind: str, fits: Callable[[Mapping[str, Any]], bool] = lambda row: True) -> str | None:
        paid = (
            row
            for row in of_kind[kind]
            if row["provider"] == _PROVIDER and not row["free"] and fits(row)
        )
        first = next(paid, None)
        return None if first is None else f"{_PROVIDER},{first['provider_model']}"

    router = {
        "default": best("first_pass_code"),
        "background": best("classification"),
        "think": best("code_review"),
        "longContext": best(
            "first_pass_code", lambda row: (row["context_tokens"] or 0) > _LONG_CONTEXT_TOKENS
        ),
    }
    named = {slot: route for slot, route in router.items() if route}
    if "default" not in named:
        return None
    models = sorted({route.partition(",")[2] for route in named.values()})
    return {
        "Providers": [
            {
                "name": _PROVIDER,
                "api_base_url": _ADDRESS,
                "api_key": "$OPENROUTER_API_KEY",
                "models": models,
                "transformer": {"use": ["openrouter"]},
            }
        ],
        "Router": {**named, "longContextThreshold": _LONG_CONTEXT_TOKENS},
    }
