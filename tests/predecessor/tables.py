"""What cloudtrail-partitioner leaves in a Glue catalog: tables, partitions and the view, as Athena writes them.

Facts of its statements (23 columns, SerDe, `//CloudTrail/`, locations of partitions without a slash at the end,
a partition for every region of a list and for tomorrow) and of how Athena keeps them. Never imports trailhouse.
"""

from __future__ import annotations

import base64
import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SERDE = "com.amazon.emr.hive.serde.CloudTrailSerde"
READS = "com.amazon.emr.cloudtrail.CloudTrailInputFormat"
WRITES = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
PERSON = "type:string,principalid:string,arn:string,accountid:string,"
IDENTITY = (
    f"struct<{PERSON}invokedby:string,accesskeyid:string,username:string,sessioncontext:struct<"
    f"attributes:struct<mfaauthenticated:string,creationdate:string>,sessionissuer:struct<{PERSON}username:string>>>"
)
COLUMNS = {
    "eventversion": "string", "useridentity": IDENTITY, "eventtime": "string", "eventsource": "string",
    "eventname": "string", "awsregion": "string", "sourceipaddress": "string", "useragent": "string",
    "errorcode": "string", "errormessage": "string", "requestparameters": "string",
    "responseelements": "string", "additionaleventdata": "string", "requestid": "string",
    "eventid": "string", "resources": "array<struct<arn:string,accountid:string,type:string>>",
    "eventtype": "string", "apiversion": "string", "readonly": "string", "recipientaccountid": "string",
    "serviceeventdetails": "string", "sharedeventid": "string", "vpcendpointid": "string",
}  # fmt: skip
KEYS = ("region", "year", "month", "day")


def folder(bucket: str, account: str, prefix: str = "", organization: str = "") -> str:
    """The location that it gives a table: two slashes before CloudTrail."""
    above = "/".join(filter(None, (prefix, "AWSLogs", organization)))
    return f"s3://{bucket}/{above}/{account}//CloudTrail/"


def table(account: str, location: str, name: str = "cloudtrail") -> dict[str, Any]:
    """Glue's `TableInput` of an account's table."""
    return {
        "Name": f"{name}_{account}",
        "Owner": "hadoop",
        "Retention": 0,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", "transient_lastDdlTime": "1583712345"},
        "PartitionKeys": [{"Name": key, "Type": "string"} for key in KEYS],
        "StorageDescriptor": _descriptor(location),
    }


def partitions(location: str, regions: Iterable[str], today: date, days: int) -> Iterator[dict[str, Any]]:
    """Glue's `PartitionInput`s: every region, from tomorrow back."""
    for region in regions:
        for back in range(-1, days):
            day = today - timedelta(days=back)
            values = [region, f"{day.year:04}", f"{day.month:02}", f"{day.day:02}"]
            yield {"Values": values, "StorageDescriptor": _descriptor(location + "/".join(values))}


def view(accounts: Iterable[str], name: str = "cloudtrail", database: str = "default") -> dict[str, Any]:
    """Glue's `TableInput` of the view over all of them."""
    sql = "UNION ALL ".join(f"SELECT *\nFROM\n  {name}_{account}\n" for account in accounts)
    columns = [*COLUMNS.items(), *((key, "string") for key in KEYS)]
    typed = [{"name": column, "type": _presto(kind)} for column, kind in columns]
    body = {"originalSql": sql, "catalog": "awsdatacatalog", "schema": database, "columns": typed}
    text = base64.b64encode(json.dumps(body, separators=(",", ":")).encode()).decode()
    return {
        "Name": name,
        "Owner": "hadoop",
        "TableType": "VIRTUAL_VIEW",
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "PartitionKeys": [],
        "ViewOriginalText": f"/* Presto View: {text} */",
        "ViewExpandedText": "/* Presto View */",
        "StorageDescriptor": {
            "Columns": [{"Name": column, "Type": kind} for column, kind in columns],
            "Location": "",
            "SerdeInfo": {},
        },
    }


def _descriptor(location: str) -> dict[str, Any]:
    return {
        "Columns": [
            {"Name": name, "Type": kind, "Comment": "from deserializer"} for name, kind in COLUMNS.items()
        ],
        "Location": location,
        "InputFormat": READS,
        "OutputFormat": WRITES,
        "Compressed": False,
        "NumberOfBuckets": -1,
        "SerdeInfo": {"SerializationLibrary": SERDE, "Parameters": {"serialization.format": "1"}},
        "BucketColumns": [],
        "SortColumns": [],
        "StoredAsSubDirectories": False,
    }


def _presto(kind: str) -> str:
    """Hive's type as Presto writes it, for the two that are not strings."""
    if kind == "string":
        return "varchar"
    changed = kind.replace("struct<", "row(").replace("array<", "array(").replace(">", ")")
    return changed.replace(":string", " varchar").replace(":row", " row")
