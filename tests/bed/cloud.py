"""An AWS account that can be deployed to: ministack behind our Glue and our S3, with permissions enforced.

One address for everything, as `bed.aws` has it; which service answers is decided by the scope of the signature. The
functions that are deployed call back to the same address.
"""

from __future__ import annotations

import http.client
import importlib.util
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from aws.iam import Need, allows, needs
from bed.aws import KEYS, REGION, Aws
from bed.buckets import ACCOUNT
from bed.transport import JSON, Answer

if TYPE_CHECKING:
    from types import TracebackType

    from bed.transport import Request

ROOT = Path(__file__).resolve().parent.parent.parent
PYTHON = ROOT / ".venv-cloud" / "bin" / "python"
START = 60.0
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")
_DROPPED = {"content-length", "transfer-encoding", "connection", "server", "keep-alive", "date"}
_KEPT_BACK = {"transfer-encoding", "content-length", "expect", "connection"}


class Unavailable(Exception):  # noqa: N818 - a finding
    """The environment for the emulated services is not there."""


@dataclass(frozen=True, slots=True)
class Used:
    """A permission that was asked for: who, for what, and whether it was given."""

    principal: str
    action: str
    resource: str
    allowed: bool

    @property
    def role(self) -> str:
        """The name of the role, or nothing for a user."""
        return self.principal.split("/")[1] if ":assumed-role/" in self.principal else ""


class Cloud(Aws):
    """An AWS account with deployment services: `url` is its address; a context manager.

    `glue`, `s3` and the buckets are those of `bed.aws`; what is not there is ministack's. `used` tells every
    permission that was asked for. With `lend` it takes catalog and buckets of another account of the bed.
    """

    def __init__(self, folder: Path, lend: Aws | None = None) -> None:
        super().__init__()
        if lend:
            self.glue, self.buckets, self.s3 = lend.glue, lend.buckets, lend.s3
        self.folder = folder
        self.port = 0
        self.began = 0.0
        self._used: list[Used] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._free: list[http.client.HTTPConnection] = []

    def __enter__(self) -> Self:
        if not PYTHON.exists():
            raise Unavailable(f"{PYTHON.parent.parent.name} is not set up: `make test` does it")
        began = time.monotonic()
        super().__enter__()
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        self.began = time.monotonic() - began
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the services; a guard does it when this process dies."""
        if self._process and self._process.stdin:
            self._process.stdin.close()
            self._process.wait(30)
        self._stack.close()
        while self._free:
            self._free.pop().close()

    def _start(self) -> None:
        runtime = self.folder / "runtime"  # what Lambda has for those who bring no boto3
        runtime.mkdir()
        for name in RUNTIME:
            spec = importlib.util.find_spec(name)
            assert spec
            assert spec.origin
            found = Path(spec.origin)
            found = found.parent if found.name == "__init__.py" else found
            (runtime / found.name).symlink_to(found)
        guard, server = Path(__file__).with_name("guard.py"), Path(__file__).with_name("cloud_server.py")
        environment = {
            "PATH": "/usr/bin:/bin", "HOME": str(self.folder), "TMPDIR": str(self.folder),
            "AUTH": "true", "AWS_ENDPOINT_URL": self.url, "GATEWAY_PORT": self.url.rpartition(":")[2],
            "MINISTACK_HOST": "127.0.0.1", "MINISTACK_ACCOUNT_ID": ACCOUNT, "MINISTACK_REGION": REGION,
            "AWS_ACCESS_KEY_ID": KEYS["aws_access_key_id"], "AWS_SECRET_ACCESS_KEY": KEYS["aws_secret_access_key"],
            "AWS_EC2_METADATA_DISABLED": "true", "SFTP_ENABLED": "0", "IOT_MTLS_ENABLED": "0", "LOG_LEVEL": "INFO",
            "DOCKER_HOST": f"unix://{self.folder}/none", "SFN_WAIT_SCALE": "0.05", "PYTHONDONTWRITEBYTECODE": "1",
        }  # fmt: skip
        with (self.folder / "server.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(guard), str(PYTHON), str(server), str(self.folder)],
                cwd=self.folder, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + START
        while time.monotonic() < until:
            if self._process.poll() is not None:
                break
            try:
                self.port = int((self.folder / "port").read_text())
                if self.ask("calls", since=0) is not None:
                    return
            except (OSError, ValueError, http.client.HTTPException):
                time.sleep(0.1)
        raise RuntimeError(f"the emulated services did not start:\n{self.log(40)}")

    def log(self, lines: int = 100) -> str:
        """The end of what the services wrote."""
        return "\n".join((self.folder / "server.log").read_text("utf-8", "replace").splitlines()[-lines:])

    # -- what a test does that AWS does in time

    def ask(self, verb: str, **given: Any) -> dict[str, Any]:
        """One of the verbs of `cloud_server.py`."""
        status, body, _ = self._send("POST", f"/_bed/{verb}", {}, json.dumps(given).encode())
        answer: dict[str, Any] = json.loads(body)
        if status != http.client.OK:
            raise RuntimeError(answer.get("error", body))
        return answer

    def now(self) -> datetime:
        """The time in the account."""
        return datetime.fromtimestamp(time.time() + self.ahead, UTC)

    ahead = 0.0

    def move(self, moment: datetime) -> None:
        """Set the account's clock; it goes on from there, and what was due in between is missed."""
        self.ahead = moment.timestamp() - time.time()
        self.ask("move", ahead=self.ahead)

    def metric(self, namespace: str, name: str, value: float, **dimensions: str) -> None:
        """A metric that AWS would have put."""
        self.ask("metric", namespace=namespace, name=name, value=value, dimensions=dimensions)

    def event(self, source: str, kind: str, detail: dict[str, Any]) -> None:
        """An event that a service of AWS would have put on the bus."""
        self.ask("event", entry={"Source": source, "DetailType": kind, "Detail": json.dumps(detail)})

    # -- who did what

    @property
    def used(self) -> list[Used]:
        """Every permission that was asked for so far."""
        found = [Used(**each) for each in self.ask("calls", since=0)["calls"]]
        return found + self._used

    def _permit(self, request: Request) -> Answer | None:
        """The refusal of a request that we answer ourselves, by the policies as they are deployed."""
        who = self.ask("who", key=request.credential[0])
        if who["policies"] is None:
            return None
        for need in needs(request):
            for resource in need.resources:
                allowed = _allowed(who, need, resource)
                self._used.append(Used(who["arn"], need.action, resource, allowed))
                if not allowed:
                    return _denied(request, who["arn"], need.action, resource)
        return None

    # -- requests

    def _answer(self, request: Request) -> Answer:
        bucket = request.path.lstrip("/").partition("/")[0]
        scope = request.credential[3]
        if (
            request.operation.startswith("AWSGlue.")
            or scope == "lakeformation"
            or (scope == "s3" and self.buckets.aliases.get(bucket, bucket) in self.buckets.all)
        ):
            return self._permit(request) or super()._answer(request)
        headers = {n: v for n, v in request.headers.items() if n.lower() not in _KEPT_BACK}
        status, body, found = self._send(request.method, request.target, headers, request.body)
        kept = {name: value for name, value in found if name.lower() not in _DROPPED}
        kept = {"x-amzn-RequestId" if n.lower() == "x-amzn-requestid" else n: v for n, v in kept.items()}
        if request.method == "HEAD":
            kept["Content-Length"] = next((v for n, v in found if n.lower() == "content-length"), "0")
        return Answer(status, body, kept)

    def _send(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, bytes, list[tuple[str, str]]]:
        """One request to the services, on a connection that is free."""
        while True:
            try:
                connection, kept = self._free.pop(), True
            except IndexError:
                connection, kept = http.client.HTTPConnection("127.0.0.1", self.port, timeout=900), False
            try:
                signed = any(name.lower() == "host" for name in headers)
                connection.putrequest(method, target, skip_host=signed, skip_accept_encoding=True)
                for name, value in headers.items():
                    connection.putheader(name, value)
                connection.putheader("Content-Length", str(len(body)))
                connection.endheaders(body)
                answer = connection.getresponse()
                found = answer.status, answer.read(), answer.getheaders()
            except (OSError, http.client.HTTPException):
                connection.close()
                if not kept:
                    raise
                continue
            self._free.append(connection)
            return found


def _allowed(who: dict[str, Any], need: Need, resource: str) -> bool:
    """One document that allows is enough, if none denies and the boundary agrees."""
    layers = [who["policies"], *([who["limits"]] if who.get("limits") else [])]
    for layer in layers:
        statements = [each for document in layer for each in _listed(document["Statement"])]
        if not allows({"Statement": statements}, need.action, resource, need.context):
            return False
    return True


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _denied(request: Request, arn: str, action: str, resource: str) -> Answer:
    words = (
        f"User: {arn} is not authorized to perform: {action} on resource: {resource} because no identity-based "
        f"policy allows the {action} action"
    )
    if request.credential[3] == "s3":
        text = f"<Error><Code>AccessDenied</Code><Message>{words}</Message></Error>"
        return Answer(403, text.encode(), {"Content-Type": "application/xml"})
    return Answer(
        400,
        json.dumps({"__type": "AccessDeniedException", "Message": words}).encode(),
        {"Content-Type": JSON},
    )
