from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING

import pytest

from bed.faults import Fault, denied
from lake.clouds import LAKE, URI
from trailhouse.errors import AccessDeniedError, LakeError
from trailhouse.lake.lease import Lease, State
from trailhouse.lake.s3_files import S3Files

if TYPE_CHECKING:
    from lake.clouds import Cloud

pytestmark = pytest.mark.emulator


def lease(cloud: Cloud, holder: str, **options: float) -> Lease:
    return Lease(S3Files(cloud.gate, URI), holder, pause=0.05, **options)  # type: ignore[arg-type]  # numbers


def never() -> None:
    pytest.fail("it waited")


def said(cloud: Cloud) -> dict[str, object]:
    return dict(json.loads(cloud.aws.buckets.all[LAKE].objects["cloudtrail/lock.json"].body))


def test_one_after_the_other(cloud: Cloud) -> None:
    for number in range(1, 4):
        one = lease(cloud, f"run-{number}")
        one.acquire(never)
        assert (one.fence, one.unclean) == (number, False)
        assert said(cloud) == {"holder": f"run-{number}", "fence": number, "state": "held", "seconds": 120}
        one.check()
        one.release(clean=True)
        assert said(cloud)["state"] == "free"


def test_who_holds_it_is_named(cloud: Cloud) -> None:
    first = lease(cloud, "run-1")
    first.acquire(never)
    waited: list[int] = []
    with pytest.raises(LakeError, match=r"another run \(run-1\) .* run again when it is done"):
        lease(cloud, "run-2", patience=0.2).acquire(lambda: waited.append(1))
    assert waited == [1]
    first.release(clean=True)


def test_a_waiting_run_gets_it(cloud: Cloud) -> None:
    first, second = lease(cloud, "run-1"), lease(cloud, "run-2", patience=30)
    first.acquire(never)
    told = threading.Event()
    threading.Timer(0.1, lambda: told.wait(30) and first.release(clean=True)).start()
    second.acquire(told.set)
    assert second.fence == 2
    second.release(clean=True)


def test_after_a_failure_the_next_one_looks(cloud: Cloud) -> None:
    first = lease(cloud, "run-1")
    first.acquire(never)
    first.release(clean=False)
    assert said(cloud)["state"] == State.UNCLEAN
    second = lease(cloud, "run-2")
    second.acquire(never)
    assert second.unclean
    second.release(clean=True)
    third = lease(cloud, "run-3")
    third.acquire(never)
    assert not third.unclean


def test_the_lock_of_a_dead_run_ends(cloud: Cloud) -> None:
    dead = lease(cloud, "run-1")
    dead.acquire(never)
    cloud.lock_expires()
    second = lease(cloud, "run-2")
    second.acquire(never)
    assert (second.fence, second.unclean) == (2, True)
    with pytest.raises(LakeError, match=r"has taken the lock .* run again"):
        dead.check()
    dead.release(clean=True)  # which changes nothing
    assert said(cloud) == {"holder": "run-2", "fence": 2, "state": "held", "seconds": 120}
    second.release(clean=True)


def test_it_is_renewed(cloud: Cloud) -> None:
    one = lease(cloud, "run-1", seconds=1)
    one.acquire(never)
    for _ in range(3):
        cloud.lock_expires()
        time.sleep(0.6)
    with pytest.raises(LakeError, match="another run"):
        lease(cloud, "run-2").acquire(lambda: None)
    one.check()
    one.release(clean=True)
    assert said(cloud)["state"] == "free"


def test_many_at_once_and_one_gets_it(cloud: Cloud) -> None:
    got: list[int] = []

    def take(number: int) -> None:
        one = lease(cloud, f"run-{number}")
        try:
            one.acquire(lambda: None)
        except LakeError:
            return
        got.append(one.fence)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [1]


@pytest.mark.parametrize("skip", [0, 1])
def test_a_lost_answer_costs_nothing(cloud: Cloud, skip: int) -> None:
    """S3 did what was asked, and refuses it when it is asked again."""
    cloud.aws.s3.log.faults.append(Fault("PutObject", times=1, skip=skip, cut="after"))
    one = lease(cloud, "run-1")
    one.acquire(never)
    one.check()
    one.release(clean=True)
    two = lease(cloud, "run-2")
    two.acquire(never)
    assert two.fence == 2
    two.release(clean=True)


def test_a_refusal_is_told(cloud: Cloud) -> None:
    cloud.aws.s3.log.faults.append(denied("PutObject"))
    with pytest.raises(AccessDeniedError, match="s3:PutObject"):
        lease(cloud, "run-1").acquire(never)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"holder": "x"}', '{"holder": 1, "fence": 1, "state": "?", "seconds": 1}']
)
def test_what_is_no_lock_is_told(cloud: Cloud, text: str) -> None:
    cloud.aws.bucket(LAKE).put("cloudtrail/lock.json", text.encode())
    with pytest.raises(LakeError, match=r"cloudtrail/lock\.json is no lock: remove it"):
        lease(cloud, "run-1").acquire(never)
