"""A shape applied to the scratch logs, by the same flow as `trailhouse apply`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailhouse.aws.access import Access
from trailhouse.catalog.application import Application, refuse
from trailhouse.catalog.convergence import Aim, Convergence
from trailhouse.catalog.glue import GlueCatalog
from trailhouse.core.plan import Tally
from trailhouse.selftest.check import Stage
from trailhouse.selftest.expect import Answer
from trailhouse.storage.access import Location
from trailhouse.storage.discovery import Discovery
from trailhouse.storage.listing import S3Lister

if TYPE_CHECKING:
    from datetime import date

    from trailhouse.aws.gate import Gate
    from trailhouse.core.plan import Part
    from trailhouse.selftest.scratch import Place

LOGS = "logs/"
"""Folder of the logs below the scratch prefix."""


def converge(gate: Gate, place: Place, prefix: str, stage: Stage, today: date) -> Answer:
    """Plan and apply, then plan again.

    Args:
        gate: to Glue and S3.
        place: the scratch place.
        prefix: `table_prefix`.
        stage: the shape.
        today: the current day, UTC.

    Returns:
        One row: how many changes the second plan has; an error where not everything was carried out.
    """
    projected = stage is Stage.PROJECTED
    tables = "single" if projected else str(stage)
    aim = Aim(place.database, prefix, today, tables=tables, projected=projected, days=None)
    catalog = GlueCatalog(gate, place.database, prefix)
    first, tally = _plan(gate, place, catalog, aim)
    refuse(tally)
    application = Application(catalog, place.database, prefix)
    for part in first:
        application.carry_out(part)
    failed = application.report.failed.values()
    for failure in failed:
        raise failure.error
    _, again = _plan(gate, place, catalog, aim)
    return Answer(((again.changes,),))


def _plan(gate: Gate, place: Place, catalog: GlueCatalog, aim: Aim) -> tuple[list[Part], Tally]:
    source = Location(f"s3://{place.bucket}/{place.prefix}{LOGS}", Access(expected_owner=place.owner or None))
    tally = Tally()
    with Discovery([source], today=aim.today, lister=lambda access: S3Lister(access, gate)) as discovery:
        parts = list(Convergence(catalog, discovery, aim).parts())
    for part in parts:
        tally.add(part)
        if part.error is not None:
            raise part.error
    return parts, tally
