"""The same job done by others: every record of a bucket into sorted zstd Parquet, one folder a day, on one thread.

Run as a program: `contenders.py duckdb|stdlib|trailhouse SOURCE TARGET`. Each writes all columns of the lake, sorted by
day, account, region and event time, zstd level 3, and syncs its files. What the others leave out, in their favour:
unknown fields (`unparsed` is NULL), damaged files, the ledger and its checksums.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
from collections import defaultdict
from pathlib import Path

from trailhouse.core.layout import Kind
from trailhouse.core.schema import EVENT_COLUMNS, Array, Struct, Text, TextMap, Type, lake_columns

_IDENTITY = ("eventid", "eventtime", "eventsource", "eventname", "recipientaccountid")
_KEY = (
    r"(?P<logroot>.*)/(?P<account>\d{12})/CloudTrail/(?P<region>[^/]+)/"
    r"(?P<year>\d{4})/(?P<month>\d\d)/(?P<day>\d\d)/[^/]+$"
)


def _same_event() -> str:
    return f"PARTITION BY {', '.join(_IDENTITY)}"


def _json_type(type_: Type) -> str:
    match type_:
        case Text(opaque=True):
            return "JSON"
        case Struct(fields):
            return "STRUCT(" + ", ".join(f'"{f.json}" {_json_type(f.type)}' for f in fields) + ")"
        case Array(item):
            return _json_type(item) + "[]"
        case TextMap():
            return "MAP(VARCHAR, VARCHAR)"
    return "VARCHAR"


def duckdb(source: Path, target: Path) -> None:
    """DuckDB's read_json with declared columns, one statement."""
    import duckdb as engine  # noqa: PLC0415 - one contender a process

    connection = engine.connect(config={"threads": 1})
    files = [os.fspath(p) for p in sorted(source.rglob(f"{Kind.CLOUDTRAIL}/**/*.json.gz"))]
    record = _json_type(Struct(EVENT_COLUMNS))
    columns = ", ".join(f'r."{c.json}" AS {c.name}' for c in EVENT_COLUMNS)
    parts = "'.*/([^/]+(?:/[^/]+)*)/([0-9]{12})/CloudTrail/([^/]+)/([0-9]{4})/([0-9]{2})/([0-9]{2})/[^/]+$'"
    names = ("logroot", "account", "region", "year", "month", "day")
    delivery = ", ".join(
        f"regexp_extract(filename, {parts}, {n}) AS {name}" for n, name in enumerate(names, 1)
    )
    connection.execute(
        f"""COPY (
              SELECT *, eventid IS NOT NULL AND row_number() OVER ({_same_event()}) > 1 AS duplicate,
                     NULL::VARCHAR AS unparsed, 'duckdb' AS writer, current_timestamp::TIMESTAMP AS ingestedat
              FROM (SELECT {columns}, {delivery}, filename AS logfile, logrecord
                    FROM (SELECT unnest(Records) AS r, generate_subscripts(Records, 1) - 1 AS logrecord, filename
                          FROM read_json({files}, format = 'unstructured', filename = true, ignore_errors = true,
                                         maximum_object_size = 33554432, columns = {{Records: '{record}[]'}})))
              ORDER BY year, month, day, account, region, eventtime)
            TO '{target}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, PARTITION_BY (year, month, day),
                           WRITE_PARTITION_COLUMNS true, ROW_GROUP_SIZE 100000)"""
    )
    _sync(target)


def _value(value: object, type_: Type) -> object:
    if value is None:
        return None
    match type_:
        case Text(opaque=True):
            return value if isinstance(value, str) else json.dumps(value)
        case Struct(fields):
            return (
                {f.name: _value(value.get(f.json), f.type) for f in fields}
                if isinstance(value, dict)
                else None
            )
        case Array(item):
            return [_value(v, item) for v in value] if isinstance(value, list) else None
        case TextMap():
            return [(k, str(v)) for k, v in value.items()] if isinstance(value, dict) else None
    return str(value)


def stdlib(source: Path, target: Path) -> None:
    """Use gzip and json, then pyarrow to write; numbers in opaque fields come out rewritten."""
    import re  # noqa: PLC0415 - a contender loads what it uses, and its time counts

    import pyarrow.parquet as pq  # noqa: PLC0415 - likewise

    from trailhouse.lake.columns import arrow_schema  # noqa: PLC0415 - likewise

    schema = arrow_schema(lake_columns(Kind.CLOUDTRAIL))
    days: dict[tuple[str, ...], list[dict[str, object]]] = defaultdict(list)
    seen: set[tuple[object, ...]] = set()
    key = re.compile(_KEY)
    for path in sorted(source.rglob(f"{Kind.CLOUDTRAIL}/**/*.json.gz")):
        found = key.match(os.fspath(path))
        if found is None:
            continue
        own = found.groupdict() | {"logfile": os.fspath(path), "writer": "stdlib"}
        for number, record in enumerate(json.loads(gzip.decompress(path.read_bytes()))["Records"]):
            row = {c.name: _value(record.get(c.json), c.type) for c in EVENT_COLUMNS}
            identity = tuple(row[name] for name in _IDENTITY)
            row |= {"logrecord": number, "duplicate": row["eventid"] is not None and identity in seen}
            seen.add(identity)
            days[found["year"], found["month"], found["day"]].append(row | own)
    for day, rows in days.items():
        folder = target / "year={}/month={}/day={}".format(*day)
        folder.mkdir(parents=True)
        rows.sort(key=lambda r: (r["account"], r["region"], r["eventtime"] or ""))
        table = pa.Table.from_pylist(rows, schema=schema)
        pq.write_table(table, folder / "data.parquet", compression="zstd", compression_level=3)
    _sync(target)


def trailhouse(source: Path, target: Path) -> None:
    """Our own: the whole ingest with ledger, duplicates and commits."""
    from trailhouse import open as open_sources  # noqa: PLC0415 - a contender loads what it uses

    with open_sources(source, workdir=target, jobs=1) as house:
        house.ingest()


def _sync(folder: Path) -> None:
    for path in folder.rglob("*.parquet"):
        with path.open("rb") as file:
            os.fsync(file.fileno())


if __name__ == "__main__":
    import pyarrow as pa

    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    {"duckdb": duckdb, "stdlib": stdlib, "trailhouse": trailhouse}[sys.argv[1]](
        Path(sys.argv[2]), Path(sys.argv[3])
    )
