"""Options that commands on the catalog share: how much of it is meant."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

Words: TypeAlias = list[str] | None
Targets = Annotated[
    Words, typer.Option("--target", metavar="ACCOUNT", help="Only this account, or `views`; repeatable.")
]
Everything = Annotated[bool, typer.Option("--all", help="All days that have logs, not only partition_days.")]
