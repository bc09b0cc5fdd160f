"""A run: claim, write, ask check by check, judge, and remove everything whatever happened."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trailhouse.errors import AwsError, CredentialsError, TrailhouseError
from trailhouse.selftest.bucket import bucket
from trailhouse.selftest.check import Check, Outcome, Stage, Verdict
from trailhouse.selftest.converge import LOGS
from trailhouse.selftest.expect import Answer, Known
from trailhouse.selftest.hands import Hands, Hindered
from trailhouse.selftest.price import FIRST, CostStop, Purse
from trailhouse.selftest.scratch import Left, Scratch, Words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from trailhouse.aws.gate import Gate
    from trailhouse.selftest.scratch import Place

PREFIXES = {Stage.PER_ACCOUNT: "pa", Stage.SINGLE: "si", Stage.PROJECTED: "pr"}
"""`table_prefix` of each shape in the scratch database."""


@dataclass(slots=True)
class Run:
    """What came of a run.

    Attributes:
        outcomes: of every check, in order.
        purse: what was spent.
        left: what could not be removed.
        seconds: that it took.
        stopped: why it did not go to its end, or "".
        interrupted: by Ctrl-C.
        error: what stopped it, where it was a failure.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    purse: Purse = field(default_factory=Purse)
    left: Left = field(default_factory=Left)
    seconds: float = 0.0
    stopped: str = ""
    interrupted: bool = False
    error: TrailhouseError | None = None

    def count(self, verdict: Verdict) -> int:
        """How many checks ended so."""
        return sum(one.verdict is verdict for one in self.outcomes)


class Selftest:
    """One run in one scratch place."""

    def __init__(
        self,
        gate: Gate,
        place: Place,
        checks: Sequence[Check],
        *,
        workgroup: str,
        today: date,
        purse: Purse,
        say: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Call nothing yet.

        Args:
            gate: to all services.
            place: the scratch place.
            checks: to be made, in this order.
            workgroup: of Athena.
            today: the current day, UTC.
            purse: what may be spent.
            say: hears of each step, for people.
            clock: returns seconds from any beginning.
        """
        made = bucket()
        self._files, self._checks, self._say, self._clock = made.files, checks, say, clock
        self._scratch = Scratch(gate, place)
        words = Words(words_of(place, workgroup) | dict(made.words))
        self._known = Known(made.truth, words)
        self._hands = Hands(gate, self._scratch, words, purse, workgroup=workgroup, today=today)
        self._workgroup = workgroup
        self.result = Run(purse=purse)
        self._hindered: dict[Stage, str] = {}

    def run(self) -> Run:
        """Make the run. Never raises what AWS may answer, nor on Ctrl-C: it is in the result.

        Raises:
            CatalogError: something is there under the names of the scratch place; nothing was touched.
        """
        began = self._clock()
        try:
            self._scratch.claim()
            self._try()
            self._write()
            self._ask()
        except KeyboardInterrupt:
            self.result.interrupted, self.result.stopped = True, "it was interrupted"
        except CostStop as stop:
            self.result.stopped = f"it was stopped to keep the price: {stop}"
        except TrailhouseError as error:
            if not self._scratch.claimed:
                raise
            self.result.error, self.result.stopped = error, str(error)
        finally:
            self._remove()
            self.result.seconds = self._clock() - began
        done = {one.check for one in self.result.outcomes}
        self.result.outcomes += [
            Outcome(check.id, Verdict.NOT_RUN, self.result.stopped)
            for check in self._checks
            if check.id not in done
        ]
        return self.result

    def _try(self) -> None:
        """See whether Athena answers at all here, so that no fault of the set-up refutes anything. Raises AwsError."""
        try:
            answer = self._hands.do(FIRST, 0)
        except Hindered as reason:
            raise AwsError(f"Athena does not answer: {reason}") from reason
        if answer.error:
            raise AwsError(f"Athena does not answer: {answer.error}", code=answer.code)

    def _write(self) -> None:
        self._say(f"writing {len(self._files)} log files")
        for file in self._files:
            self._scratch.put(LOGS + file.key, file.body)

    def _ask(self) -> None:
        for number, check in enumerate(self._checks, 1):
            self._say(f"{number}/{len(self._checks)} {check.id}")
            began = self._clock()
            verdict, seen = self._judged(check)
            self.result.outcomes.append(Outcome(check.id, verdict, seen, self._clock() - began))

    def _judged(self, check: Check) -> tuple[Verdict, str]:
        try:
            self._prepare(check)
            answers = [self._hands.do(step, check.folders) for step in check.steps]
        except Hindered as reason:
            return Verdict.NOT_RUN, str(reason).partition("\n")[0]
        seen = check.expect.judge(answers, self._known)
        return (Verdict.CONFIRMED, "") if seen is None else (Verdict.REFUTED, seen)

    def _prepare(self, check: Check) -> None:
        if check.needs is not Stage.NOTHING:
            self._shape(check.needs)
        for step in check.prepare:
            answer = self._hands.do(step, check.folders)
            if answer.error:
                raise Hindered(f"what it needs could not be made: {answer.error}")

    def _shape(self, stage: Stage) -> None:
        """Apply a shape; tried once. Raises Hindered."""
        if stage in self._hindered:
            raise Hindered(self._hindered[stage])
        try:
            self._hands.apply(stage)
        except CredentialsError:
            raise
        except TrailhouseError as error:
            self._hindered[stage] = f"{stage} could not be applied: {error}"
            raise Hindered(self._hindered[stage]) from error

    def _remove(self) -> None:
        self._say("removing what was made")
        place = self._scratch.place
        try:
            self.result.left.things += self._scratch.remove().things
        except KeyboardInterrupt:
            self.result.interrupted = True
            self.result.left.things.append(
                f"removing was interrupted: database {place.database} and s3://{place.bucket}/{place.prefix} may be "
                "there in part"
            )
        if self._hands.elsewhere:
            self.result.left.things.append(
                f"{self._hands.elsewhere} results of statements lie where workgroup {self._workgroup} keeps them"
            )


def words_of(place: Place, workgroup: str) -> dict[str, str]:
    """The words that name the place."""
    scratch = f"s3://{place.bucket}/{place.prefix}".rstrip("/")
    return {
        "bucket": place.bucket, "prefix": place.prefix, "scratch": scratch, "logs": f"{scratch}/logs",
        "database": place.database, "token": place.token, "workgroup": workgroup,
        **{str(stage): prefix for stage, prefix in PREFIXES.items()},
    }  # fmt: skip


__all__ = ["PREFIXES", "Answer", "Run", "Selftest", "words_of"]
