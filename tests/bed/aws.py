"""One AWS on one address: S3 and the strict Glue of our own, the rest by moto; and a second address for Trino."""

from __future__ import annotations

import functools
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

import boto3
from botocore.config import Config

from bed.faults import Call, Cut, Fault, Log, Refused
from bed.glue import StrictGlue
from bed.s3 import S3, Buckets
from bed.shim import Shim, names_for_trino
from bed.transport import Answer, Request, Server, json_answer

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType

    from bed.buckets import Bucket

REGION = "us-east-1"
# Whoever signs with these is the account's root; moto's STS gives others.
KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}


class Aws:
    """An AWS account on 127.0.0.1: `url` for the product, `trino_url` for Trino; a context manager.

    `glue` is the strict catalog, `s3` and `trino_s3` the two views of `buckets` with their own logs, `other` the log
    of what went to moto (operations as `service.Operation`); faults are injected into each of them.
    """

    def __init__(self) -> None:
        self.glue = StrictGlue()
        self.buckets = Buckets()
        self.s3 = S3(self.buckets)
        self.trino_s3 = S3(self.buckets, Shim())
        self.other = Log()
        self._stack = ExitStack()
        self._for_us, self._for_trino = Server(self._answer), Server(self._show)
        self.url, self.trino_url = self._for_us.url, self._for_trino.url

    def __enter__(self) -> Self:
        self._stack.enter_context(self._for_us)
        self._stack.enter_context(self._for_trino)
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._stack.close()

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client on this endpoint; tries once."""
        config = options.pop("config", None) or Config(retries={"total_max_attempts": 1})
        options = {"region_name": REGION, "endpoint_url": self.url, **KEYS, **options}
        found = _session().client(service, config=config, **options)
        self._stack.callback(found.close)
        return found

    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to reach this AWS and no other."""
        return {
            "AWS_ENDPOINT_URL": self.url, "AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ACCESS_KEY_ID": KEYS["aws_access_key_id"], "AWS_SECRET_ACCESS_KEY": KEYS["aws_secret_access_key"],
        }  # fmt: skip

    def bucket(self, name: str, objects: Iterable[tuple[str, bytes]] = (), **more: str) -> Bucket:
        """A bucket with objects, without going through HTTP."""
        found = self.buckets.make(name, **more)
        found.put_all(objects)
        return found

    def upload(self, name: str, folder: Path, pattern: str = "**/*") -> Bucket:
        """A folder's files as a bucket."""
        files = (path for path in sorted(folder.glob(pattern)) if path.is_file())
        return self.bucket(name, ((path.relative_to(folder).as_posix(), path.read_bytes()) for path in files))

    def _answer(self, request: Request) -> Answer:
        if request.operation.startswith("AWSGlue."):
            return json_answer(self.glue, request)
        if request.credential[3] in ("s3", "") and not request.operation:
            answer = self.s3(request)
            if answer.status != 501:
                return answer
        return self._moto(request)

    def _show(self, request: Request) -> Answer:
        if not request.operation.startswith("AWSGlue."):
            return self.trino_s3(request)
        answer = json_answer(self.glue, request)
        answer.body = names_for_trino(answer.body)
        return answer

    def _moto(self, request: Request) -> Answer:
        call = Call(f"{request.credential[3]}.{_name(request)}", request.body)
        for fault in self.other.note(call):
            if fault.cut:
                raise Cut(call.operation)
            if fault.code:
                return _refusal(fault)
        from bed import elsewhere  # noqa: PLC0415 - moto takes a second to load, and most tests need none of it

        return elsewhere.answer(request)

    def restart(self) -> None:
        """Empty everything that moto holds."""
        from bed import elsewhere  # noqa: PLC0415 - as above

        elsewhere.forget()


def _name(request: Request) -> str:
    """The operation of a request, where the request says it."""
    if request.operation:
        return request.operation.rpartition(".")[2]
    asked = Request("POST", "?" + request.body.decode("utf-8", "replace"), request.headers, b"").query
    return asked.get("Action") or f"{request.method} {request.path}"


def _refusal(fault: Fault) -> Answer:
    refused = Refused(fault.code, fault.message, fault.status)
    text = f'{{"__type": "{refused.code}", "message": "{refused.message}"}}'
    return Answer(refused.status, text.encode(), {"Content-Type": "application/x-amz-json-1.1"})


@functools.cache
def _session() -> boto3.Session:
    return boto3.Session()


__all__ = ["Aws"]
