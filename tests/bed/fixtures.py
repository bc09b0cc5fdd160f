"""Fixtures of the bed, for every test: `strict_glue`, `aws`, `trino`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from bed.aws import Aws
from bed.download import Unavailable, server
from bed.glue import StrictGlue
from bed.trino import Trino

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


@pytest.fixture(scope="session")
def trino(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trino]:
    """A real Trino with an AWS of its own, `trino.aws`, for the whole session; marked `trino`."""
    if os.environ.get("PYTEST_XDIST_WORKER"):
        pytest.fail("one Trino a session: run tests marked `trino` without -n")
    try:
        server()
    except Unavailable as reason:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(reason))
    with Aws() as account, Trino(account, tmp_path_factory.mktemp("trino")) as started:
        print(f"Trino answered after {started.began:.0f} s")
        yield started
