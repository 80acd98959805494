"""S3 servers to test against, and a proxy before them that counts requests and breaks answers.

rclone is a process of its own that checks signatures and keeps files; moto heeds conditions as AWS
does (If-Match, parts that are copied), which rclone does not.
"""

import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fcntl import ioctl
from functools import cache
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from termios import TIOCOUTQ
from typing import Any, Literal

import boto3
from moto.server import ThreadedMotoServer

KEY_ID, SECRET = "TESTACCESSKEY", "testsecretkey"

How = Literal["500", "503", "reset", "short", "stalled", "refused"]


@dataclass
class Fault:
    """What happens to the next ``times`` answers that ``when`` picks by method and address."""

    when: Callable[[str, str], bool]
    how: How
    times: int
    after: int = 0


@dataclass
class Proxy:
    """Stands before a server; ``seen`` are the requests that came, as (method, address)."""

    upstream: int
    seen: list[tuple[str, str]] = field(default_factory=list)
    bytes_out: int = 0
    bytes_in: int = 0
    faults: list[Fault] = field(default_factory=list)
    before: list[Callable[[str, str], None]] = field(default_factory=list)
    url: str = ""

    def anew(self) -> "Proxy":
        """Forget what was seen and what was to be broken."""
        self.seen, self.bytes_out, self.bytes_in, self.faults, self.before = [], 0, 0, [], []
        return self

    def objects_got(self) -> list[str]:
        """Return the addresses of all objects that were asked for, listings left out."""
        return [path for method, path in self.seen if method == "GET" and "list-type" not in path]

    def break_objects(self, how: How, *, times: int, after: int = 0, name: str = "") -> None:
        """Let the next answers with an object's bytes fail; ``after`` so many of them."""

        def is_object(method: str, path: str) -> bool:
            return method == "GET" and "list-type" not in path and name in path

        self.faults.append(Fault(is_object, how, times, after))

    def break_uploads(self, how: How, *, times: int) -> None:
        """Let the next uploads fail."""
        self.faults.append(Fault(lambda method, _: method == "PUT", how, times))

    def break_parts(self, *, times: int) -> None:
        """Let the second part of each upload in parts fail."""
        self.faults.append(Fault(lambda _, path: "partNumber=2" in path, "500", times))

    def uploads(self) -> list[str]:
        """Return the addresses that something was put to."""
        return [path for method, path in self.seen if method == "PUT"]

    def fault(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and fault.when(method, path):
                fault.times -= 1
                return fault
        return None


def _handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else the body waits 40 ms for word that the headers came

        def _forward(self) -> None:
            proxy.seen.append((self.command, self.path))
            for step in list(proxy.before):
                step(self.command, self.path)
            body = self._body()
            proxy.bytes_in += len(body)
            fault = proxy.fault(self.command, self.path)
            if fault and fault.how in ("500", "503"):
                self.send_response(int(fault.how))
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if fault and fault.how == "refused":
                return self._reset()
            upstream = HTTPConnection("127.0.0.1", proxy.upstream, timeout=30)
            headers = dict(self.headers.items())
            headers.pop("Expect", None)
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("transfer-encoding", "connection", "date", "server"):
                    self.send_header(name, value)
            length = answer.getheader("Content-Length")
            if length is None and self.command != "HEAD":
                self.send_header("Connection", "close")
                self.close_connection = True
            self.end_headers()
            if self.command != "HEAD":
                self._answer(answer, fault)
            upstream.close()

        def _body(self) -> bytes:
            if self.headers.get("Expect"):
                self.send_response_only(100)
                self.end_headers()
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def _answer(self, answer: object, fault: Fault | None) -> None:
            left = fault.after if fault else None
            while chunk := answer.read(65536 if left is None else min(65536, left)):
                self.wfile.write(chunk)
                proxy.bytes_out += len(chunk)
                if left is not None:
                    left -= len(chunk)
            if fault and fault.how == "stalled":
                self.wfile.flush()
                time.sleep(1.5)
            if fault and fault.how == "reset":
                self._reset()
            elif fault:
                self.close_connection = True

        def _reset(self) -> None:
            self.wfile.flush()
            # What was sent and has not come yet would be lost with it: how much, is chance.
            for _ in range(500):
                on_its_way = ioctl(self.connection, TIOCOUTQ, bytes(4))
                if not any(on_its_way):
                    break
                time.sleep(0.01)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _forward

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


@contextmanager
def proxied(upstream: int) -> Iterator[Proxy]:
    """Run a proxy before the server on a port of this machine."""
    proxy = Proxy(upstream)

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that hung up is a part of the test."""

    with Server(("127.0.0.1", 0), _handler(proxy)) as server:
        proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield proxy
        server.shutdown()


@contextmanager
def moto() -> Iterator[int]:
    """Run moto's server in this process; give its port."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield server.get_host_and_port()[1]
    finally:
        server.stop()


@contextmanager
def rclone(folder: Path) -> Iterator[int]:
    """Run rclone's server over ``folder``, whose folders are buckets; give its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        str(Path(sys.executable).with_name("rclone")), "serve", "s3", str(folder),
        "--addr", f"127.0.0.1:{port}", "--auth-key", f"{KEY_ID},{SECRET}",
        "--vfs-cache-mode", "writes", "--cache-dir", f"{folder}.cache", "--etag-hash", "MD5",
    ]  # fmt: skip
    environment = os.environ | {"RCLONE_CONFIG": os.devnull}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
        try:
            deadline = time.monotonic() + 30
            while True:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                assert process.poll() is None, "rclone ended"
                assert time.monotonic() < deadline, "rclone does not answer"
                time.sleep(0.05)
            yield port
        finally:
            process.terminate()


@cache
def _client(port: int) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
        region_name="us-east-1",
    )


class Store:
    """One bucket behind a proxy, looked at past the product."""

    def __init__(self, proxy: Proxy, bucket: str) -> None:
        self.proxy, self.bucket = proxy, bucket
        self._client = _client(proxy.upstream)
        self._client.create_bucket(Bucket=bucket)

    def put(self, key: str, data: bytes, **metadata: str) -> None:
        self._client.put_object(Bucket=self.bucket, Key=key, Body=data, Metadata=metadata)

    def get(self, key: str) -> bytes:
        data: bytes = self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return data

    def delete(self, key: str) -> None:
        self._client.delete_object(Bucket=self.bucket, Key=key)

    def names(self) -> list[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return [entry["Key"] for page in pages for entry in page.get("Contents", ())]

    def unfinished_uploads(self) -> int:
        return len(self._client.list_multipart_uploads(Bucket=self.bucket).get("Uploads", ()))
