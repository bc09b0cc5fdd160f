"""Every view on the server: its columns and types, all of it, and what odd records do."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bed.trino import TrinoError
from evidence.catalogs import apply, run
from trailhouse.core.layout import Kind
from trailhouse.core.schema import events_columns, trino_type, view_columns

if TYPE_CHECKING:
    from collections.abc import Callable

    from bed.trino import Trino
    from evidence.catalogs import Case
    from trailhouse.core.schema import Column

pytestmark = [pytest.mark.trino, pytest.mark.emulator]

DOCS = Path(__file__).parents[2] / "docs"
ACCOUNT, REGION = "111122223333", "eu-west-1"
DATABASE, BUCKET = "evidence_odd", "trail-odd"
GOOD = {"eventID": "good", "eventName": "GetObject", "eventTime": "2026-05-01T00:00:01Z",
        "resources": [{"ARN": "a"}], "userAgent": "cli"}  # fmt: skip
# What stands in a column that has another type: the column, the record.
FAILING: dict[str, dict[str, Any]] = {
    "resources": {"resources": ""},
    "useragent": {"userAgent": {"product": "cli"}},
    "useridentity": {"userIdentity": "root"},
    "errorcode": {"errorCode": ["A", "B"]},
    "eventname": {"eventname": "twice, but for case"},
}
# What has an answer that is the same everywhere.
ANSWERED: dict[str, tuple[dict[str, Any], Any]] = {
    "readonly": ({"readOnly": True}, "true"),
    "apiversion": ({"apiVersion": 2}, "2"),
    "eventtimestamp": ({"eventTime": "soon"}, None),
    "requestparameters": ({"requestParameters": "text"}, "text"),
    "responseelements": ({"responseElements": {"b": 1, "a": [1.50]}}, '{"b": 1, "a": [1.5]}'),
    "tlsdetails": ({"tlsDetails": None}, None),
}


def located(number: int) -> str:
    day = f"{number:02}"
    name = f"{ACCOUNT}_CloudTrail_{REGION}_202605{day}T0005Z_AbCdEfGhIjKlMnOp.json.gz"
    return f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/2026/05/{day}/{name}"


def on(number: int) -> str:
    return f"year = '2026' AND month = '05' AND day = '{number:02}' AND region = '{REGION}'"


@pytest.fixture(scope="module")
def odd(trino: Trino) -> dict[str, int]:
    """A day for each odd record, which comes after a good one; the day by the column."""
    days = {name: number for number, name in enumerate((*FAILING, *ANSWERED), 1)}
    members = FAILING | {name: record for name, (record, _) in ANSWERED.items()}
    bodies = {
        located(days[name]): {"Records": [GOOD, {**GOOD, "eventID": "odd", **members[name]}]} for name in days
    }
    trino.aws.bucket(
        BUCKET, ((key, gzip.compress(json.dumps(body).encode())) for key, body in bodies.items())
    )
    apply(trino.aws, BUCKET, database=DATABASE, tables="single")
    return days


@pytest.mark.parametrize("column", FAILING)
def test_an_odd_record_fails_the_statement_and_its_file_is_named(
    trino: Trino, odd: dict[str, int], column: str
) -> None:
    """Never a wrong value without a word. Who does not ask for the column has an answer."""
    day = odd[column]
    with pytest.raises(TrinoError) as caught:
        trino.query(f"SELECT {column} FROM cloudtrail WHERE {on(day)}", schema=DATABASE)
    assert caught.value.name == "HIVE_CURSOR_ERROR"
    assert f"s3://{BUCKET}/{located(day)}" in caught.value.message
    others = trino.query(f"SELECT eventid FROM cloudtrail WHERE {on(day)}", schema=DATABASE)
    assert sorted(others) == [("good",), ("odd",)]


def test_where_the_docs_say_so() -> None:
    """The page on asking names the error and what helps."""
    page = DOCS.joinpath("querying.md").read_text("utf-8")
    assert "HIVE_CURSOR_ERROR" in page


@pytest.mark.parametrize("column", ANSWERED)
def test_odd_values_that_are_answered(trino: Trino, odd: dict[str, int], column: str) -> None:
    sql = f"SELECT {column} FROM cloudtrail_events WHERE {on(odd[column])} AND eventid = 'odd'"
    assert trino.query(sql, schema=DATABASE) == [(ANSWERED[column][1],)]


@pytest.mark.corpus
def test_columns_and_types_are_the_schema_s(trino: Trino, case: Case) -> None:
    names: dict[str, tuple[Column, ...]] = {
        "cloudtrail": view_columns(Kind.CLOUDTRAIL),
        "cloudtrail_events": events_columns(),
    }
    if case.database != "evidence_per_account":
        names["cloudtrail_123837392027"] = view_columns(Kind.CLOUDTRAIL)
    if case.database != "evidence_projected":
        names["cloudtrail_insight"] = view_columns(Kind.INSIGHT)
    for name, columns in names.items():
        told = [(row[0], row[1]) for row in trino.query(f"DESCRIBE {name}", schema=case.database)]
        assert told == [(column.name, trino_type(column.type)) for column in columns], name


@pytest.mark.corpus
def test_views_are_as_trino_itself_would_store_them(trino: Trino, catalog: Callable[[str], Case]) -> None:
    """Trino makes a view of the same statement, in the same encoding: the columns that it derives are ours."""
    case = catalog("single")
    for name in ("cloudtrail", "cloudtrail_events", "cloudtrail_123837392027", "cloudtrail_insight"):
        ours = body(trino, case.database, name)
        trino.query(f"CREATE OR REPLACE VIEW by_trino AS {ours['originalSql']}", schema=case.database)
        theirs = body(trino, case.database, "by_trino")
        assert plain(ours["columns"]) == plain(theirs["columns"])
        assert ours.keys() <= theirs.keys()
        assert (ours["catalog"], ours["schema"]) == (theirs["catalog"], theirs["schema"])
        trino.query("DROP VIEW by_trino", schema=case.database)


def plain(columns: list[dict[str, str]]) -> list[tuple[str, str]]:
    """Names and types; Trino quotes the names of fields, and has no blanks between them."""
    return [(column["name"], column["type"].replace('"', "").replace(", ", ",")) for column in columns]


def body(trino: Trino, database: str, name: str) -> dict[str, Any]:
    held = trino.aws.client("glue").get_table(DatabaseName=database, Name=name)["Table"]
    text = held["ViewOriginalText"].removeprefix("/* Presto View: ").removesuffix(" */")
    return dict(json.loads(base64.b64decode(text)))


@pytest.mark.corpus
def test_projection_of_roots_with_slashes(trino: Trino, catalog: Callable[[str], Case]) -> None:
    case = catalog("projected")
    roots = {f"{case.bucket}/AWSLogs", f"{case.bucket}/AWSLogs/o-a1b2c3d4e5"}
    table = trino.aws.client("glue").get_table(DatabaseName=case.database, Name="cloudtrail_raw")["Table"]
    assert set(table["Parameters"]["projection.logroot.values"].split(",")) == roots
    sql = f"SELECT logroot, count(*) > 0 FROM cloudtrail WHERE {case.everything} GROUP BY 1"
    assert sorted(trino.query(sql, schema=case.database)) == [(root, True) for root in sorted(roots)]
    one = f"logroot = '{max(roots)}' AND account = '309303190113'"
    sql = f"SELECT count(*) FROM cloudtrail WHERE {case.everything} AND {one}"
    assert trino.query(sql, schema=case.database)[0][0] > 0


@pytest.mark.corpus
def test_what_is_too_much_to_be_projected_is_refused(trino: Trino, bucket: str) -> None:
    """Sixty accounts over twelve years."""
    said = run(
        trino.aws, "apply", "--all", "--yes", "-s", f"s3://{bucket}", database="evidence_refused",
        tables="single", partitions="projected",
    )  # fmt: skip
    assert said.code == 1
    assert "59 accounts x" in said.err
    assert "Athena reads at most 1,000,000 in a scan" in said.err
