import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trailhouse.core.layout import Kind
from trailhouse.core.schema import lake_columns
from trailhouse.lake import writer
from trailhouse.lake.columns import arrow_schema
from trailhouse.lake.runs import ORDER, Run, open_run, save_flags, write_run
from trailhouse.lake.writer import Piece, WrittenFile, write_day

NOW = datetime(2024, 1, 2, tzinfo=UTC)
DAY = ("2024", "01", "02")
SCHEMA = arrow_schema(lake_columns(Kind.CLOUDTRAIL))
LATER = {"duplicate", "writer", "ingestedat"}


def run(folder: Path, name: str, rows: list[dict[str, Any]]) -> Run:
    """A run as a task leaves it."""
    plain = {"year": DAY[0], "month": DAY[1], "day": DAY[2], "logrecord": 0}
    schema = pa.schema([field for field in SCHEMA if field.name not in LATER])
    table = pa.Table.from_pylist([plain | row for row in rows], schema=schema)
    with duckdb.connect() as connection:
        made = write_run(table, Kind.CLOUDTRAIL, folder / name, connection)
    save_flags(made, np.arange(made.rows) % 2 == 1)
    return made


def rows(count: int, seed: int) -> list[dict[str, Any]]:
    dice = random.Random(seed)
    return [
        {
            "eventid": f"{seed}-{n}",
            "account": dice.choice(["1", "2", "ü", "", None]),
            "region": dice.choice(["a", "b", None]),
            "eventtime": dice.choice([None, "", f"2024-01-02T{dice.randrange(24):02}"]),
            "useridentity": {"type": dice.choice(["x", None])},
        }
        for n in range(count)
    ]


def whole(made: Run) -> Piece:
    return made, 0, made.rows


def written(files: list[WrittenFile]) -> pa.Table:
    return pa.concat_tables([pq.read_table(file.path) for file in files])


def order(table: pa.Table) -> list[tuple[Any, ...]]:
    return [tuple((v is None, v or "") for v in row.values()) for row in table.select(ORDER).to_pylist()]


def test_one_run(tmp_path: Path) -> None:
    made = run(tmp_path, "run", rows(10, 1))
    (file,) = write_day(DAY, [whole(made)], SCHEMA, tmp_path / "day", NOW)
    assert file == WrittenFile(f"{tmp_path}/day-0.parquet", DAY, 10)
    table = written([file])
    assert table.schema.names == SCHEMA.names
    assert order(table) == sorted(order(table))
    assert table["duplicate"].to_pylist() == open_run(made)["duplicate"].to_pylist() == [False, True] * 5
    assert set(table["writer"].to_pylist()) == {"workers"}
    assert set(table["ingestedat"].to_pylist()) == {NOW.replace(tzinfo=None)}


def test_a_part_of_a_run(tmp_path: Path) -> None:
    made = run(tmp_path, "run", rows(10, 1))
    (file,) = write_day(DAY, [(made, 3, 7)], SCHEMA, tmp_path / "day", NOW)
    assert written([file])["eventid"].to_pylist() == open_run(made)["eventid"].to_pylist()[3:7]


@pytest.mark.parametrize("limit", ["GROUP_ROWS", "GROUP_BYTES"])
def test_many_runs_are_merged_in_slices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    """Whatever the slices: every row once, in order, with its own flag."""
    monkeypatch.setattr(writer, "_SAMPLE", 3)
    monkeypatch.setattr(writer, limit, {"GROUP_ROWS": 10, "GROUP_BYTES": 4_000}[limit])
    runs = [run(tmp_path, f"run{n}", rows(40 + 7 * n, n)) for n in range(8)]
    slices: list[int] = []
    merge = writer._merge
    monkeypatch.setattr(
        writer, "_merge", lambda parts, by: slices.append(sum(map(len, parts))) or merge(parts, by)
    )
    files = list(write_day(DAY, [whole(made) for made in runs], SCHEMA, tmp_path / "day", NOW))
    assert len(slices) > 8
    table = written(files)
    assert order(table) == sorted(order(table))
    flags = dict(zip(table["eventid"].to_pylist(), table["duplicate"].to_pylist(), strict=True))
    expected = {}
    for made in runs:
        opened = open_run(made)
        expected |= dict(zip(opened["eventid"].to_pylist(), opened["duplicate"].to_pylist(), strict=True))
    assert flags == expected
    assert table.num_rows == len(expected) == sum(made.rows for made in runs)


def test_slices_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_SAMPLE", 10)
    monkeypatch.setattr(writer, "GROUP_ROWS", 100)
    runs = []
    for n in range(4):
        own = [{"account": "1", "eventtime": f"{number:06}"} for number in range(n, 2_000, 4)]
        runs.append(run(tmp_path, f"run{n}", own))
    slices = list(writer._slices([open_run(made) for made in runs], ORDER))
    assert sum(len(one) for one in slices) == 2_000
    assert max(len(one) for one in slices) <= 200


def test_runs_that_do_not_overlap_stay_in_order(tmp_path: Path) -> None:
    later = run(
        tmp_path, "later", [{"account": "2", "eventid": str(n), "eventtime": f"{n}"} for n in range(5)]
    )
    earlier = run(
        tmp_path, "earlier", [{"account": "1", "eventid": str(n), "eventtime": f"{n}"} for n in range(5)]
    )
    (file,) = write_day(DAY, [whole(later), whole(earlier)], SCHEMA, tmp_path / "day", NOW)
    assert written([file])["account"].to_pylist() == ["1"] * 5 + ["2"] * 5


def test_a_large_day_goes_on_in_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_SAMPLE", 10)
    monkeypatch.setattr(writer, "GROUP_ROWS", 20)
    monkeypatch.setattr(writer, "FILE_BYTES", 1)
    runs = [run(tmp_path, f"run{n}", rows(100, n)) for n in range(2)]
    files = list(write_day(DAY, [whole(made) for made in runs], SCHEMA, tmp_path / "day", NOW))
    assert [file.path for file in files] == [f"{tmp_path}/day-{n}.parquet" for n in range(len(files))]
    assert len(files) > 3
    assert sum(file.rows for file in files) == 200
    assert order(written(files)) == sorted(order(written(files)))
    assert {pq.read_metadata(file.path).num_rows for file in files} == {file.rows for file in files}
