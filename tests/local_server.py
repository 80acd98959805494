"""A server on this machine for tests of what asks the network, faults included."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any


class LocalServer:
    """What the next requests get, the last of a list for good; ``asked`` holds what was sent."""

    def __init__(self, url: str, body: bytes) -> None:
        self.url = url
        self.asked: list[Any] = []
        """The JSON of each request, None where it had no body."""
        self.headers_seen: list[dict[str, str]] = []
        self.bodies = [body]
        self.status = [200]
        self.headers: dict[str, str] = {}
        self.pause_before = 0.0
        self.drip = 0.0
        self.promised: int | None = None
        self.reply: Callable[[Any], tuple[int, bytes]] | None = None
        """Status and body for what was sent, instead of ``status`` and ``bodies``."""


@contextmanager
def serving(body: bytes, path: str) -> Iterator[LocalServer]:
    """Serve on a free loopback port for as long as the block lasts; ``body`` until told else."""
    lock = Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with lock:
                told.asked.append(json.loads(sent) if sent else None)
                told.headers_seen.append({k.lower(): v for k, v in self.headers.items()})
                answer = told.bodies.pop(0) if len(told.bodies) > 1 else told.bodies[0]
                status = told.status.pop(0) if len(told.status) > 1 else told.status[0]
                if told.reply:
                    status, answer = told.reply(told.asked[-1])
            time.sleep(told.pause_before)
            try:
                self.send_response(status)
                for name, value in told.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(told.promised or len(answer)))
                self.end_headers()
                if not told.drip:
                    self.wfile.write(answer)
                    return
                for byte in answer:
                    self.wfile.write(bytes([byte]))
                    time.sleep(told.drip)
            except (BrokenPipeError, ConnectionResetError):
                pass  # whoever asked has had enough

        do_POST = do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    told = LocalServer(f"http://127.0.0.1:{server.server_port}{path}", body)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
