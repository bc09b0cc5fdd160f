"""One writer at a time in a lake in S3: an object that one run at a time holds, and that expires with its holder.

Time is S3's own: how long ago the object was written by the clock that answers. So no clock of a machine counts, and
a holder that is late in renewing it may find that another run has taken it.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from trailhouse.errors import AwsError, ConflictError, LakeError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from trailhouse.lake.s3_files import S3Files

NAME = "lock.json"
SECONDS = 120
"""After which a lock that was not renewed is free; it is renewed four times as often."""

_TRIES = 20
_PAUSE = 2.0


class State(StrEnum):
    """How its last holder left the lock."""

    HELD = "held"
    FREE = "free"
    UNCLEAN = "unclean"


@dataclass(frozen=True, slots=True)
class Lock:
    """What the object says.

    Attributes:
        holder: The run that wrote it.
        fence: Counts the runs that held it; never goes back.
        state: How it is, or was left.
        seconds: How long it holds without being renewed.
    """

    holder: str
    fence: int
    state: State
    seconds: int = SECONDS

    def to_json(self) -> str:
        """As it is stored."""
        said = {"holder": self.holder, "fence": self.fence, "state": self.state, "seconds": self.seconds}
        return json.dumps(said, indent=2)

    @classmethod
    def from_json(cls, text: str, place: str) -> Lock:
        """What is stored. Raises LakeError for what is none."""
        try:
            said = json.loads(text)
            return cls(str(said["holder"]), int(said["fence"]), State(said["state"]), int(said["seconds"]))
        except (ValueError, KeyError, TypeError) as error:
            raise LakeError(f"{place} is no lock: remove it when no run is on, and run again") from error


class Lease:
    """The lock of one lake, for one run.

    Attributes:
        fence: The number of this run among all holders; 0 before it holds the lock.
        unclean: The last holder died or failed: it may have left files, and may wake up.
    """

    def __init__(
        self,
        files: S3Files,
        holder: str,
        *,
        seconds: int = SECONDS,
        patience: float = 0.0,
        pause: float = _PAUSE,
    ) -> None:
        """Make no call yet.

        Args:
            files: Of the lake.
            holder: A name for this run that no other has.
            seconds: How long the lock holds without being renewed.
            patience: Seconds to wait for another run at most.
            pause: Seconds between two looks.
        """
        self._files = files
        self._place = files.location(NAME)
        self._own = Lock(holder, 0, State.HELD, seconds)
        self._patience = patience
        self._pause = pause
        self._etag = ""
        self._lost = False
        self._ended = threading.Event()
        self._busy = threading.Lock()
        self._renewing: threading.Thread | None = None
        self.unclean = False

    @property
    def fence(self) -> int:
        """The number of this run among all holders."""
        return self._own.fence

    def acquire(self, waiting: Callable[[], None]) -> None:
        """Take the lock.

        Args:
            waiting: Called once if another run has it.

        Raises:
            LakeError: It is still held after all patience.
            AwsError: S3 refuses.
        """
        since = time.monotonic()
        told = False
        while (holder := self._try()) is not None:
            if not told:
                waiting()
                told = True
            if time.monotonic() - since >= self._patience:
                raise LakeError(
                    f"another run ({holder}) is taking files into {self._files.uri}: run again when it is done; "
                    f"should it have died, its lock ends by itself {self._own.seconds} s after"
                )
            time.sleep(self._pause)
        self._renewing = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._renewing.start()

    def _try(self) -> str | None:
        """Take the lock if it can be had; who has it otherwise."""
        for _ in range(_TRIES):
            try:
                found, etag, age = self._look()
            except NotFoundError:
                if self._take(Lock("", 0, State.FREE), {"IfNoneMatch": "*"}):
                    return None
                continue
            if found.state is State.HELD and found.holder == self._own.holder:  # an answer was lost
                self._own, self._etag, self.unclean = found, etag, True
                return None
            if found.state is State.HELD and age <= found.seconds:
                return found.holder
            if self._take(found, {"IfMatch": etag}):
                return None
        return "many at once"

    def _look(self) -> tuple[Lock, str, float]:
        """The lock, its ETag, and how long ago it was written."""
        answer = self._files.get(self._place)
        text = answer["Body"].read().decode("utf-8", "replace")
        now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        age = (now - answer["LastModified"]).total_seconds()
        return Lock.from_json(text, self._place), str(answer["ETag"]), age

    def _take(self, last: Lock, condition: dict[str, str]) -> bool:
        own = replace(self._own, fence=last.fence + 1)
        try:
            self._etag = self._files.put(self._place, own.to_json().encode(), **condition)
        except (ConflictError, NotFoundError):
            return False  # another was quicker
        self._own = own
        self.unclean = last.state is not State.FREE
        return True

    def _renew(self) -> None:
        while not self._ended.wait(self._own.seconds / 4):
            try:
                self._write(State.HELD)
            except AwsError:
                continue  # the next time, perhaps
            if self._lost:
                return

    def _write(self, state: State) -> None:
        """Write the lock over its own last version; notices when that is not there any more."""
        own = replace(self._own, state=state)
        with self._busy:
            try:
                self._etag = self._files.put(self._place, own.to_json().encode(), IfMatch=self._etag)
            except (ConflictError, NotFoundError):
                self._lost = not self._is_own()

    def _is_own(self) -> bool:
        """Whether the lock is this run's all the same, because only an answer was lost; it is read again then."""
        try:
            found, etag, _ = self._look()
        except NotFoundError:
            return False
        if (found.holder, found.fence) != (self._own.holder, self._own.fence):
            return False
        self._etag = etag
        return True

    def check(self) -> None:
        """Make sure that the lock is held, by looking. Raises LakeError when another run has taken it."""
        with self._busy:
            self._lost = self._lost or not self._is_own()
        if self._lost:
            raise LakeError(
                f"another run has taken the lock of {self._files.uri} from this one, which was silent for too long; "
                "nothing is lost: run again"
            )

    def release(self, *, clean: bool) -> None:
        """Let go of the lock.

        Args:
            clean: This run left nothing behind; otherwise the next one looks.
        """
        self._ended.set()
        if self._renewing is not None:
            self._renewing.join()
        if self._lost:
            return
        try:
            self._write(State.FREE if clean else State.UNCLEAN)
        except AwsError:
            self._lost = True  # it ends by itself
