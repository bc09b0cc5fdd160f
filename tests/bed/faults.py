"""What can go wrong on the way, on purpose; and what was called."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable


class Refused(Exception):  # noqa: N818 - an answer of the service
    """An error that the service answers with."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(code, message)
        self.code, self.message, self.status = code, message, status


class Cut(Exception):  # noqa: N818 - an event
    """The connection breaks here."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as it came."""

    operation: str
    body: bytes

    @property
    def parameters(self) -> dict[str, Any]:
        """The request's members."""
        return msgspec.json.decode(self.body or b"{}")


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong.

    `times` is how often (None: always), after `skip` calls that fit went well. `when` takes operation and
    parameters. Of the actions at least one is given: `code` (with `status` and `message`) answers with an error;
    `seconds` waits first, `until` waits for an event (a minute at most); `cut` breaks the connection "before" the
    call is done, or "after" (done, but not told); `partial` is a test of partition values: those entries of a batch
    fail with `code`, the others are done.
    """

    operation: str = "*"
    times: int | None = 1
    skip: int = 0
    when: Callable[[str, dict[str, Any]], bool] | None = None
    code: str = ""
    status: int = 400
    message: str = "injected"
    seconds: float = 0.0
    until: threading.Event | None = None
    cut: str = ""
    partial: Callable[[list[str]], bool] | None = None

    def hold(self) -> None:
        """Wait as told."""
        time.sleep(self.seconds)
        if self.until:
            self.until.wait(60)

    def fits(self, call: Call) -> bool:
        """Whether it is its turn; counts."""
        if self.operation not in ("*", call.operation) or self.times == 0:
            return False
        if self.when and not self.when(call.operation, call.parameters):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


def throttle(operation: str = "*", times: int | None = 1, **more: Any) -> Fault:
    """Too many requests."""
    return Fault(operation, times, code="ThrottlingException", message="Rate exceeded", **more)


def broken(operation: str = "*", times: int | None = 1, **more: Any) -> Fault:
    """A server error."""
    return Fault(operation, times, code="InternalServiceException", status=500, **more)


def denied(operation: str = "*", times: int | None = None, **more: Any) -> Fault:
    """No permission, until it is taken away."""
    said = f"User: arn:aws:iam::123456789012:user/test is not authorized to perform: glue:{operation}"
    return Fault(operation, times, code="AccessDeniedException", message=said, **more)


def expired(operation: str = "*", times: int | None = None, **more: Any) -> Fault:
    """Credentials whose time is over."""
    said = "The security token included in the request is expired"
    return Fault(operation, times, code="ExpiredTokenException", message=said, **more)


@dataclass(slots=True)
class Log:
    """Calls and faults; safe for threads."""

    keep: bool = True
    calls: list[Call] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[str, str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, call: Call) -> list[Fault]:
        """Write a call down; returns the faults whose turn it is."""
        with self.lock:
            self.counts[call.operation] += 1
            if self.keep:
                self.calls.append(call)
            struck: list[Fault] = []
            for fault in self.faults:
                if fault.fits(call):
                    struck.append(fault)
                    if fault.code or fault.cut:  # one end is enough; the next one waits for its turn
                        break
            return struck

    def refusal(self, call: Call, refused: Refused) -> None:
        """Write down what was answered with an error."""
        with self.lock:
            self.refused.append((call.operation, refused.code, refused.message))

    def clear(self) -> None:
        """Forget calls and faults."""
        with self.lock:
            for kept in (self.calls, self.counts, self.refused, self.faults):
                kept.clear()
