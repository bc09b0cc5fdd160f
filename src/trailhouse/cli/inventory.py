"""`trailhouse inventory`: what lies in the sources, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from trailhouse.core.sizes import count_of, format_size
from trailhouse.output import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from trailhouse.cli.call import Call
    from trailhouse.core.inventory import Inventory


def run(
    ctx: typer.Context,
    days: Annotated[bool, typer.Option("--days", help="A row a day, not one a place.")] = False,
) -> int:
    """Show accounts, kinds, regions and days by the names of files.

    What was not understood is counted and named; no file is read.
    """
    call: Call = ctx.obj
    with call.open() as house:
        found = house.inventory()
        reader = _table(found, days=days).to_reader()
        if call.output:
            call.save(reader, call.output, call.form, house, [])
        else:
            call.show(reader)
        for line in in_words(found):
            call.console.note(line)
    return 0


def _table(found: Inventory, *, days: bool) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415 - heavy

    from trailhouse.core.inventory import Day, Span  # noqa: PLC0415 - only here

    shape = Day if days else Span
    rows = [row._asdict() for row in (found.as_rows() if days else found.spans())]
    schema = pa.schema(
        [(n, pa.int64() if t is int else pa.string()) for n, t in shape.__annotations__.items()]
    )
    return pa.Table.from_pylist(rows, schema=schema)


def in_words(found: Inventory) -> Iterator[str]:
    """The whole in a few lines: logs, and everything that is none."""
    logs = found.logs
    yield (
        f"{count_of(logs.files, 'log file')} ({format_size(logs.bytes)}) of "
        f"{count_of(len(found.accounts), 'account')} in {count_of(len(found.regions), 'region')}"
    )
    for service, count in found.foreign:
        yield f"{count_of(count.files, 'file')} of another service: {escape(service)}"
    for storage_class, count in found.archived:
        what = f"{count_of(count.files, 'log file is', 'log files are')} archived ({escape(storage_class)})"
        yield f"{what} and cannot be read before a restore"
    if found.folders.files:
        yield count_of(found.folders.files, "marker of a folder", "markers of folders")
    if found.unknown.files:
        named = ", ".join(map(escape, found.samples[:3]))
        yield f"{count_of(found.unknown.files, 'file')} of a name that says nothing; the content decides: {named}"
