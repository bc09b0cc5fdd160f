from functools import cache

import duckdb
import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from trailhouse.lake.duplicates import IDENTITY, Keys, flag, keys_of

VALUES = st.one_of(st.none(), st.sampled_from(["", "a", "b", "-", "1:a", "ä"]))
ROWS = st.lists(st.tuples(*[VALUES] * len(IDENTITY)), max_size=40)


def keys(rows: list[tuple[str | None, ...]]) -> Keys:
    table = pa.table({n: pa.array([row[i] for row in rows], pa.string()) for i, n in enumerate(IDENTITY)})
    return keys_of(database(), table)


@cache
def database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@settings(deadline=None)  # the first example opens a database
@given(ROWS, ROWS)
def test_like_a_set_would(known: list[tuple[str | None, ...]], new: list[tuple[str | None, ...]]) -> None:
    seen = {row for row in known if row[0] is not None}
    expected = []
    for row in new:
        expected.append(row in seen)
        if row[0] is not None:
            seen.add(row)
    assert flag(keys(known), keys(new)).tolist() == expected


def test_values_do_not_run_into_each_other() -> None:
    one = keys([("a", "bc", "d", None, None), ("ab", "c", "d", None, None), ("a", "bc", "d", "", None),
                ("a", "2:bc1:d", None, None, None)])  # fmt: skip
    assert len(np.unique(one, axis=0)) == 4


def test_rows_without_an_id_stand_for_themselves() -> None:
    same = (None, "t", "s", "n", "a")
    assert not flag(keys([same]), keys([same, same])).any()


def test_nothing_known_and_nothing_new() -> None:
    none = np.empty((0, 2), np.uint64)
    assert flag(none, none).tolist() == []
    assert flag(keys([("a",) * 5]), none).tolist() == []


def test_only_the_columns_that_are_there() -> None:
    table = pa.table({"eventid": ["a", "a", "b"], "other": ["x", "y", "z"]})
    with duckdb.connect() as connection:
        found = keys_of(connection, table)
    assert flag(np.empty((0, 2), np.uint64), found).tolist() == [False, True, False]


def test_chunked_tables() -> None:
    table = pa.table({n: pa.chunked_array([["a"], ["a", "b"]]) for n in IDENTITY})
    with duckdb.connect() as connection:
        assert flag(np.empty((0, 2), np.uint64), keys_of(connection, table)).tolist() == [False, True, False]
