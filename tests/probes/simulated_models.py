"""A server on this machine that plays models of known quality, with good and bad answers."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import yaml

from fleet_pipeline.probes.items import items

from .. import local_server
from ..packets.completions import completion

ANSWERS = yaml.safe_load((Path(__file__).parent / "answers.yaml").read_text("utf-8"))


class Models:
    """Answers well at each model's own rate; ``down`` names those that answer 429 instead."""

    def __init__(self, rates: Mapping[str, float], seed: int = 1) -> None:
        self.rates = rates
        self.down: set[str] = set()
        self.asked: list[str] = []
        self.url = ""
        self._random = Random(seed)
        self._ids = {
            next(iter(sorted(item.inputs.values(), key=len, reverse=True))): item.id
            for item in items()
        }

    def reply(self, sent: dict[str, Any]) -> tuple[int, bytes]:
        model = sent["model"]
        self.asked.append(model)
        if model in self.down:
            return 429, b'{"error": {"code": 429, "message": "later"}}'
        told = sent["messages"][1]["content"]
        [name] = [item for text, item in self._ids.items() if text in told]
        known = ANSWERS[name]
        well = self._random.random() < self.rates[model]
        answer = known["good"] if well else {**known["good"], **known["misses"][0]}
        return 200, completion(json.dumps(answer), model=model)


@contextmanager
def serving(models: Models) -> Iterator[Models]:
    """Serve them on a free loopback port for as long as the block lasts."""
    with local_server.serving(b"", "/v1") as server:
        server.reply = models.reply
        models.url = server.url
        yield models
