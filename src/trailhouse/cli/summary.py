"""`trailhouse summary`: a first look."""

from __future__ import annotations

import typer


def run(ctx: typer.Context) -> int:
    """Show span, accounts, records, duplicates, gaps, principals, networks, errors, logins, changes to logging."""
    raise NotImplementedError
