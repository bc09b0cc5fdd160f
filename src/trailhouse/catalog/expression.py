"""Filters of Glue: which tables, which partitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailhouse.core.conditions import Compare, Condition, every, expression, from_day
from trailhouse.core.state import DATE_KEYS

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date


def names(prefix: str) -> str:
    """The pattern of the tables whose names begin so; others may match, too.

    It is documented as a regular expression and used by everybody as if `*` were a wildcard: this works as both.
    """
    return f"{prefix}*|{prefix}.*"


def partitions(keys: Collection[str], account: str | None, since: date | None) -> str:
    """The filter of one account's partitions from a day of delivery on; "" for all.

    Args:
        keys: partition keys; a condition on one that is not there is left out.
        account: only this one's; None: all.
        since: the first day, UTC; None: all.
    """
    wanted: list[Condition] = []
    if account is not None and "account" in keys:
        wanted.append(Compare("account", "=", (account,)))
    if since is not None and set(DATE_KEYS) <= set(keys):
        wanted.append(from_day(since))
    return expression(every(*wanted))
