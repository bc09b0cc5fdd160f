"""`trailhouse ddl`: the whole catalog as statements of Athena."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, BinaryIO

import typer

from trailhouse.cli.extent import Everything, Targets

if TYPE_CHECKING:
    from trailhouse.catalog.aim import Aim
    from trailhouse.cli.call import Call


def run(
    ctx: typer.Context,
    target: Targets = None,
    everything: Everything = False,
) -> int:
    """Print the catalog as it should be, as Athena SQL.

    Database, tables, partitions, views. The sources are listed; the catalog is not asked.
    """
    from trailhouse.aws.gate import Gate  # noqa: PLC0415 - boto3 is heavy
    from trailhouse.catalog.opening import aim_of, known_regions  # noqa: PLC0415 - likewise
    from trailhouse.cli import planning  # noqa: PLC0415 - likewise
    from trailhouse.output.files import whole_file  # noqa: PLC0415 - likewise
    from trailhouse.storage.access import general_access  # noqa: PLC0415 - likewise

    call: Call = ctx.obj
    planning.text_only(call, "ddl")
    call.refuse_window("ddl", planning.TARGETS)
    regions = known_regions(Gate(general_access(call.settings)))
    aim = aim_of(call.settings, planning.today(call), regions, everything=everything, targets=target or ())
    if call.output is None:
        return _write(call, aim, sys.stdout.buffer)
    call.check_output(call.output, lambda _: False)
    with whole_file(call.output) as file:
        return _write(call, aim, file)  # type: ignore[arg-type]  # it has all that is used


def _write(call: Call, aim: Aim, file: BinaryIO) -> int:
    from trailhouse.catalog.convergence import Convergence  # noqa: PLC0415 - heavy
    from trailhouse.catalog.empty import EmptyCatalog  # noqa: PLC0415 - heavy
    from trailhouse.catalog.opening import open_sources  # noqa: PLC0415 - heavy
    from trailhouse.cli import planning  # noqa: PLC0415 - heavy
    from trailhouse.core.ddl import statements  # noqa: PLC0415 - heavy
    from trailhouse.core.plan import Tally  # noqa: PLC0415 - heavy

    tally = Tally()
    with open_sources(call.settings, aim.today, "ddl") as discovery:
        flow = Convergence(EmptyCatalog(), discovery, aim)
        for part in flow.parts():
            tally.add(part)
            for statement in statements(part, aim.database, flow.shape.keys):
                comment = statement.startswith("--")
                file.write(statement.encode() + (b"\n\n" if comment else b";\n\n"))
        planning.tell(call, tally, None, discovery)
    return planning.exit_code(tally)
