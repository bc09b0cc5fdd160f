"""`trailhouse version`: what answers here."""

from __future__ import annotations

import sys

import typer


def run(ctx: typer.Context) -> int:
    """Show the versions of trailhouse and of what it stands on."""
    from trailhouse.versions import versions  # noqa: PLC0415 - reads package metadata

    ctx.obj.refuse_output("version")
    found = versions()
    if ctx.obj.json or ctx.obj.format == "json":
        import json  # noqa: PLC0415 - only with --json

        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    else:
        sys.stdout.writelines(f"{name} {number}\n" for name, number in found.items())
    return 0
