"""Asking a model: one call to an OpenAI-compatible provider, one typed outcome.

Keys come from the environment, go into one header, and are never shown: not in an error, a log or a
``repr``. Every limit of ``guarded_http`` holds; redirects are not followed.
"""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.guarded_http import Bounds, Reply, Unanswered, connection
from fleet_pipeline.org.lanes import Lane
from fleet_pipeline.packets.completion import read
from fleet_pipeline.packets.outcome import Outcome, OutcomeKind
from fleet_pipeline.packets.packet import Packet
from fleet_pipeline.packets.prompt import Message

LIMITS: Final = Bounds(connect_seconds=10, total_seconds=120, bytes=1 << 20)
"""What a call may cost. An answer of the largest cap fills a fraction of the bytes."""

_KINDS: Final[Mapping[str, OutcomeKind]] = {"timed_out": "timed_out", "too_large": "malformed"}


class Client:
    """Asks providers over the network, within ``limits``, and only hosts of ``lanes``."""

    def __init__(
        self, lanes: Sequence[Lane], environment: Mapping[str, str], limits: Bounds = LIMITS
    ) -> None:
        """Take the lanes, where their keys are, and what a call may cost."""
        self._hosts = frozenset(lane.host for lane in lanes)
        self._environment = environment
        self._limits = limits

    def unready(self, lane: Lane) -> str:
        """Return why a lane cannot be asked from here, or nothing."""
        key = self._environment.get(lane.key_env, "") if lane.key_env else ""
        if lane.key_env and not key:
            return f"its key is missing: set {lane.key_env}"
        if not (key.isascii() and key.isprintable() and " " not in key):
            return f"{lane.key_env} holds no key: it has blanks or control signs in it"
        if self._environment.get("FLEET_OFFLINE", "") not in ("", "0") and not lane.is_local:
            return "FLEET_OFFLINE is set"
        return ""

    def ask(self, lane: Lane, packet: Packet, messages: Sequence[Message]) -> Outcome:
        """Return what a lane answers; raises ConfigurationError where it must not be asked."""
        if lane.host not in self._hosts:
            raise ConfigurationError(f"{lane.host} is the host of no lane; list it in lanes.yaml")
        if why := self.unready(lane):
            raise ConfigurationError(f"lane {lane.name}: {why}")
        began = time.monotonic()
        try:
            reply = asyncio.run(self._reply(lane, _body(lane, packet, messages)))
            outcome = read(reply, packet.answer_schema, packet.max_output_tokens)
        except Unanswered as failure:
            kind = _KINDS.get(failure.reason, "unavailable")
            outcome = Outcome(kind, str(failure))
        return replace(outcome, latency_seconds=time.monotonic() - began)

    async def _reply(self, lane: Lane, body: bytes) -> Reply:
        key = self._environment.get(lane.key_env, "") if lane.key_env else ""
        headers = {"authorization": f"Bearer {key}"} if key else {}
        url = f"{lane.base_url}/chat/completions"
        async with connection(url, self._limits, headers) as provider:
            return await provider.post(body)


def _body(lane: Lane, packet: Packet, messages: Sequence[Message]) -> bytes:
    body: dict[str, Any] = {
        "model": lane.model,
        "messages": list(messages),
        "max_tokens": packet.max_output_tokens,
        "temperature": 0,
        "stream": False,
    }
    if lane.structured == "json_schema":
        named = {"name": "answer", "strict": True, "schema": packet.answer_schema}
        body["response_format"] = {"type": "json_schema", "json_schema": named}
    elif lane.structured == "json_object":
        body["response_format"] = {"type": "json_object"}
    if lane.data_collection_denied:
        body["provider"] = {"data_collection": "deny"}
    return json.dumps(body).encode()
