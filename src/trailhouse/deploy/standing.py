"""Looks at all that the nightly run is made of, and tells how it stands. Read-only."""

from __future__ import annotations

from datetime import UTC, timedelta
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from trailhouse.aws.access import partition_of
from trailhouse.config.names import PLACEHOLDERS
from trailhouse.core.freshness import Lack, lacking
from trailhouse.core.policy import own_output
from trailhouse.core.record import PREFIX, Outcome, Record
from trailhouse.core.schedule import next_time
from trailhouse.core.standing import Audience, Deployed, Execution, Scheduled, Standing
from trailhouse.deploy.stack_status import Next, explanation, find, next_step
from trailhouse.deploy.values import nightly_settings
from trailhouse.errors import AwsError, ConfigError, CredentialsError, NotFoundError
from trailhouse.nightly.history import History
from trailhouse.nightly.records import Records
from trailhouse.versions import versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from trailhouse.aws.gate import Gate
    from trailhouse.config import Settings
    from trailhouse.deploy.stack_status import Stack

_T = TypeVar("_T")
_FAR = timedelta(days=60)
"""How far back the last success is looked for."""


def output_bucket(settings: Settings, gate: Gate) -> str:
    """The bucket for output, by the configuration. Raises AwsError."""
    named = settings.output_s3_bucket
    return own_output(settings.stack, gate.account(), gate.region) if named == "default" else named


def topic_arn(settings: Settings, gate: Gate) -> str:
    """The topic for alarms, by the configuration; nobody deploys with the placeholder. Raises AwsError."""
    named = settings.alarm_sns_arn
    own = _arn(gate, "sns", f"{settings.stack}-alarms")
    return own if named in {None, PLACEHOLDERS["alarm_sns_arn"]} else str(named)


def history(settings: Settings, gate: Gate) -> History:
    """The runs of the configured stack. Raises AwsError."""
    return History(Records(gate, output_bucket(settings, gate)), settings.stack)


def audience(gate: Gate, topic: str) -> Audience:
    """Who hears a topic. Raises AwsError."""
    found = gate.call("sns", "GetTopicAttributes", TopicArn=topic)["Attributes"]
    confirmed = found.get("SubscriptionsConfirmed")
    return Audience(
        topic, None if confirmed is None else int(confirmed), int(found.get("SubscriptionsPending", 0))
    )


class Look:
    """One look at everything."""

    def __init__(self, settings: Settings, gate: Gate, now: datetime, runs: int) -> None:
        """Make no call yet.

        Args:
            settings: of the stack that is meant.
            gate: calls leave through it.
            now: the present, UTC.
            runs: how many of the last runs are wanted.
        """
        self._settings, self._gate, self._now, self._runs = settings, gate, now, runs
        self._doubts: list[str] = []
        self._differs: list[str] = []

    def standing(self) -> Standing:
        """How everything stands; what cannot be looked at is a doubt.

        Raises:
            CredentialsError: AWS does not take the caller's.
            AwsError: it cannot be found out who the caller is.
        """
        settings, gate = self._settings, self._gate
        account, name = gate.account(), settings.stack
        asked = self._ask(f"the stack {name}", lambda: (find(gate, name),))
        there = asked is not None and next_step(asked[0]) not in {Next.CREATE, Next.REMOVE}
        records, lack, success = self._records(there=there)
        return Standing(
            now=self._now,
            stack=name,
            account=account,
            region=gate.region,
            version=versions()["trailhouse"],
            config=self._digest(),
            place=f"s3://{output_bucket(settings, gate)}/{PREFIX}",
            deployed=self._deployed(*asked) if asked else None,
            scheduled=self._ask("the schedule", self._scheduled) if there else None,
            audience=self._ask("the topic for alarms", lambda: self._audience(*asked))
            if there and asked
            else None,
            execution=self._execution(records),
            runs=tuple(records[: self._runs]),
            success=success,
            lacking=lack,
            differs=tuple(self._differs),
            doubts=tuple(self._doubts),
        )

    def _ask(self, what: str, ask: Callable[[], _T]) -> _T | None:
        try:
            return ask()
        except CredentialsError:
            raise
        except AwsError as error:
            self._doubts.append(f"{what} could not be looked at: {error}")
            return None

    def _digest(self) -> str:
        try:
            return nightly_settings(self._settings).digest()
        except ConfigError:
            return ""

    def _deployed(self, stack: Stack | None) -> Deployed:
        if stack is None or next_step(stack) is Next.CREATE:
            return Deployed("")
        outputs, settings = stack.outputs, self._settings
        wanted = {
            "OutputBucket": output_bucket(settings, self._gate),
            "Topic": topic_arn(settings, self._gate),
        }
        for name, setting in (("OutputBucket", "output_s3_bucket"), ("Topic", "alarm_sns_arn")):
            if outputs.get(name, wanted[name]) != wanted[name]:
                self._differs.append(f"{setting} ({outputs[name]} is deployed)")
        return Deployed(
            stack.status, outputs.get("Version", ""), outputs.get("Config", ""), explanation(stack)
        )

    def _scheduled(self) -> Scheduled:
        try:
            found = self._gate.call("scheduler", "GetSchedule", Name=self._settings.stack)
        except NotFoundError:
            return Scheduled("")
        expression, created = found["ScheduleExpression"], found["CreationDate"].astimezone(UTC)
        if expression != self._settings.schedule:
            self._differs.append(f"schedule ({expression} is deployed)")
        enabled = found.get("State") != "DISABLED"
        following = next_time(expression, self._now, created) if enabled else None
        return Scheduled(expression, enabled, created, following)

    def _audience(self, stack: Stack | None) -> Audience:
        deployed = stack.outputs.get("Topic") if stack else None
        return audience(self._gate, deployed or topic_arn(self._settings, self._gate))

    def _records(self, *, there: bool) -> tuple[list[Record], tuple[Lack, ...], datetime | None]:
        """The last runs, the days that the catalog may lack by them, and when the last success began."""
        past = history(self._settings, self._gate)
        seen: list[Record] = []

        def remembered() -> Iterator[Record]:
            for record in past.each(since=self._now - _FAR):
                seen.append(record)
                yield record

        try:
            each = remembered()
            lack = lacking(each, self._now.date())
            for _ in islice(each, max(0, self._runs - len(seen))):
                pass
        except NotFoundError as error:
            if there:
                self._doubts.append(f"there are no records of runs: {error}")
            return [], (), None
        except CredentialsError:
            raise
        except AwsError as error:
            self._doubts.append(f"the records of runs could not be read: {error}")
            return [], (), None
        self._doubts += past.unread.values()
        computed = self._settings.partitions == "projected" or not seen
        success = next((one.started for one in seen if one.outcome.succeeded), None)
        return seen, () if computed else lack, success

    def _execution(self, records: list[Record]) -> Execution | None:
        """What became of the last run, where its record does not say it."""
        last = next(iter(records), None)
        if last is None or last.outcome is not Outcome.RUNNING:
            return None
        arn = _arn(self._gate, "states", f"execution:{last.stack}:{last.run}")
        return self._ask(f"the execution of the run {last.run}", lambda: execution(self._gate, arn))


def execution(gate: Gate, arn: str) -> Execution:
    """What Step Functions says of an execution, which it does for 90 days. Raises AwsError."""
    try:
        found = gate.call("stepfunctions", "DescribeExecution", executionArn=arn)
    except NotFoundError:
        return Execution("unknown to Step Functions")
    said = ": ".join(filter(None, (found.get("error", ""), found.get("cause", ""))))
    return Execution(found["status"], said)


def _arn(gate: Gate, service: str, rest: str) -> str:
    return f"arn:{partition_of(gate.region)}:{service}:{gate.region}:{gate.account()}:{rest}"
