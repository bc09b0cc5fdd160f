"""The small catalog behind an Athena whose answers a test chooses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.catalogs import Elsewhere, started

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[Elsewhere]:
    """AWS with the small catalog, its credentials in the environment."""
    with started() as found:
        for name, value in found.aws.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("trailhouse.engine.athena.FIRST_PAUSE", 0.01)
        yield found
