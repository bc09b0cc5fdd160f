"""Which rows hold an event that another row holds already.

Two rows are the same event when eventid, eventtime, eventsource, eventname and recipientaccountid agree; a row without
an eventid is an event of its own. Rows are compared by the MD5 of these five (128 bits), not by the texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb
    import pyarrow as pa

IDENTITY = ("eventid", "eventtime", "eventsource", "eventname", "recipientaccountid")
Keys = np.ndarray[Any, np.dtype[np.uint64]]
"""Shape (rows, 2); a row of zeros is an event of its own."""


def keys_sql(columns: Sequence[str], rows: str) -> str:
    """A statement (DuckDB) for the two halves, `high` and `low`, of each row's key; NULL without an eventid.

    Args:
        columns: Names of the rows' columns.
        rows: What stands after FROM.
    """
    names = [name for name in IDENTITY if name in columns]
    # Lengths go in, so that no choice of values can move the border between two fields.
    parts = ", ".join(f"coalesce(length({n})::VARCHAR || ':' || {n}, '-')" for n in names)
    digest = (
        f"SELECT CASE WHEN eventid IS NOT NULL THEN md5_number(concat({parts})) END AS digest FROM {rows}"  # noqa: S608 - names of ours
    )
    low = (1 << 64) - 1
    return f"SELECT (digest >> 64)::UBIGINT AS high, (digest & {low})::UBIGINT AS low FROM ({digest})"  # noqa: S608 - likewise


def keys_of(connection: duckdb.DuckDBPyConnection, rows: pa.Table) -> Keys:
    """The keys of a table's rows, in order."""
    names = [n for n in IDENTITY if n in rows.schema.names]
    return to_keys(
        connection.from_arrow(rows.select(names)).query("rows", keys_sql(names, "rows")).to_arrow_table()
    )


def to_keys(halves: pa.Table) -> Keys:
    """Keys from a table of `high` and `low`."""
    columns = [
        halves.column(n).combine_chunks().fill_null(0).to_numpy(zero_copy_only=False) for n in ("high", "low")
    ]
    return np.column_stack(columns).astype(np.uint64, copy=False)


def flag(known: Keys, new: Keys) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which of the new rows repeat a known row or an earlier new one."""
    rows = np.concatenate((known, new)) if len(known) else new
    high, low = rows[:, 0], rows[:, 1]
    order = np.argsort(high, kind="stable")  # known ones first, then in the order given
    same = np.flatnonzero(np.diff(high[order]) == 0)
    if (low[order[same]] != low[order[same + 1]]).any():  # events that share half a key: sort by all of it
        order = np.lexsort((low, high))
        same = np.flatnonzero((np.diff(high[order]) == 0) & (np.diff(low[order]) == 0))
    later = order[same + 1]
    repeats = np.zeros(len(high), bool)
    repeats[later] = (high[later] != 0) | (low[later] != 0)
    return repeats[len(known) :]
