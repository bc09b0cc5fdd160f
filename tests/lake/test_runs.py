from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from lake.samples import delivered, record
from trailhouse.core.layout import Kind, classify
from trailhouse.lake.ledger import Item
from trailhouse.lake.reader import Delivery, read
from trailhouse.lake.runs import Run, open_run, place, read_run, run_keys, save_flags, write_run
from trailhouse.storage import StoredObject

FOLDER = "AWSLogs/111111111111/CloudTrail/us-east-1/2024/05/06"
LOG = f"{FOLDER}/111111111111_CloudTrail_us-east-1_20240506T0000Z_abcdefghijklmnop.json.gz"


def placed(kind: Kind, *objects: tuple[str, bytes]) -> pa.Table:
    """Read objects of these names, and give each row its place."""
    items = [
        Item(StoredObject("source", name, len(content), "v"), classify(name)) for name, content in objects
    ]
    deliveries = [Delivery(n, items[n].kind, [content]) for n, (_, content) in enumerate(objects)]
    tables = [place(reading.batches[kind], items) for reading in read(deliveries)]
    return pa.concat_tables(tables)


def kept(table: pa.Table, folder: Path) -> Run:
    with duckdb.connect() as connection:
        return write_run(table, Kind.CLOUDTRAIL, folder / "run", connection)


def columns(table: pa.Table, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in table.select(names).to_pylist()]


def test_the_key_goes_before_the_record() -> None:
    table = placed(
        Kind.CLOUDTRAIL,
        (LOG, delivered(record(1, recipientAccountId="999999999999", awsRegion="eu-west-1"), record(2))),
        ("x.json", delivered(record(3, recipientAccountId="999999999999", awsRegion="eu-west-1"))),
    )
    assert columns(table, "account", "region", "year", "month", "day", "logroot", "logfile", "logrecord") == [
        ("111111111111", "us-east-1", "2024", "05", "06", "source/AWSLogs", LOG, 0),
        ("111111111111", "us-east-1", "2024", "05", "06", "source/AWSLogs", LOG, 1),
        ("999999999999", "eu-west-1", "2024", "05", "06", "source", "x.json", 0),
    ]


@pytest.mark.parametrize(
    ("members", "account"),
    [
        ({"recipientAccountId": "1", "userIdentity": {"accountId": "2"}}, "1"),
        ({"userIdentity": {"accountId": "2"}}, "2"),
        ({"userIdentity": {}}, None),
        ({"userIdentity": None}, None),
    ],
)
def test_the_record_tells_its_account(members: dict[str, Any], account: str | None) -> None:
    table = placed(Kind.CLOUDTRAIL, ("x.json", delivered(record(1, **members))))
    assert table["account"].to_pylist() == [account]


@pytest.mark.parametrize(
    ("time", "day"),
    [
        ("2024-05-06T07:08:09Z", ("2024", "05", "06")),
        ("2024-05-06T", ("2024", "05", "06")),
        ("2024-05-06", (None, None, None)),
        ("05/06/2024 07:08", (None, None, None)),
        ("٢٠٢٤-05-06T07:08:09Z", (None, None, None)),
        ("../../etc-01-01T", (None, None, None)),
        ("", (None, None, None)),
        (None, (None, None, None)),
    ],
)
def test_the_record_tells_its_day(time: str | None, day: tuple[str | None, ...]) -> None:
    table = placed(Kind.CLOUDTRAIL, ("x.json", delivered(record(1, eventTime=time))))
    assert columns(table, "year", "month", "day") == [day]


def test_aggregated_records_have_their_window() -> None:
    item = {"eventVersion": "1.0", "accountId": "1", "eventId": "a", "eventCategory": "Aggregated",
            "timeWindow": {"windowStart": "2024-05-06T00:00:00Z"}, "awsRegion": "eu-west-1"}  # fmt: skip
    table = placed(Kind.AGGREGATED, ("x.json", delivered(item)))
    assert columns(table, "account", "region", "year", "month", "day") == [
        ("1", "eu-west-1", "2024", "05", "06")
    ]


def test_a_run_is_sorted_and_knows_its_days(tmp_path: Path) -> None:
    times = ["2024-05-07T1", "2024-05-06T2", None, "2024-05-06T1", "x", "2023-05-06T1"]
    items = [record(n, eventTime=time, recipientAccountId=str(n % 2)) for n, time in enumerate(times)]
    run = kept(placed(Kind.CLOUDTRAIL, ("x.json", delivered(*items))), tmp_path)
    assert run.rows == 6
    assert run.days == (
        (("2023", "05", "06"), 0, 1),
        (("2024", "05", "06"), 1, 3),
        (("2024", "05", "07"), 3, 4),
        ((None, None, None), 4, 6),
    )
    assert run.times == {"2024-05-07", "2024-05-06", "2023-05-06", "x", None}
    assert read_run(run)["eventid"].to_pylist() == ["id5", "id3", "id1", "id0", "id4", "id2"]


def test_keys_and_flags_go_with_the_rows(tmp_path: Path) -> None:
    items = [record(n, eventTime=f"2024-05-0{9 - n}T") for n in range(5)]
    run = kept(placed(Kind.CLOUDTRAIL, ("x.json", delivered(*items))), tmp_path)
    assert run_keys(run).shape == (5, 2)
    assert len(np.unique(run_keys(run), axis=0)) == 5
    save_flags(run, np.array([True, False, False, False, True]))
    assert columns(open_run(run), "eventid", "duplicate") == [
        ("id4", True),
        ("id3", False),
        ("id2", False),
        ("id1", False),
        ("id0", True),
    ]
