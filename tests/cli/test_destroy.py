"""`destroy` as it is called, on a strict Glue and an emulated S3."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from bed.aws import Aws
    from cli.outcomes import Outcome

pytestmark = pytest.mark.emulator

A, B = "111122223333", "444455556666"
PROGRAM = Path(sys.executable).with_name("trailhouse")


def test_what_is_ours_goes_and_nothing_else(aws: Aws, run: Callable[..., Outcome]) -> None:
    run("apply", "--yes")
    database, glue = os.environ["TRAILHOUSE_DATABASE"], aws.client("glue")
    glue.create_table(DatabaseName=database, TableInput={"Name": "cloudtrail_mine"})
    assert run("destroy").code == 64
    done = run("destroy", "--yes", "--json")
    assert done.code == 0
    found = json.loads(done.out)
    assert found["done"] == {"table": {"delete": 2}, "view": {"delete": 2}}
    assert [one["name"] for one in found["stays"]] == ["cloudtrail_mine", database]
    assert "all logs stay" in done.err
    assert [table["Name"] for table in glue.get_tables(DatabaseName=database)["TableList"]] == [
        "cloudtrail_mine"
    ]
    glue.delete_table(DatabaseName=database, Name="cloudtrail_mine")
    assert run("destroy", "--yes").out == "Done: nothing.\n"
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.get_database(Name=database)
    assert run("destroy").out == "Done: nothing.\n"
    assert len(aws.buckets.find("logs").objects) == 6
