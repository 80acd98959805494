"""A configuration for LiteLLM's proxy: ``model_list`` and ``router_settings`` of its config.yaml.

Format: docs.litellm.ai/docs/proxy/configs and .../reliability. One name for each kind of packets,
``fleet-<kind>``; the next best are its fallbacks, free ones only of a free model: nothing that a
paid one was trusted with goes there by itself. One retry, as the operating rule has it.
"""

from collections.abc import Mapping
from typing import Any, Final

_PROVIDER: Final = "openrouter"
_CHOICES: Final = 3


def litellm_router(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the configuration, None where no candidate of OpenRouter is known."""
    models: list[dict[str, Any]] = []
    fallbacks: list[dict[str, list[str]]] = []
    for each in document["candidates"]:
        known = _chosen([row for row in each["models"] if row["provider"] == _PROVIDER])
        usual = f"fleet-{each['work_type'].replace('_', '-')}"
        names = [usual, *(f"{usual}-{place}" for place in range(2, len(known) + 1))][: len(known)]
        models += [_deployment(name, row) for name, row in zip(names, known, strict=True)]
        if len(names) > 1:
            fallbacks.append({usual: names[1:]})
    if not models:
        return None
    return {
        "model_list": models,
        "router_settings": {"num_retries": 1, "timeout": 120, "fallbacks": fallbacks},
    }


def _chosen(rows: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the best of a kind and those that may stand in for it."""
    return [row for row in rows if rows[0]["free"] or not row["free"]][:_CHOICES]


def _deployment(name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "model_name": name,
        "litellm_params": {
            "model": f"{_PROVIDER}/{row['provider_model']}",
            "api_key": "os.environ/OPENROUTER_API_KEY",
        },
        "model_info": {
            "mode": "chat",
            "public_packets_only": row["free"],
            "n_probes": row["n_probes"],
            "provisional": row["provisional"],
        },
    }
