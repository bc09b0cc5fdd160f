"""`ddl` as it is called, on a strict Glue and an emulated S3."""

from __future__ import annotations

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


def test_the_catalog_as_statements(aws: Aws, run: Callable[..., Outcome]) -> None:
    aws.glue.counts.clear()
    done = run("ddl")
    assert done.code == 0
    statements = [text.strip() for text in done.out.split(";\n") if text.strip()]
    assert statements[0] == f"CREATE DATABASE IF NOT EXISTS `{os.environ['TRAILHOUSE_DATABASE']}`"
    assert sum(text.startswith("CREATE EXTERNAL TABLE") for text in statements) == 2
    assert sum(text.startswith("CREATE OR REPLACE VIEW") for text in statements) == 2
    assert aws.glue.counts == {}
    assert run("ddl", "--target", A, "-o", "x.sql").out == ""
    assert B not in Path("x.sql").read_text()
    assert run("ddl", "--json").code == 64
