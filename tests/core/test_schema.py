import re
import subprocess
import sys
from pathlib import Path

import pytest

from trailhouse.core.layout import Kind
from trailhouse.core.meaning import MEANINGS
from trailhouse.core.schema import (
    DELIVERY_COLUMNS,
    EVENT_COLUMNS,
    EVENT_TIMESTAMP,
    FILES_COLUMNS,
    FLAG,
    LAKE_COLUMNS,
    MOMENT,
    RECORD_COLUMNS,
    Array,
    Column,
    Count,
    Struct,
    Text,
    TextMap,
    duckdb_type,
    events_columns,
    hive_type,
    lake_columns,
    trino_type,
    view_columns,
    walk,
)

ROOT = Path(__file__).resolve().parents[2]

# AWS's definition for manual partitioning, and nothing of ours:
# https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table.html
AWS = """
eventversion string, useridentity struct<type:string,principalid:string,arn:string,accountid:string,
invokedby:string,accesskeyid:string,username:string,onbehalfof:struct<userid:string,identitystorearn:string>,
sessioncontext:struct<attributes:struct<mfaauthenticated:string,creationdate:string>,
sessionissuer:struct<type:string,principalid:string,arn:string,accountid:string,username:string>,
ec2roledelivery:string,webidfederationdata:struct<federatedprovider:string,attributes:map<string,string>>>>,
eventtime string, eventsource string, eventname string, awsregion string, sourceipaddress string,
useragent string, errorcode string, errormessage string, requestparameters string, responseelements string,
additionaleventdata string, requestid string, eventid string,
resources array<struct<arn:string,accountid:string,type:string>>, eventtype string, apiversion string,
readonly string, recipientaccountid string, serviceeventdetails string, sharedeventid string,
vpcendpointid string, vpcendpointaccountid string, eventcategory string,
addendum struct<reason:string,updatedfields:string,originalrequestid:string,originaleventid:string>,
sessioncredentialfromconsole string, edgedevicedetails string,
tlsdetails struct<tlsversion:string,ciphersuite:string,clientprovidedhostheader:string>
""".replace("\n", "")

OURS = {
    ",sourceidentity:string,assumedroot:string",
    ",invokedbydelegate:struct<accountid:string>",
    ",inscopeof:struct<sourcearn:string,sourceaccount:string,issuertype:string,credentialsissuedto:string>",
    ",credentialid:string", ",identityprovider:string", ",keyexchange:string",
}  # fmt: skip


def test_record_columns_are_awss_and_ours_stand_at_the_end() -> None:
    expected = dict(re.findall(r"(\w+) ((?:struct|array)<.*?>(?=, ?\w+ |$)|string)", AWS))
    assert len(expected) == 29
    assert [c.name for c in EVENT_COLUMNS] == [*expected, "managementevent"]
    for column in EVENT_COLUMNS[:-1]:
        found = hive_type(column.type)
        for addition in sorted(OURS, key=len, reverse=True):
            found = found.replace(addition, "")
        assert found == expected[column.name]


@pytest.mark.parametrize("kind", RECORD_COLUMNS)
def test_names(kind: Kind) -> None:
    for columns in (lake_columns(kind), view_columns(kind)):
        names = [c.name for c in columns]
        assert len(set(names)) == len(names)
        assert all(re.fullmatch(r"[a-z][a-z0-9]*", path.replace(".", "")) for path, _ in walk(columns))
    for path, column in walk(RECORD_COLUMNS[kind]):
        assert column.json.lower() == column.name, path
    assert view_columns(kind) == (*RECORD_COLUMNS[kind], *DELIVERY_COLUMNS)
    assert lake_columns(kind) == (*view_columns(kind), *LAKE_COLUMNS)


def test_every_kind_with_records_has_columns() -> None:
    assert set(RECORD_COLUMNS) == set(Kind) - {Kind.DIGEST}


def test_order_of_what_views_and_lake_add() -> None:
    assert [c.name for c in DELIVERY_COLUMNS] == [
        "account",
        "region",
        "year",
        "month",
        "day",
        "logroot",
        "logfile",
    ]
    assert [c.name for c in LAKE_COLUMNS] == ["logrecord", "duplicate", "unparsed", "writer", "ingestedat"]
    assert events_columns() == (*view_columns(Kind.CLOUDTRAIL), EVENT_TIMESTAMP)
    assert "status" in {c.name for c in FILES_COLUMNS}


def test_walk_goes_into_structs_and_arrays() -> None:
    paths = [path for path, _ in walk(EVENT_COLUMNS)]
    assert "useridentity.sessioncontext.sessionissuer.arn" in paths
    assert "resources.arn" in paths
    assert len(set(paths)) == len(paths)


NESTED = Struct(
    (Column("a", Text()), Column("b", Array(Struct((Column("c", TextMap()),)))), Column("d", Count()))
)


@pytest.mark.parametrize(
    ("render", "nested", "flag", "moment"),
    [
        (
            hive_type,
            "struct<a:string,b:array<struct<c:map<string,string>>>,d:bigint>",
            "boolean",
            "timestamp",
        ),
        (
            trino_type,
            "row(a varchar, b array(row(c map(varchar, varchar))), d bigint)",
            "boolean",
            "timestamp(6)",
        ),
        (
            duckdb_type,
            'STRUCT("a" VARCHAR, "b" STRUCT("c" MAP(VARCHAR, VARCHAR))[], "d" BIGINT)',
            "BOOLEAN",
            "TIMESTAMP",
        ),
    ],
)
def test_renderings(render: type[str], nested: str, flag: str, moment: str) -> None:
    assert render(NESTED) == nested
    assert (render(FLAG), render(MOMENT)) == (flag, moment)


def test_the_events_timestamp_has_milliseconds_on_athena() -> None:
    assert trino_type(EVENT_TIMESTAMP.type) == "timestamp(3)"


def test_every_record_column_has_a_meaning_and_no_other_name_has() -> None:
    paths = {path for columns in RECORD_COLUMNS.values() for path, _ in walk(columns)}
    assert set(MEANINGS) == paths
    assert all(c.about for c in (*DELIVERY_COLUMNS, *LAKE_COLUMNS, *FILES_COLUMNS, EVENT_TIMESTAMP))


def test_the_page_is_current() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "docs.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    page = (ROOT / "docs" / "schema.md").read_text()
    for columns in RECORD_COLUMNS.values():
        for column in columns:
            assert f"| `{column.name}` |" in page
            assert hive_type(column.type) in page
            assert trino_type(column.type) in page
            assert duckdb_type(column.type) in page
