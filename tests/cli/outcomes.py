"""What a call of the program came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from trailhouse.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable

    from bed.aws import Aws


@dataclass
class Outcome:
    code: int
    out: str
    err: str


def writes(aws: Aws) -> list[str]:
    """What was asked of Glue that changes something."""
    return [name for name in aws.glue.counts if not name.startswith("Get")]


def program(capfd: pytest.CaptureFixture[str], *before: str) -> Callable[..., Outcome]:
    """The program in this process; `before` begins each call. What it says never holds a traceback."""

    def call(*args: str) -> Outcome:
        with pytest.raises(SystemExit) as left:
            main([*before, *args])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return Outcome(int(left.value.code or 0), out, err)

    return call
