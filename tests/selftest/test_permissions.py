"""The run under the policy that `trailhouse policy operator` prints, enforced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aws.iam import ACCOUNT, Door, Policy
from bed.athena import AwsWithAthena, StrictAthena
from bed.transport import Server
from selftest.conftest import one
from selftest.rig import TOKEN, Rig
from trailhouse.core.policy import Folder, Names, Role, document, role_policy
from trailhouse.selftest import CHECKS, Place
from trailhouse.selftest.check import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "us-east-1"
RESULTS = f"aws-athena-query-results-{ACCOUNT}-{REGION}"
NAMES = Names(
    "aws", REGION, ACCOUNT, (Folder("my-logs", "AWSLogs/"),), Folder(RESULTS),
    Folder(RESULTS, "trailhouse-selftest/"), database="security",
)  # fmt: skip
SHAPES = ("shapes.per_account", "shapes.single", "shapes.projected")
SOME = tuple(check for check in CHECKS if check.theme in {"partitions", "limits"} or check.id in SHAPES)

pytestmark = pytest.mark.emulator


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Door, Rig]]:
    monkeypatch.setattr("trailhouse.engine.athena.FIRST_PAUSE", 0.001)
    for name, value in {
        "ACCESS_KEY_ID": "AKIAEXAMPLE",
        "SECRET_ACCESS_KEY": "x",
        "MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    with AwsWithAthena(StrictAthena(one, looks=0)) as aws:
        aws.bucket(RESULTS)
        with Server(door := Door(aws._answer)) as server:
            yield door, Rig(server.url, aws, place=Place(RESULTS, TOKEN, ACCOUNT))


def policy(*without: str) -> Policy:
    found: Policy = document(role_policy(Role.OPERATOR, NAMES))
    for statement in found["Statement"]:
        statement["Action"] = [each for each in statement["Action"] if each not in without] or ["none:None"]
    return found


@pytest.mark.slow
def test_the_operator_may_do_all_of_it(door: tuple[Door, Rig]) -> None:
    guard, rig = door
    guard.policies["AKIAEXAMPLE"] = policy()
    run = rig.run(SOME)
    assert not run.stopped
    assert run.left.things == []
    assert not [one.check for one in run.outcomes if "denied" in one.seen]
    shapes = {one.check: one.verdict for one in run.outcomes if one.check in SHAPES}
    assert shapes == dict.fromkeys(
        ("shapes.per_account", "shapes.single", "shapes.projected"), Verdict.CONFIRMED
    )
    assert not rig.aws.buckets.all[RESULTS].objects


@pytest.mark.parametrize(
    "action", ["servicequotas:ListServiceQuotas", "cloudtrail:ListPublicKeys", "glue:UpdateTable"]
)
def test_what_is_not_allowed_leaves_its_questions_open_only(door: tuple[Door, Rig], action: str) -> None:
    guard, rig = door
    guard.policies["AKIAEXAMPLE"] = policy(action)
    run = rig.run(tuple(check for check in SOME if check.theme == "limits"))
    denied = [one for one in run.outcomes if f"access denied: {action}" in one.seen]
    assert denied
    assert {one.verdict for one in denied} == {Verdict.NOT_RUN}
    assert len(denied) < len(run.outcomes) / 2
    assert run.left.things == []
