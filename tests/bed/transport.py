"""Requests in, answers out: HTTP on 127.0.0.1, and botocore's own hook, which needs no socket."""

from __future__ import annotations

import io
import sys
import threading
import traceback
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Protocol, Self
from urllib.parse import parse_qsl, unquote

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError

from bed.faults import Cut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import Message
    from types import TracebackType

JSON = "application/x-amz-json-1.1"


@dataclass(slots=True)
class Request:
    """One HTTP request; `target` is as it came, with the query."""

    method: str
    target: str
    headers: Message
    body: bytes

    @property
    def path(self) -> str:
        """The path, unquoted."""
        return unquote(self.target.partition("?")[0])

    @property
    def query(self) -> dict[str, str]:
        """The query; a word without a value is there with an empty one."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @property
    def operation(self) -> str:
        """The service and operation of a JSON request, `AWSGlue.GetTable`."""
        return self.headers.get("X-Amz-Target") or ""

    @property
    def credential(self) -> list[str]:
        """Access key, day, region, service of the signature; empty strings if there is none."""
        found = (self.headers.get("Authorization") or "").partition("Credential=")[2].partition(",")[0]
        found = found or self.query.get("X-Amz-Credential", "")
        return [*found.split("/"), "", "", "", ""][:4]


@dataclass(slots=True)
class Answer:
    """What goes back. `sent` is how many bytes of the body are really sent before the connection breaks."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    sent: int | None = None


class Answers(Protocol):
    """Whatever answers JSON requests by operation."""

    def answer(self, operation: str, body: bytes) -> tuple[int, bytes]: ...


def json_answer(service: Answers, request: Request) -> Answer:
    """A JSON service's answer to a request."""
    status, body = service.answer(request.operation.rpartition(".")[2], request.body)
    return Answer(status, body, {"Content-Type": JSON})


class _Raw(io.BytesIO):
    """A body, as botocore wants to read it."""

    def stream(self, **_options: Any) -> Iterator[bytes]:
        yield self.read()


def attach(service: Answers, session: Any) -> None:
    """Answer for a client, a boto3 session or a botocore session."""
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
        headers = {"Content-Type": JSON, "x-amzn-RequestId": str(uuid.uuid4())}
        return AWSResponse(request.url, status, headers, _Raw(answer))

    (session if events is None else events).register("before-send.glue", before_send)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    app: Callable[[Request], Answer]

    def _serve(self) -> None:
        request = Request(self.command, self.path, self.headers, self._body())
        try:
            answer = type(self).app(request)
        except Cut:
            self.close_connection = True
            return
        except Exception:  # noqa: BLE001 - a fault of the bed must be seen, not waited for
            answer = Answer(500, traceback.format_exc().encode())
            sys.stderr.write(answer.body.decode())
        self.send_response_only(answer.status)
        named = {
            "Content-Length": str(len(answer.body)),
            "x-amzn-RequestId": str(uuid.uuid4()),
            **answer.headers,
        }
        for name, value in named.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body if answer.sent is None else answer.body[: answer.sent])
        self.wfile.flush()
        if answer.sent is not None:
            self.close_connection = True

    def handle_expect_100(self) -> bool:
        """Tell a waiting client to go on; at once, or it waits a second."""
        self.send_response_only(100)
        self.end_headers()
        self.wfile.flush()
        return True

    def _body(self) -> bytes:
        if "chunked" not in (self.headers.get("Transfer-Encoding") or ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(pieces)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


for _method in ("GET", "PUT", "POST", "HEAD", "DELETE", "PATCH"):
    setattr(_Handler, f"do_{_method}", _Handler._serve)


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is no news."""


class Server:
    """HTTP on a free port of this machine, until the context ends."""

    def __init__(self, app: Callable[[Request], Answer]) -> None:
        handler = type("Handler", (_Handler,), {"app": staticmethod(app), "disable_nagle_algorithm": True})
        self._server = _Quiet(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
