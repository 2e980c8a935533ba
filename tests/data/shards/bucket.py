"""An S3 server on loopback, and a proxy before it that breaks what the test tells it to."""

import http.client
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

import pytest

Fault = Literal["503", "drop", "truncate", "corrupt", "slow"]


class FaultyProxy(ThreadingHTTPServer):
    """Forwards to ``target``; every GET whose path contains ``victim`` takes the next of ``faults`` first."""

    daemon_threads = True

    def __init__(self, target: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = target
        self.victim = "\0"
        self.faults: deque[Fault] = deque()
        self.done: list[Fault] = []

    @property
    def url(self) -> str:
        return (
            "s3://key:secret@bucket/{path}?region=us-east-1&scheme=http"
            f"&endpoint_override=127.0.0.1:{self.server_port}"
        )

    def break_next(self, victim: str, *faults: Fault) -> None:
        self.victim, self.faults, self.done = victim, deque(faults), []


_HOP_BY_HOP = ("transfer-encoding", "content-length", "connection", "expect")


class _Handler(BaseHTTPRequestHandler):
    server: FaultyProxy
    protocol_version = "HTTP/1.1"

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while length := int(self.rfile.readline(), 16):
            body += self.rfile.read(length)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _forward(self) -> None:
        body = self._body()
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        fault = None
        if self.command == "GET" and self.server.victim in self.path and self.server.faults:
            fault = self.server.faults.popleft()
            self.server.done.append(fault)
        if fault == "drop":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        if fault == "503":
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        with closing(http.client.HTTPConnection("127.0.0.1", self.server.target)) as upstream:
            upstream.request(self.command, self.path, body, headers | {"Content-Length": str(len(body))})
            answer = upstream.getresponse()
            content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        self.end_headers()
        if fault == "truncate":
            self.wfile.write(content[: len(content) // 2])
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        elif fault == "corrupt":
            damaged = bytearray(content)
            damaged[len(damaged) // 2] ^= 1
            self.wfile.write(damaged)
        elif fault == "slow":
            for start in range(0, len(content), max(1, len(content) // 20)):
                self.wfile.write(content[start : start + max(1, len(content) // 20)])
                self.wfile.flush()
                time.sleep(0.05)
        elif self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _forward  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def s3_server() -> Iterator[FaultyProxy]:
    server = pytest.importorskip("moto.server", reason="moto, the S3 emulator, is not installed")
    moto = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    proxy = FaultyProxy(moto.get_host_and_port()[1])
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    connection = http.client.HTTPConnection("127.0.0.1", proxy.target)
    connection.request("PUT", "/bucket")
    assert connection.getresponse().status == 200
    connection.close()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
        moto.stop()
