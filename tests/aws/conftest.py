"""A service on this machine that answers what a test tells it to."""

from __future__ import annotations

import json
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


class Service:
    """Answers in the order that they were given; the last one for good."""

    def __init__(self) -> None:
        self.answers: deque[tuple[int, dict[str, Any]]] = deque([(200, {})])
        self.seen: list[tuple[str, str]] = []
        self.url = ""

    def answer(self, *answers: tuple[int, dict[str, Any]]) -> None:
        self.answers = deque(answers)

    def refuse(self, code: str, words: str = "", status: int = 400) -> None:
        self.answer((status, {"__type": code, "Message": words}))


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


@pytest.fixture
def service() -> Iterator[Service]:
    found = Service()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            found.seen.append((self.headers.get("X-Amz-Target", self.path), self.headers["User-Agent"]))
            status, content = found.answers.popleft() if len(found.answers) > 1 else found.answers[0]
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def _keys(keys: None) -> None:
    """Every test here has them."""
