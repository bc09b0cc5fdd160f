"""Fixtures of the bed, for every test: `strict_glue`, `aws`, `trino`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bed.aws import Aws
from bed.glue import StrictGlue

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def strict_glue() -> StrictGlue:
    """An empty catalog; `attach` it to a session, or `serve` it."""
    return StrictGlue()


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    """A fresh AWS account on 127.0.0.1 for a module's tests."""
    with Aws() as started:
        started.restart()
        yield started
