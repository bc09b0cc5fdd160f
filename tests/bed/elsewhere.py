"""What is not ours: moto, asked without a socket."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from moto.core import DEFAULT_ACCOUNT_ID
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import EnvironBuilder, run_wsgi_app

from bed.transport import Answer

if TYPE_CHECKING:
    from bed.transport import Request

ACCOUNT = DEFAULT_ACCOUNT_ID
_app = DomainDispatcherApplication(create_backend_app)
_lock = threading.Lock()
_DROPPED = {"content-length", "transfer-encoding", "connection"}
logging.getLogger("werkzeug").setLevel(logging.ERROR)


def answer(request: Request) -> Answer:
    """Ask moto; one at a time, it is not made for more."""
    path, _, query = request.target.partition("?")
    headers = [
        (name, value) for name, value in request.headers.items() if name.lower() != "transfer-encoding"
    ]
    builder = EnvironBuilder(
        path=path, query_string=query, method=request.method, headers=headers, data=request.body
    )
    with _lock:
        body, status, found = run_wsgi_app(_app, builder.get_environ(), buffered=True)
    builder.close()
    kept = {name: value for name, value in found.items() if name.lower() not in _DROPPED}
    return Answer(int(status.split()[0]), b"".join(body), kept)


def forget() -> None:
    """Empty every service."""
    with _lock:
        moto_api_backend.reset()
