from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deploy.stacks import CODE, CONFIGS, synthesised
from trailhouse.config.settings import Settings
from trailhouse.deploy.template import fill, load, symbols
from trailhouse.deploy.values import Values, values_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
SYMBOL = re.compile(r"<<([a-z_]+)>>")


def values(**given: object) -> Values:
    return replace(values_of(Settings(**CONFIGS["least"])), **given)


def texts(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        for key, each in part.items():
            yield key
            yield from texts(each)
    elif isinstance(part, list):
        for each in part:
            yield from texts(each)
    elif isinstance(part, str):
        yield part


def test_every_symbol_has_a_value_and_every_value_a_symbol() -> None:
    used = set(SYMBOL.findall(json.dumps(load())))
    given = set(symbols()[0].as_mapping()) | {"code_bucket", "code_key"}
    assert used == given


def test_nothing_of_the_mould_is_left(filled: dict[str, Any]) -> None:
    found = set(texts(filled))
    assert not [text for text in found if SYMBOL.search(text)]
    assert not found & {"Fn::If", "Conditions", "Condition::", "AWS::NoValue"}
    assert not [one for one in filled["Resources"].values() if "Condition" in one]


def test_there_is_no_null_for_cloudformation_takes_none(filled: dict[str, Any]) -> None:
    assert "null" not in re.findall(r"\bnull\b", re.sub(r'"(?:[^"\\]|\\.)*"', "", json.dumps(filled)))


def test_numbers_are_numbers() -> None:
    found = fill(values(memory_mb=2048, workgroup_limit=10**13), CODE)["Resources"]
    assert found["Function"]["Properties"]["MemorySize"] == 2048
    configuration = found["Workgroup"]["Properties"]["WorkGroupConfiguration"]
    assert configuration["BytesScannedCutoffPerQuery"] == 10**13
    assert configuration["RequesterPaysEnabled"] is False


def test_a_value_that_looks_like_a_symbol_is_a_value() -> None:
    found = fill(values(schedule="<<topic>>", runner_statements=({"Sid": "<<stack>>"},)), CODE)["Resources"]
    assert found["Schedule"]["Properties"]["ScheduleExpression"] == "<<topic>>"
    policy = found["FunctionRole"]["Properties"]["Policies"][0]["PolicyDocument"]
    assert policy["Statement"][0] == {"Sid": "<<stack>>"}


def test_own_things_are_there_or_not() -> None:
    own = {"Topic", "TopicPolicy", "OutputBucket", "OutputBucketPolicy"}
    assert own <= set(fill(values(), CODE)["Resources"])
    given = fill(values(topic="arn:aws:sns:eu-west-1:111122223333:t", output_bucket="mine"), CODE)
    assert not own & set(given["Resources"])
    assert given["Outputs"]["OutputBucket"]["Value"] == "mine"


def test_code_can_be_left_to_parameters() -> None:
    found = fill(values(), None)
    assert found["Resources"]["Function"]["Properties"]["Code"] == {
        "S3Bucket": {"Ref": "CodeBucket"},
        "S3Key": {"Ref": "CodeKey"},
    }
    assert set(found["Parameters"]) == {"CodeBucket", "CodeKey"}
    assert "Parameters" not in fill(values(), CODE)


def test_it_fits_in_a_request(filled: dict[str, Any]) -> None:
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
    assert len(json.dumps(filled, separators=(",", ":"))) < 51_200


@pytest.mark.cdk
@pytest.mark.slow
def test_it_is_not_stale(node: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "template.py", "--check"],
        env={**os.environ, "JSII_NODE": os.fspath(node)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.cdk
@pytest.mark.slow
def test_it_is_what_the_cdk_makes(
    cdk: object, settings: Settings, filled: dict[str, Any], tmp_path: Path
) -> None:
    assert synthesised(cdk, settings, tmp_path) == filled


def test_the_terraform_example_fits_the_template() -> None:
    text = (ROOT / "examples" / "terraform" / "main.tf").read_text("utf-8")
    block = text[text.index("parameters = {") :]
    given = set(re.findall(r"^    (\w+) +=", block[: block.index("}")], re.MULTILINE))
    assert given == set(fill(values(), None)["Parameters"])
    assert "CAPABILITY_NAMED_IAM" in text
    assert f'default     = "{Settings.model_fields["stack"].default}"' in text
