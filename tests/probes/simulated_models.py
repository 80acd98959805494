"""A server on this machine that plays models of known quality, with good and bad answers."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from threading import Lock, Thread
from typing import Any

import yaml

from fleet_pipeline.probes.items import items

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

    def reply(self, sent: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        model = sent["model"]
        self.asked.append(model)
        if model in self.down:
            return 429, {"error": {"code": 429, "message": "later"}}
        told = sent["messages"][1]["content"]
        [name] = [item for text, item in self._ids.items() if text in told]
        known = ANSWERS[name]
        well = self._random.random() < self.rates[model]
        answer = known["good"] if well else {**known["good"], **known["misses"][0]}
        message = {"role": "assistant", "content": json.dumps(answer)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 90, "completion_tokens": 30}
        return 200, {"id": "gen-1", "model": model, "choices": [choice], "usage": usage}


@contextmanager
def serving(models: Models) -> Iterator[Models]:
    """Serve them on a free loopback port for as long as the block lasts."""
    lock = Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                status, body = models.reply(sent)
            told = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    models.url = f"http://127.0.0.1:{server.server_port}/v1"
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield models
    finally:
        server.shutdown()
        server.server_close()
