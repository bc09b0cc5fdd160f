"""What the ARNs of permissions are made of: whose names, in which account and region."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Folder:
    """A place in S3.

    Attributes:
        bucket: name, or the alias of an access point.
        prefix: of keys, "" or with a slash at its end.
        access_point: ARN of the access point that the alias stands for, or "".
    """

    bucket: str
    prefix: str = ""
    access_point: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """What the ARNs are made of.

    Attributes:
        partition: `aws`, `aws-us-gov`, `aws-cn`.
        region: of Glue and Athena.
        account: of the caller, with the workgroup.
        logs: where the logs are.
        results: where Athena writes results.
        scratch: where `selftest` writes.
        records: where the nightly run keeps its records, or None where there is no such run.
        code: where its code is uploaded to, likewise.
        output: the bucket that its stack makes, or None where the configuration names one.
        lake: where the lake's tables are, or None.
        database: of the tables.
        table_prefix: name of the main table and beginning of the others.
        workgroup: of Athena.
        stack: of the nightly run, which its parts are named after.
        topic: ARN of the topic for alarms; "": the stack's own.
        log_keys, result_keys, catalog_keys, stack_keys: ARNs of KMS keys of logs, of results and lake, of the catalog,
            of what is deployed.
        roles: ARNs of roles that sources are read with.
        catalog_account: that holds the catalog, where it is shared by another; else "".
        boundary: ARN of the permissions boundary of what is deployed; or "".
    """

    partition: str
    region: str
    account: str
    logs: tuple[Folder, ...]
    results: Folder
    scratch: Folder
    records: Folder | None = None
    code: Folder | None = None
    output: Folder | None = None
    lake: Folder | None = None
    database: str = "default"
    table_prefix: str = "cloudtrail"
    workgroup: str = "primary"
    stack: str = "trailhouse"
    topic: str = ""
    log_keys: tuple[str, ...] = ()
    result_keys: tuple[str, ...] = ()
    catalog_keys: tuple[str, ...] = ()
    stack_keys: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    catalog_account: str = ""
    boundary: str = ""
