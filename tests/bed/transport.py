"""Two ways to the same catalog: HTTP on 127.0.0.1, and botocore's own hook, which needs no socket."""

from __future__ import annotations

import io
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Protocol, Self

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError

from bed.faults import Cut

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

TYPE = "application/x-amz-json-1.1"


class Answers(Protocol):
    """Whatever answers JSON requests by operation."""

    def answer(self, operation: str, body: bytes) -> tuple[int, bytes]: ...


class _Raw(io.BytesIO):
    """A body, as botocore wants to read it."""

    def stream(self, **_options: Any) -> Iterator[bytes]:
        yield self.read()


def headers() -> dict[str, str]:
    """What every answer carries."""
    return {"Content-Type": TYPE, "x-amzn-RequestId": str(uuid.uuid4())}


def attach(service: Answers, session: Any) -> None:
    """Register on a client, a boto3 session or a botocore session."""
    meta = getattr(session, "meta", None)
    events = getattr(meta, "events", None) or getattr(session, "events", None)

    def before_send(request: Any, **_: Any) -> AWSResponse:
        target = request.headers["X-Amz-Target"]
        operation = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        try:
            status, answer = service.answer(operation, body)
        except Cut as cut:
            raise ConnectionClosedError(endpoint_url=request.url) from cut
        return AWSResponse(request.url, status, headers(), _Raw(answer))

    if events is None:
        session.register("before-send.glue", before_send)
    else:
        events.register("before-send.glue", before_send)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service: Answers

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        operation = (self.headers.get("X-Amz-Target") or "").rpartition(".")[2]
        try:
            status, answer = self.service.answer(operation, body)
        except Cut:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers().items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Server:
    """HTTP on a free port of this machine, until the context ends."""

    def __init__(self, service: Answers) -> None:
        handler = type("Handler", (_Handler,), {"service": service, "disable_nagle_algorithm": True})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
