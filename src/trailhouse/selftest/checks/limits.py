"""Glue's and Athena's API, and quotas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailhouse.selftest.check import Api, Check, Make, Piece, Sql
from trailhouse.selftest.expect import Both, Refused, Rows, Runs, Says, Unthrottled

if TYPE_CHECKING:
    from collections.abc import Mapping

_FORMAT = {
    "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hive.hcatalog.data.JsonSerDe"},
}


def _table(name: str, keys: tuple[str, ...]) -> Mapping[str, Any]:
    return {
        "Name": name, "TableType": "EXTERNAL_TABLE", "Parameters": {"EXTERNAL": "TRUE"},
        "PartitionKeys": [{"Name": key, "Type": "string"} for key in keys],
        "StorageDescriptor": {"Location": "{scratch}/glue/", "Columns": [{"Name": "a", "Type": "string"}], **_FORMAT},
    }  # fmt: skip


def _partition(*values: str) -> Mapping[str, Any]:
    return {
        "Values": list(values),
        "StorageDescriptor": {"Location": "{scratch}/glue/x/", "Columns": [], **_FORMAT},
    }


def _glue(operation: str, **parameters: Any) -> Api:  # noqa: ANN401 - as the service's model says
    return Api("glue", operation, {"DatabaseName": "{database}", **parameters})


def _create(*partitions: Mapping[str, Any], table: str = "glue_parts") -> Api:
    return _glue("BatchCreatePartition", TableName=table, PartitionInputList=list(partitions))


_MADE = Make("glue_parts", "{scratch}/glue/", ("a", "b"), (Piece(("1", "2"), "{scratch}/glue/1/"),))

CHECKS: tuple[Check, ...] = (
    Check("limits.stale_version", "Is an update with an older version's number refused?", ("stale-version",),
          (_glue("UpdateTable", TableInput=_table("glue_version", ()), VersionId="0"),
           _glue("UpdateTable", TableInput=_table("glue_version", ()), VersionId="0")),
          Refused("ConcurrentModification|VersionMismatch|version"),
          (_glue("CreateTable", TableInput=_table("glue_version", ())),)),
    Check("limits.batch_exists", "Is a partition that exists an error of its own?", ("batch-exists",),
          (_create(_partition("1", "2"), _partition("1", "3")),
           _glue("GetPartitions", TableName="glue_parts")),
          Both((Says("""'1', '3'|"1", "3\""""), Runs())), (_MADE,)),
    Check("limits.batch_arity", "Is a partition with too few values refused?", ("batch-arity",),
          (_create(_partition("1")),), Refused("partition|values|InvalidInput")),
    Check("limits.pattern", "Does GetTables take name* as a pattern?", ("names-pattern",),
          (_glue("GetTables", Expression="glue_p*"),),
          Both((Says('"Name": "glue_parts"'), Says('"Name": "glue_version"', absent=True)))),
    Check("limits.keys_change", "May UpdateTable not change keys under partitions?", ("keys-change",),
          (_glue("UpdateTable", TableInput=_table("glue_parts", ("a", "c"))),), Refused("partition|InvalidInput")),
    Check("limits.token", "Is the same ClientRequestToken the same run?", ("token-again",),
          (Api("athena", "StartQueryExecution",
               {"QueryString": "SELECT 1", "ClientRequestToken": "trailhouse-selftest-{token}-{token}",
                "WorkGroup": "{workgroup}",
                "ResultConfiguration": {"OutputLocation": "{scratch}/results/"}}, repeat=2),),
          Says('"QueryExecutionId": "([^"]+)".*"QueryExecutionId": "\\1"')),
    Check("limits.metadata_rows", "Does SHOW answer without a row of names?", ("rows-as-text",),
          (Sql("SHOW TABLES 'glue_version'"),), Rows((("glue_version",),))),
    Check("limits.glue_partitions", "Are the quotas 10 million partitions a table, 20 million an account?",
          ("glue-partitions",),
          (Api("service-quotas", "ListServiceQuotas", {"ServiceCode": "glue", "MaxResults": 100}),),
          Both((Says("partitions per table[^}]*1.?0?0{6}|1.?0?0{6}[^}]*partitions per table"),
                Says("partitions per account[^}]*2.?0?0{6}|2.?0?0{6}[^}]*partitions per account")))),
    Check("limits.public_keys", "May ListPublicKeys be called more than once a second?", ("public-keys-rate",),
          (Api("cloudtrail", "ListPublicKeys", {}, repeat=12),), Unthrottled()),
)  # fmt: skip
