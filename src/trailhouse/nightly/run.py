"""A run: its pieces added up in one record, and at its end the news for people."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from trailhouse.catalog.opening import aim_of
from trailhouse.core.prices import function_cost, requests_cost
from trailhouse.core.problem import News, Problem, ProblemKind, Told, compare, lasting, tell
from trailhouse.core.record import Outcome, Record
from trailhouse.core.rhythm import WINDOW_DAYS
from trailhouse.core.sizes import count_of
from trailhouse.core.times import format_time
from trailhouse.errors import AwsError, TrailhouseError
from trailhouse.nightly import findings
from trailhouse.nightly.deployment import versions
from trailhouse.nightly.piece import Piece
from trailhouse.nightly.task import Answer, Asked
from trailhouse.nightly.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import date, datetime

    from trailhouse.nightly.deployment import Deployment
    from trailhouse.nightly.piece import Progress
    from trailhouse.nightly.task import Task

_MOST_WARNINGS = 200
_ACCOUNT_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Clock:
    """The times of one invocation.

    Attributes:
        now: the present, UTC.
        elapsed: seconds since the invocation began.
        remaining: seconds until it is cut off.
    """

    now: Callable[[], datetime]
    elapsed: Callable[[], float]
    remaining: Callable[[], float]


class Run:
    """One invocation's part in a run."""

    def __init__(self, deployment: Deployment, task: Task, clock: Clock) -> None:
        """Make no call yet."""
        self._deployment = deployment
        self._task = task
        self._clock = clock

    def piece(self) -> Answer:
        """Do a piece of the run, and close it after the last."""
        records = self._deployment.records
        try:
            record = records.find(self._new().key) or self._new()
            before = records.latest_closed(record.stack, besides=record.key)
            piece = self._work(record, before)
            return self._answer(piece, before)
        except AwsError as error:
            return self._unrecorded(error)

    def explain(self) -> Answer:
        """Close the record of a run whose piece ended without an answer; a test has none, and is no run that failed."""
        task, records = self._task, self._deployment.records
        found = findings.ended(task.error, task.cause, task.started)
        if task.ended is Asked.TEST_ALARM:
            told = tell(News((found,), ()), self._about(), self._opening("a test, which failed"))
            return self._told(str(Outcome.FAILED), told, "")
        try:
            record = records.find(self._new().key) or self._new()
            before = records.latest_closed(record.stack, besides=record.key)
            record = replace(record, problems=(*record.problems, found))
            return self._close(record, before, Outcome.FAILED)
        except AwsError:
            return self._told("failed", self._news(News((found,), ()), Outcome.FAILED), "")

    def test_alarm(self) -> Answer:
        """A message that says that messages arrive."""
        task = self._task
        message = (
            f"{self._opening('a test')}\n\nThis is a test, asked for with `trailhouse status --test-alarm`: nothing is "
            "wrong. What you read came the way that every alarm of the nightly run comes, through its state machine "
            "and this topic.\n\nWhat: a test\n"
            f"Since: {format_time(task.started)}\nTried: nothing\nRun: trailhouse status\n"
        )
        subject = f"trailhouse: test ({self._about()})"
        return self._told(str(Outcome.DONE), Told(subject, message), "")

    # -- one piece -----------------------------------------------------------------------------------------

    def _work(self, record: Record, before: Record | None) -> _Worked:
        """A piece of work, merged into the record."""
        deployment, task = self._deployment, self._task
        today = task.started.date()
        try:
            record = replace(record, caller=deployment.caller(), place=deployment.place())
            aim = aim_of(deployment.settings, today, deployment.regions())
            with deployment.sources(today) as discovery:
                watch = Watch(discovery, task.started, before)
                piece = Piece(
                    deployment.catalog,
                    watch,
                    replace(aim, after=task.after),
                    self._clock.remaining,
                    whole=record.complete,
                )
                piece.work()
        except TrailhouseError as error:
            found = findings.failed(error, task.started)
            failed = replace(record, pieces=task.piece, problems=(*record.problems, found))
            return _Worked(failed, None, error)
        return _Worked(_merged(record, task, piece.progress, watch), piece.progress, piece.progress.error)

    def _answer(self, worked: _Worked, before: Record | None) -> Answer:
        record, progress = worked.record, worked.progress
        if worked.error is None and progress is not None and not progress.finished:
            address = self._deployment.records.write(self._stamped(record))
            cursor = {"after": progress.after}
            return Answer("more", cursor, self._task.piece + 1, address)
        return self._close(record, before, _outcome(record, worked.error))

    # -- the end -------------------------------------------------------------------------------------------

    def _close(self, record: Record, before: Record | None, outcome: Outcome) -> Answer:
        """The end of a run: what is open, what is new, what is over."""
        if outcome.succeeded:
            try:
                self._deployment.put_success()
            except AwsError as error:
                found = findings.failed(error, self._task.started)
                record, outcome = replace(record, problems=(*record.problems, found)), Outcome.INCOMPLETE
        former = before.problems if before else ()
        gone = _gone(record, before) if outcome.succeeded else {}
        vanished = [
            findings.gone(account, max(days.values()), record.started) for account, days in gone.items()
        ]
        found_now = (*record.problems, *vanished, *_carried(record, former, outcome))
        problems = lasting(
            former, [findings.addressed(one, record.stack, record.caller) for one in found_now]
        )
        news = compare(former, problems)
        freshness = gone | _freshness(record, before, outcome)
        news = News(news.begun, tuple(_over(one, freshness) for one in news.ended))
        record = replace(
            record,
            outcome=outcome,
            ended=self._clock.now().replace(microsecond=0),
            freshness=freshness,
            problems=problems,
            begun=news.begun,
            ended_problems=news.ended,
        )
        address = self._deployment.records.write(self._stamped(record))
        told = self._news(news, outcome, f"Record: {address}\n{_open(problems)}")
        return self._told(str(outcome), told, address)

    def _unrecorded(self, error: AwsError) -> Answer:
        """The answer of a run whose record cannot be read or written: it is told every time."""
        problem = findings.failed(error, self._task.started)
        told = self._news(News((problem,), ()), Outcome.FAILED, "There is no record of this run.")
        return self._told(str(Outcome.FAILED), told, "")

    def _news(self, news: News, outcome: Outcome, ending: str = "") -> Told:
        return tell(news, self._about(), self._opening(str(outcome)), ending=ending)

    def _told(self, outcome: str, told: Told, address: str) -> Answer:
        piece = self._task.piece + 1
        return Answer(outcome, None, piece, address, told.subject, told.message)

    def _about(self) -> str:
        task = self._task
        return ", ".join(filter(None, (self._deployment.stack, task.account, task.region)))

    def _opening(self, outcome: str) -> str:
        task = self._task
        return (
            f"Nightly run {task.run} of stack {self._deployment.stack} in account {task.account or 'unknown'}, region "
            f"{task.region or self._deployment.region}, started {format_time(task.started)} ({task.reason}): {outcome}"
        )

    # -- the record ----------------------------------------------------------------------------------------

    def _new(self) -> Record:
        task, deployment = self._task, self._deployment
        return Record(
            task.run,
            deployment.stack,
            task.reason,
            task.started,
            config=deployment.settings.digest(),
            sources=deployment.settings.sources_digest(),
            versions=versions(),
        )

    def _stamped(self, record: Record) -> Record:
        """The record with what this invocation took; the call that writes it is counted, too."""
        deployment = self._deployment
        calls = _summed(record.calls, deployment.calls.by_service(), {"s3": {"PutObject": 1}})
        seconds = record.seconds + self._clock.elapsed()
        pieces = max(record.pieces, 1)
        architecture = deployment.settings.architecture
        cost = requests_cost(calls) + function_cost(seconds, pieces, deployment.memory_mb, architecture)
        return replace(record, calls=calls, seconds=seconds, cost=f"{cost:.6f}")


@dataclass(frozen=True, slots=True)
class _Worked:
    record: Record
    progress: Progress | None
    error: TrailhouseError | None


def _merged(record: Record, task: Task, progress: Progress, watch: Watch) -> Record:
    """The record with one more piece in it."""
    failed = {name: str(failure.error) for name, failure in progress.failed.items()}
    observed = {account: seen.latest for account, seen in watch.observed.items()}
    silences = [one for seen in watch.observed.values() for one in seen.silences]
    warnings = dict.fromkeys((*record.warnings, *progress.warnings))
    return replace(
        record,
        outcome=Outcome.RUNNING,
        pieces=max(record.pieces, task.piece),
        planned=dict(Counter(record.planned) + progress.planned),
        done=dict(Counter(record.done) + progress.done),
        failed={**record.failed, **failed},
        refused={**record.refused, **progress.refused},
        left_out={**record.left_out, **progress.left_out},
        warnings=tuple(_few(warnings)),
        freshness={**record.freshness, **observed},
        problems=(*record.problems, *progress.problems(task.started), *silences),
    )


def _few(warnings: Mapping[str, None]) -> Iterator[str]:
    for number, warning in enumerate(warnings):
        if number == _MOST_WARNINGS:
            yield f"and more, {len(warnings):,} in all"
            return
        yield warning


def _outcome(record: Record, error: TrailhouseError | None) -> Outcome:
    """How a run ended: failed, too, where no account was taken care of."""
    accounts = {*record.freshness, *record.failed, *record.refused} - set(findings.SHARED)
    if error is not None or (accounts and accounts <= {*record.failed, *record.refused}):
        return Outcome.FAILED
    return Outcome.DONE if record.complete else Outcome.INCOMPLETE


def _carried(record: Record, former: Iterable[Problem], outcome: Outcome) -> Iterator[Problem]:
    """Problems of the run before that this one could not judge."""
    for one in former:
        account = one.subject[:_ACCOUNT_DIGITS]
        if one.kind is ProblemKind.SILENT:
            unseen = account not in record.freshness
            if unseen and (account in record.failed or not outcome.succeeded):
                yield one
        elif not outcome.succeeded:
            yield one


def _freshness(record: Record, before: Record | None, outcome: Outcome) -> dict[str, Mapping[str, date]]:
    """What was seen in this run, and of accounts that it could not look at what was known."""
    known = before.freshness if before else {}
    kept = {a: days for a, days in known.items() if a in record.failed or not outcome.succeeded}
    return {**kept, **record.freshness}


def _gone(record: Record, before: Record | None) -> dict[str, Mapping[str, date]]:
    """Accounts that delivered within the window and have no folder any more, with their last days.

    Where the sources changed, what lies in others is no news. Older records do not tell the sources: there any
    change of the configuration may be one of them.
    """
    if before is None:
        return {}
    same = before.sources == record.sources if before.sources else before.config == record.config
    if not same:
        return {}
    first = record.started.date() - timedelta(days=WINDOW_DAYS)
    missing = before.freshness.keys() - record.freshness.keys() - record.failed.keys()
    known = {account: before.freshness[account] for account in sorted(missing)}
    return {account: days for account, days in known.items() if days and max(days.values()) >= first}


def _over(one: Problem, freshness: Mapping[str, Mapping[str, date]]) -> Problem:
    """What ended: what it was, or how a silence ended."""
    if one.kind is not ProblemKind.SILENT:
        return replace(one, what=f"It was: {one.what}")
    account, _, region = one.subject.partition("/")
    regions = freshness.get(account, {})
    days = [day for name, day in regions.items() if region in {"", "*", name}]
    if days and max(days) >= one.since.date():
        return replace(one, what=f"It delivers again: {max(days)}.")
    return replace(one, what="Its folder is gone, or it delivers again.")


def _open(problems: tuple[Problem, ...]) -> str:
    if not problems:
        return "No problem is open now."
    return (
        f"{count_of(len(problems), 'problem is', 'problems are')} open now: `trailhouse status` shows them."
    )


def _summed(*calls: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {}
    for one in calls:
        for service, made in one.items():
            found.setdefault(service, Counter()).update(made)
    return {service: dict(sorted(made.items())) for service, made in sorted(found.items())}
