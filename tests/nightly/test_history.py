"""Runs of a stack, read back; the buckets are the bed's."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from cli.kept_runs import OUTPUT, TODAY, done, keep, started
from trailhouse.aws.access import Access
from trailhouse.aws.gate import Gate
from trailhouse.errors import NotFoundError, UsageError
from trailhouse.nightly.history import History, kept
from trailhouse.nightly.records import Records

if TYPE_CHECKING:
    from bed.aws import Aws

pytestmark = pytest.mark.emulator


@pytest.fixture
def history(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> History:
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    aws.buckets.all.clear()
    aws.s3.log.clear()
    keep(aws, *(done(n) for n in range(6)))
    return History(Records(Gate(Access()), OUTPUT), "trailhouse")


def test_only_what_is_taken_is_read(aws: Aws, history: History) -> None:
    assert [one.started for one in islice(history.each(), 2)] == [started(0), started(1)]
    assert aws.s3.log.counts["GetObject"] == 2


def test_a_window_is_read_and_nothing_beside_it(aws: Aws, history: History) -> None:
    found = history.each(since=TODAY - timedelta(days=3), until=TODAY - timedelta(days=1))
    assert [one.started for one in found] == [started(2), started(3)]
    assert aws.s3.log.counts["GetObject"] == 2


@pytest.mark.parametrize(
    ("key", "begun", "run"),
    [
        ("trailhouse/runs/2026/03/02/20260302T060007Z-night-1.json", "2026-03-02 06:00:07+00:00", "night-1"),
        ("trailhouse/runs/2026/03/02/20269902T060007Z-night-1.json", "None", "night-1"),
        ("trailhouse/runs/2026/03/02/notes.json", "None", "2026/03/02/notes.json"),
    ],
)
def test_a_key_says_when_and_which(key: str, begun: str, run: str) -> None:
    assert (str(kept(key).started), kept(key).run) == (begun, run)


def test_a_run_has_many_names(history: History) -> None:
    whole = done(2)
    stem = whole.key.rpartition("/")[2].removesuffix(".json")
    for name in (
        whole.run,
        whole.run[:9],
        stem,
        stem[:14],
        f"{whole.started:%Y-%m-%d}",
        f"{whole.started:%Y-%m-%dT%H}",
        f"{whole.started:%Y-%m-%dT%H:%M}Z",
        f"{whole.started:%Y-%m-%dT%H:%M:%SZ}",
    ):
        assert history.find(name) == whole
    for name in ("", "nobody", "2020-01-01"):
        with pytest.raises(UsageError, match="no run is called"):
            history.find(name)
    with pytest.raises(UsageError, match="6 runs begin with 0000000"):
        history.find("0000000")


def test_a_run_of_another_stack_in_the_same_bucket_is_none_of_these(aws: Aws, history: History) -> None:
    keep(aws, done(2, run="deadbeef", stack="other"))
    day = f"{started(2):%Y-%m-%d}"
    assert history.find(day) == done(2)
    keep(aws, done(2, run="by-hand"))
    with pytest.raises(UsageError, match="2 runs begin with"):
        history.find(day)


def test_a_time_is_looked_for_as_far_back_as_it_is(aws: Aws, history: History) -> None:
    history.find(f"{started(0):%Y-%m-%d}")
    assert aws.s3.log.counts["ListObjectsV2"] <= 6
    aws.s3.log.clear()
    history.find(done(0).run[:9])
    assert aws.s3.log.counts["ListObjectsV2"] >= 8


def test_what_is_gone_meanwhile_is_passed_over(aws: Aws, history: History) -> None:
    each = history.each()
    next(each)
    del aws.buckets.all[OUTPUT].objects[done(1).key]
    assert next(each).started == started(2)
    with pytest.raises(NotFoundError):
        next(History(Records(Gate(Access()), "no-such-bucket"), "trailhouse").each())
