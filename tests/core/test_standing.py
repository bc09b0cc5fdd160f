from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from trailhouse.core.problem import Problem, ProblemKind
from trailhouse.core.record import Outcome, Record
from trailhouse.core.standing import Audience, Deployed, Execution, Scheduled, Standing, as_json

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SUCCESS = datetime(2026, 11, 22, 6, tzinfo=UTC)
MADE = datetime(2026, 10, 1, tzinfo=UTC)
RUN = Record("r1", "trailhouse", "schedule", SUCCESS, ended=SUCCESS, outcome=Outcome.DONE, pieces=2)
WELL = Standing(
    NOW, "trailhouse", "111122223333", "eu-west-1", "0.2.0", "c", "s3://out/trailhouse/runs/",
    deployed=Deployed("UPDATE_COMPLETE", "0.2.0", "c"),
    scheduled=Scheduled("cron(0 6 * * ? *)", created=MADE, next=SUCCESS + timedelta(days=1)),
    audience=Audience("arn:aws:sns:eu-west-1:111122223333:trailhouse-alarms", 2),
    runs=(RUN,), success=SUCCESS,
)  # fmt: skip


def titles(**changed: Any) -> list[str]:  # noqa: ANN401 - any attribute
    return [one.title for one in replace(WELL, **changed).concerns]


def test_all_is_well() -> None:
    assert (WELL.concerns, WELL.remarks) == ((), ())


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"deployed": Deployed("")}, "trailhouse: not deployed"),
        ({"deployed": Deployed("UPDATE_ROLLBACK_FAILED", trouble="mend it")}, "the stack is in UPDATE_ROLLBACK_FAILED"),
        ({"scheduled": Scheduled("", created=None)}, "trailhouse: no schedule"),
        ({"scheduled": Scheduled("rate(1 day)", enabled=False)}, "trailhouse: switched off"),
        ({"audience": Audience("arn", 0, 3)}, "nobody hears the alarms"),
        ({"success": NOW - timedelta(hours=27)}, "trailhouse: no run succeeded for 1d3h"),
        ({"success": None}, "trailhouse: no run succeeded for 52d12h, and none before"),
        ({"runs": (replace(RUN, outcome=Outcome.RUNNING),), "execution": Execution("FAILED", "x")}, "r1: broke off"),
    ],
)  # fmt: skip
def test_what_somebody_has_to_do_something_about(changed: dict[str, Any], expected: str) -> None:
    (title,) = titles(**changed)
    assert expected in title
    (concern,) = replace(WELL, **changed).concerns
    assert concern.command


@pytest.mark.parametrize(
    "changed",
    [
        {"success": NOW - timedelta(hours=26)},
        {"success": None, "scheduled": replace(WELL.scheduled, created=NOW - timedelta(hours=25))},  # type: ignore[type-var]  # it has one
        {"success": None, "scheduled": None},
        {"audience": Audience("arn", None)},
        {"runs": (replace(RUN, outcome=Outcome.RUNNING),), "execution": Execution("RUNNING")},
        {"runs": (replace(RUN, outcome=Outcome.RUNNING),), "execution": None},
        {"deployed": None, "scheduled": None, "audience": None, "doubts": ("denied",)},
        {"deployed": Deployed("CREATE_IN_PROGRESS"), "scheduled": Scheduled("")},
    ],
)
def test_what_is_no_reason_to_worry(changed: dict[str, Any]) -> None:
    assert titles(**changed) == []


def test_problems_are_those_of_the_last_run_that_is_closed() -> None:
    problem = Problem(ProblemKind.SILENT, "444455556666/eu-west-1", MADE, "what", "tried", "command")
    running = replace(RUN, run="r2", outcome=Outcome.RUNNING)
    runs = (running, replace(RUN, problems=(problem,)), replace(RUN, problems=(problem, problem)))
    (found,) = replace(WELL, runs=runs).concerns
    assert (found.kind, found.since, found.command) == ("silent", MADE, "command")
    assert found.title == "444455556666/eu-west-1: delivers no logs any more"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"config": "d"}, "the configuration has changed since it was deployed; deploy again: `trailhouse deploy`"),
        ({"config": ""}, ""),
        ({"differs": ("schedule (x is deployed)",)}, "since it was deployed: schedule (x is deployed); deploy again"),
        ({"version": "0.3.0"}, "trailhouse 0.2.0 is deployed, and 0.3.0 is installed here"),
        ({"deployed": Deployed("UPDATE_IN_PROGRESS", "0.2.0", "c")}, "is being changed (UPDATE_IN_PROGRESS)"),
        ({"runs": ()}, "no run has left a record in s3://out/trailhouse/runs/ yet"),
        ({"runs": (replace(RUN, outcome=Outcome.RUNNING),)}, "under way since 2026-11-22T06:00:00Z; pieces done: 2"),
    ],
)  # fmt: skip
def test_what_is_worth_knowing(changed: dict[str, Any], expected: str) -> None:
    remarks = replace(WELL, **changed).remarks
    assert bool(remarks) == bool(expected)
    assert all(expected in one for one in remarks)


def test_all_of_it_as_json() -> None:
    found = json.loads(json.dumps(as_json(replace(WELL, deployed=None, doubts=("denied",)))))
    assert found["deployed"] is None
    assert found["unknown"] == ["denied"]
    assert found["schedule"]["next"] == "2026-11-23T06:00:00Z"
    assert found["alarms"]["confirmed"] == 2
    assert found["runs"][0]["run"] == "r1"
