"""`trailhouse inventory`: what lies in the sources, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from trailhouse.cli.call import INCOMPLETE
from trailhouse.core.sizes import count_of, format_size
from trailhouse.output import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from trailhouse.cli.call import Call
    from trailhouse.core.inventory import Inventory


def run(
    ctx: typer.Context,
    days: Annotated[bool, typer.Option("--days", help="A row a day, not one a place.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="By folders alone, without counting files: for S3.")
    ] = False,
) -> int:
    """Show accounts, kinds, regions and days by the names of files.

    What was not understood is counted and named; no file is read. A large bucket has millions of names to list:
    --quick lists its folders only, of the window, accounts and regions asked for.
    """
    call: Call = ctx.obj
    if quick:
        return _by_folders(call, days=days)
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


def _by_folders(call: Call, *, days: bool) -> int:
    from trailhouse.cli.folders import FolderDay, FolderSpan, find_folders  # noqa: PLC0415 - with its flag

    call.refuse_output("inventory --quick")
    found = find_folders(call, ends=not days)
    table = _rows(FolderDay, found.as_days()) if days else _rows(FolderSpan, found.as_spans())
    call.show(table.to_reader())
    for line in found.in_words():
        call.console.note(line)
    for line in found.failures():
        call.console.warn(line)
    return INCOMPLETE if found.failed else 0


def _table(found: Inventory, *, days: bool) -> pa.Table:
    from trailhouse.core.inventory import Day, Span  # noqa: PLC0415 - only here

    return _rows(Day, found.as_rows()) if days else _rows(Span, found.spans())


def _rows(shape: type[NamedTuple], found: Iterable[NamedTuple]) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415 - heavy

    rows = [row._asdict() for row in found]
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
