"""A server on this machine that speaks OpenRouter's and models.dev's protocols, faults included."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
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


class FeedServer:
    """What the next requests get; ``asked`` counts them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked = 0
        self.body = openrouter()
        self.status = [200]
        self.headers: dict[str, str] = {}
        self.pause_before = 0.0
        self.drip = 0.0
        self.promised: int | None = None


@contextmanager
def serving() -> Iterator[FeedServer]:
    """Serve on a free loopback port for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            feed.asked += 1
            status = feed.status.pop(0) if len(feed.status) > 1 else feed.status[0]
            time.sleep(feed.pause_before)
            try:
                self.send_response(status)
                for name, value in feed.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(feed.promised or len(feed.body)))
                self.end_headers()
                if not feed.drip:
                    self.wfile.write(feed.body)
                    return
                for byte in feed.body:
                    self.wfile.write(bytes([byte]))
                    time.sleep(feed.drip)
            except (BrokenPipeError, ConnectionResetError):
                pass  # whoever asked has had enough

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    feed = FeedServer(f"http://127.0.0.1:{server.server_port}/api")
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield feed
    finally:
        server.shutdown()
        server.server_close()
