"""`trailhouse template`: whole, filled in, and without a call to AWS."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from cli.outcomes import Outcome, program

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """The program in a folder with a configuration; whatever it asked of AWS would fail."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trailhouse.yaml").write_text("s3_bucket_containing_logs: my-logs\nstack: trail\n", "utf-8")

    return program(capfd, "template")


def test_the_place_of_the_package_is_left_to_parameters(call: Callable[..., Outcome]) -> None:
    done = call()
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    assert set(found["Parameters"]) == {"CodeBucket", "CodeKey"}
    assert found["Resources"]["Machine"]["Properties"]["StateMachineName"] == "trail"


def test_the_place_of_the_package_may_be_given(call: Callable[..., Outcome]) -> None:
    found = json.loads(call("--code-bucket", "code", "--code-key", "a.zip", "--stack", "other").out)
    assert "Parameters" not in found
    code = found["Resources"]["Function"]["Properties"]["Code"]
    assert code == {"S3Bucket": "code", "S3Key": "a.zip"}
    assert found["Resources"]["Function"]["Properties"]["FunctionName"] == "other"


@pytest.mark.slow
def test_template_and_package_become_files(call: Callable[..., Outcome], tmp_path: Path) -> None:
    done = call("--package", "function.zip", "-o", "template.json")
    assert (done.code, done.out) == (0, "")
    assert "upload it under a key that changes with it, such as trail/" in done.err
    json.loads((tmp_path / "template.json").read_text("utf-8"))
    with zipfile.ZipFile(io.BytesIO((tmp_path / "function.zip").read_bytes())) as archive:
        assert "trailhouse/nightly/handler.py" in archive.namelist()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--code-bucket", "b"), "belong together"),
        (("--format", "csv"), "JSON and nothing else"),
        (("--since", "7d"), "leave it out"),
        (("-o", "no/such/template.json"), "there is no folder"),
        (("-o", "one.json", "--package", "./one.json"), "cannot be both the template and the package"),
    ],
)
def test_what_cannot_be_is_refused(call: Callable[..., Outcome], args: tuple[str, ...], said: str) -> None:
    done = call(*args)
    assert done.code in {1, 64}
    assert said in done.err
    assert done.out == ""
