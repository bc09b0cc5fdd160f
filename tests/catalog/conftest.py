"""A strict Glue in this process, and catalogs on it that do not wait."""

from __future__ import annotations

import os
from functools import cache
from unittest.mock import patch

import pytest

from bed.glue import StrictGlue
from catalog.changes import DATABASE, ONE, Connect, make, run
from trailhouse.aws.access import Access
from trailhouse.aws.gate import Gate
from trailhouse.catalog.glue import GlueCatalog


class Switch:
    """Lets one client, which takes long to make, talk to the strict Glue of the test that runs."""

    def __init__(self) -> None:
        self.now = StrictGlue()

    def answer(self, operation: str, body: bytes) -> tuple[int, bytes]:
        return self.now.answer(operation, body)


@cache
def _gate(attempts: int) -> tuple[Gate, Switch]:
    settings = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_MAX_ATTEMPTS": str(attempts),
    }
    switch = Switch()
    with patch.dict(os.environ, settings):
        gate = Gate(Access(region="eu-west-1"))
        StrictGlue.attach(switch, gate.session)  # type: ignore[arg-type]  # needs `answer` only
        gate.session.get_credentials()
        gate.client("glue")
    return gate, switch


@pytest.fixture
def strict() -> StrictGlue:
    return StrictGlue()


@pytest.fixture
def waited() -> list[float]:
    """The seconds that were waited for."""
    return []


@pytest.fixture
def connect(strict: StrictGlue, waited: list[float]) -> Connect:
    """Another catalog on the same Glue, as another process has it, whose calls are tried so many times."""

    def connected(attempts: int = 1) -> GlueCatalog:
        gate, switch = _gate(attempts)
        switch.now = strict
        return GlueCatalog(gate, "security", "cloudtrail", wait=waited.append)

    return connected


@pytest.fixture
def catalog(connect: Connect) -> GlueCatalog:
    return connect()


@pytest.fixture
def filled(catalog: GlueCatalog, strict: StrictGlue) -> GlueCatalog:
    run(catalog, DATABASE, make(ONE))
    strict.log.clear()
    return catalog
