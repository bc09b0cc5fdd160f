"""Runs as the command line makes them: planned into a file, and carried out from it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from catalog.layouts import TODAY, Layout
from listings import MemoryLister
from trailhouse.catalog.aim import Aim
from trailhouse.catalog.application import Application, Report
from trailhouse.catalog.checked import Checked
from trailhouse.catalog.convergence import Convergence
from trailhouse.core.plan import Part, Tally
from trailhouse.core.saved_plan import Header, Writer, read
from trailhouse.storage import Location
from trailhouse.storage.discovery import Discovery

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from trailhouse.catalog.port import Catalog, Outcome
    from trailhouse.core.plan import Change
    from trailhouse.core.state import Found

DATABASE, PREFIX = "security", "cloudtrail"


class Killed(BaseException):
    """The process is gone."""


class Killing(Checked):
    """A catalog whose caller is killed once so many changes are done."""

    def __init__(self, catalog: Catalog, after: int) -> None:
        super().__init__(catalog)
        self.left = after

    def carry_out(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        if not changes:
            return
        for outcome in self._catalog.carry_out(changes):
            if not self.left:
                raise Killed
            self.left -= 1
            yield outcome
            if not self.left:
                raise Killed


def aim(today: date = TODAY, **options: Any) -> Aim:  # noqa: ANN401 - as Aim takes them
    return Aim(DATABASE, PREFIX, today, **options)


def discover(layout: Layout, today: date = TODAY, lister: MemoryLister | None = None) -> Discovery:
    lister = lister or MemoryLister(layout.buckets)
    return Discovery(map(Location, layout.sources), today=today, lister=lambda _: lister)


def plan(catalog: Catalog, layout: Layout, today: date = TODAY, **options: Any) -> list[Part]:  # noqa: ANN401 - as Aim takes them
    with discover(layout, today) as discovery:
        return [*Convergence(catalog, discovery, aim(today, **options)).parts()]


def saved(parts: Sequence[Part], today: date = TODAY) -> str:
    written = io.BytesIO()
    writer = Writer(Header("arn", DATABASE, PREFIX, "any", today), written.write)
    for part in parts:
        writer.add(part)
    writer.close()
    return written.getvalue().decode()


def reopened(text: str) -> Iterator[Part]:
    _, parts = read(io.StringIO(text).read, "plan.json")
    return parts


def carry_out(catalog: Catalog, parts: Sequence[Part]) -> Report:
    application = Application(catalog, DATABASE, PREFIX)
    for part in reopened(saved(parts)):
        application.carry_out(part)
    return application.report


def apply(catalog: Catalog, layout: Layout, today: date = TODAY, **options: Any) -> Report:  # noqa: ANN401 - as Aim takes them
    """Plan and carry out, nothing refused."""
    parts = plan(catalog, layout, today, **options)
    assert not [refusal for part in parts for refusal in part.refusals]
    return carry_out(catalog, parts)


def tally(parts: Sequence[Part]) -> Tally:
    found = Tally()
    for part in parts:
        found.add(part)
    return found


def changes(parts: Sequence[Part]) -> list[Change]:
    return [change for part in parts for change in part.changes]


def definitions(found: dict[str, Found]) -> dict[str, object]:
    return {name: one.definition for name, one in found.items()}
