"""A small catalog on the bed: two accounts, three days, two regions, with a union view over them."""

from __future__ import annotations

import base64
import json
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bed.athena import AwsWithAthena, StrictAthena, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bed.aws import Aws

NOW = datetime(2023, 7, 20, 12, tzinfo=UTC)

DATABASE = "security"
BUCKET = "org-logs"
ACCOUNTS = ("111122223333", "444455556666")
REGIONS = ("eu-central-1", "us-east-1")
DAYS = ("2023-07-10", "2023-07-11", "2023-07-12")
KEYS = ("region", "year", "month", "day", "logroot")
OBJECTS, SIZE = 2, 1_000
COLUMNS = ("eventtime", "eventname", "eventsource")


@dataclass
class Elsewhere:
    """AWS with the small catalog; a test sets what Athena answers."""

    aws: AwsWithAthena
    athena: StrictAthena
    table: Table
    asked: list[str]

    def counts(self) -> dict[str, int]:
        """Calls by operation."""
        return {**self.aws.glue.counts, **self.aws.s3.log.counts, **self.athena.log.counts}


@contextmanager
def started() -> Iterator[Elsewhere]:
    """The bed with the small catalog on it."""
    asked: list[str] = []
    athena = StrictAthena(lambda sql, _: asked.append(sql) or found.table, looks=1)
    with AwsWithAthena(athena) as aws:
        build(aws)
        found = Elsewhere(aws, athena, Table([("n", "bigint")], [[1]], scanned=24_000), asked)
        yield found


def build(aws: Aws) -> None:
    """Make buckets, tables, partitions and views."""
    aws.bucket(BUCKET, ((key, b"x" * SIZE) for key in keys()))
    aws.bucket("aws-athena-query-results-123456789012-us-east-1")
    glue = aws.client("glue")
    glue.create_database(DatabaseInput={"Name": DATABASE})
    for account in ACCOUNTS:
        table(glue, f"cloudtrail_{account}", KEYS, f"s3://{BUCKET}/AWSLogs/{account}/CloudTrail/")
        register(glue, account)
    branches = (
        f"SELECT eventtime, eventname, eventsource, CAST('{account}' AS varchar) AS account, {', '.join(KEYS)} "
        f'FROM "{DATABASE}"."cloudtrail_{account}"'
        for account in ACCOUNTS
    )
    view(glue, "cloudtrail", " UNION ALL ".join(branches), (*COLUMNS, "account", *KEYS))


def keys() -> Iterator[str]:
    """The bucket's keys."""
    for account in ACCOUNTS:
        for region in REGIONS:
            for day in DAYS:
                for number in range(OBJECTS):
                    yield f"{folder(account, region, day)}{account}_{number}.json.gz"


def folder(account: str, region: str, day: str) -> str:
    """Where a day's files lie."""
    return f"AWSLogs/{account}/CloudTrail/{region}/{day.replace('-', '/')}/"


def table(glue: Any, name: str, keys: Sequence[str], location: str, **parameters: str) -> None:  # noqa: ANN401 - boto3 has no types
    """Make a table of raw files."""
    glue.create_table(
        DatabaseName=DATABASE,
        TableInput={
            "Name": name, "TableType": "EXTERNAL_TABLE", "Parameters": parameters,
            "PartitionKeys": [{"Name": key, "Type": "string"} for key in keys],
            "StorageDescriptor": storage(location),
        },
    )  # fmt: skip


def storage(location: str) -> dict[str, Any]:
    """How files are read."""
    return {
        "Columns": [{"Name": name, "Type": "string"} for name in COLUMNS], "Location": location,
        "InputFormat": "com.amazon.emr.cloudtrail.CloudTrailInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        "SerdeInfo": {"SerializationLibrary": "org.apache.hive.hcatalog.data.JsonSerDe"},
    }  # fmt: skip


def register(glue: Any, account: str, days: Sequence[str] = DAYS) -> None:  # noqa: ANN401 - boto3 has no types
    """Register every region's days of an account."""
    glue.batch_create_partition(
        DatabaseName=DATABASE,
        TableName=f"cloudtrail_{account}",
        PartitionInputList=[
            {
                "Values": [region, *day.split("-"), f"{BUCKET}/AWSLogs"],
                "StorageDescriptor": storage(f"s3://{BUCKET}/{folder(account, region, day)}"),
            }
            for region in REGIONS
            for day in days
        ],
    )


def view(glue: Any, name: str, sql: str, columns: Sequence[str]) -> None:  # noqa: ANN401 - boto3 has no types
    """Make a view in Athena's encoding."""
    told = {
        "originalSql": sql, "catalog": "awsdatacatalog", "schema": DATABASE,
        "columns": [{"name": column, "type": "varchar"} for column in columns],
    }  # fmt: skip
    encoded = base64.b64encode(json.dumps(told).encode()).decode()
    glue.create_table(
        DatabaseName=DATABASE,
        TableInput={
            "Name": name, "TableType": "VIRTUAL_VIEW", "Parameters": {"presto_view": "true"}, "PartitionKeys": [],
            "ViewOriginalText": f"/* Presto View: {encoded} */", "ViewExpandedText": "/* Presto View */",
            "StorageDescriptor": {"Columns": [{"Name": column, "Type": "string"} for column in columns]},
        },
    )  # fmt: skip
