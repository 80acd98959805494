"""A server on this machine that speaks the chat-completions protocol, faults included."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

GOOD = '{"label": "bug"}'


def completion(content: object = GOOD, **changes: Any) -> bytes:
    """The bytes of a chat completion with these words in it."""
    message = {"role": "assistant", "content": content, **changes.pop("message", {})}
    usage = {"prompt_tokens": 90, "completion_tokens": 7}
    choice = {"index": 0, "message": message, "finish_reason": changes.pop("finish_reason", "stop")}
    body = {"id": "gen-1", "model": "small-1", "choices": [choice], "usage": usage, **changes}
    return json.dumps(body).encode()


class ModelServer:
    """What the next calls get, the last one for good; ``asked`` holds what was sent."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[dict[str, Any]] = []
        self.headers_seen: list[dict[str, str]] = []
        self.bodies = [completion()]
        self.status = [200]
        self.headers: dict[str, str] = {}
        self.pause_before = 0.0
        self.drip = 0.0
        self.promised: int | None = None


@contextmanager
def serving() -> Iterator[ModelServer]:
    """Serve on a free loopback port for as long as the block lasts."""
    lock = Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                model.asked.append(json.loads(sent))
                model.headers_seen.append({k.lower(): v for k, v in self.headers.items()})
                body = model.bodies.pop(0) if len(model.bodies) > 1 else model.bodies[0]
                status = model.status.pop(0) if len(model.status) > 1 else model.status[0]
            time.sleep(model.pause_before)
            try:
                self.send_response(status)
                for name, value in model.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(model.promised or len(body)))
                self.end_headers()
                if not model.drip:
                    self.wfile.write(body)
                    return
                for byte in body:
                    self.wfile.write(bytes([byte]))
                    time.sleep(model.drip)
            except (BrokenPipeError, ConnectionResetError):
                pass  # whoever asked has had enough

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    model = ModelServer(f"http://127.0.0.1:{server.server_port}/v1")
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield model
    finally:
        server.shutdown()
        server.server_close()
