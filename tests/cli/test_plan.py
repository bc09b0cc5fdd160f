"""`plan` as it is called, on a strict Glue and an emulated S3."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bed.faults import denied

if TYPE_CHECKING:
    from collections.abc import Callable

    from bed.aws import Aws
    from cli.outcomes import Outcome

pytestmark = pytest.mark.emulator

A, B = "111122223333", "444455556666"
PROGRAM = Path(sys.executable).with_name("trailhouse")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--detailed-exitcode",), 2),
        (("--detailed-exitcode", "--json"), 2),
        (("--out", "a.plan"), 0),
        ((), 0),
    ],
)
@pytest.mark.usefixtures("run")
def test_whoever_reads_the_beginning_of_a_plan_has_its_exit_code_and_file(
    options: tuple[str, ...], code: int
) -> None:
    for verbose in ((), ("-v",)):  # little is written at the end only, much before it
        command = [PROGRAM, "plan", *options, *verbose]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
            assert started.stdout is not None
            started.stdout.close()
            assert started.wait(60) == code
            assert started.stderr is not None
            assert not re.search("pipe|Traceback", started.stderr.read(), re.IGNORECASE)
    if "--out" in options:
        assert json.loads(Path("a.plan").read_text())["parts"]


def test_some_of_it(run: Callable[..., Outcome]) -> None:
    done = run("plan", "--target", A, "--detailed-exitcode")
    assert done.code == 2
    assert B not in done.out
    assert "view" not in done.out
    assert run("plan", "--target", "123").code == 64
    done = run("plan", "--format", "csv")
    assert (done.code, "--format csv: a plan is text, or JSON" in done.err) == (64, True)
    assert run("plan", "-o", "x.json").code == 64


def test_where_nothing_can_be_planned_nothing_is_called_right(aws: Aws, run: Callable[..., Outcome]) -> None:
    assert run("apply", "--yes").code == 0
    undo = run("apply", "--undo", "--yes")
    assert undo.code == 1
    assert undo.err.count("there is nothing to put back") == 1
    assert "as it should be" not in undo.err
    aws.s3.log.faults.append(
        denied("ListObjectsV2", status=403, when=lambda _, asked: "CloudTrail" in str(asked))
    )
    failed = run("plan")
    aws.s3.log.faults.clear()
    lines = failed.out.splitlines()
    assert (failed.code, lines) == (
        3,
        [f"! {A}: not planned", f"! {B}: not planned", "No change is planned."],
    )
