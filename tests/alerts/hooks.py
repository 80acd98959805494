"""A server on this machine that takes JSON, faults included."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class Hook:
    """A place that takes JSON: what it got, and what it answers next."""

    url: str
    taken: list[Any] = field(default_factory=list)
    status: list[int] = field(default_factory=lambda: [200])
    pause_seconds: float = 0.0


@contextmanager
def hooked() -> Iterator[Hook]:
    """Serve on a free loopback port for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            time.sleep(made.pause_seconds)
            status = made.status.pop(0) if len(made.status) > 1 else made.status[0]
            if status == 200:
                made.taken.append(json.loads(body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made = Hook(f"http://127.0.0.1:{server.server_port}/hooks/a-secret")
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()
