"""`trailhouse policy`: the permissions that each role needs, ready for AWS."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trailhouse.cli.extent import Words
from trailhouse.core import lake_formation
from trailhouse.core.policy import (
    MANAGED_LIMIT,
    RECORDS_PREFIX,
    SCRATCH_PREFIX,
    Folder,
    Names,
    Role,
    Statement,
    bucket_policy,
    document,
    key_policy,
    own_code,
    own_output,
    role_policy,
)
from trailhouse.errors import AwsError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from trailhouse.aws.gate import Gate
    from trailhouse.cli.call import Call
    from trailhouse.config import Settings

_ACCOUNT = re.compile(r"[0-9]{12}")
_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:(?:[0-9]{12})?:\S+")
_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:(?:iam|sts)::[0-9]{12}:\S+")
_ALIAS = "-s3alias"
_S3 = "s3://"


class Kind(StrEnum):
    """What to print."""

    RUNNER = "runner"
    OPERATOR = "operator"
    ANALYST = "analyst"
    DEPLOYER = "deployer"
    BUCKET = "bucket"
    KMS = "kms"
    LAKEFORMATION = "lakeformation"


Wanted = Annotated[
    Kind,
    typer.Argument(metavar="KIND", help="runner, operator, analyst, deployer, bucket, kms or lakeformation."),
]
Principals = Annotated[
    Words,
    typer.Option(metavar="ARN", help="Who gets it (bucket, kms, lakeformation): ARN or account; repeatable."),
]
As = Annotated[
    Role,
    typer.Option("--as", metavar="ROLE", help="What they do (lakeformation): runner, operator, analyst."),
]
Bucket = Annotated[
    str | None, typer.Option(metavar="NAME", help="Which bucket, where the sources have several.")
]
AccountId = Annotated[
    str | None, typer.Option(metavar="ID", help="Account that calls; with it AWS is not asked.")
]
CatalogAccount = Annotated[
    str | None, typer.Option(metavar="ID", help="Account of the catalog, where another shares it.")
]
KmsKeys = Annotated[
    Words,
    typer.Option(metavar="ARN", help="Key that the logs are encrypted with; repeatable."),
]
ResultsKeys = Annotated[
    Words,
    typer.Option(metavar="ARN", help="Key of Athena's results and of the lake; repeatable."),
]
CatalogKeys = Annotated[
    Words, typer.Option(metavar="ARN", help="Key that the Glue catalog is encrypted with.")
]
Results = Annotated[
    str | None,
    typer.Option(metavar="URI", help="Where the workgroup writes results, where it decides that."),
]
AccessPoints = Annotated[
    Words,
    typer.Option(metavar="ALIAS=ARN", help="Access point behind an alias among the sources; repeatable."),
]


def run(
    ctx: typer.Context,
    kind: Wanted,
    principal: Principals = None,
    role: As = Role.ANALYST,
    bucket: Bucket = None,
    account_id: AccountId = None,
    catalog_account: CatalogAccount = None,
    kms_key: KmsKeys = None,
    results_key: ResultsKeys = None,
    catalog_key: CatalogKeys = None,
    results: Results = None,
    access_point: AccessPoints = None,
) -> int:
    """Print the permissions that a role needs.

    No more than those, with the names of this configuration.

    runner: plan and apply, every night. operator: that and adopt, destroy, selftest. analyst: query. deployer: deploy,
    undeploy, cdk deploy. bucket, kms: what bucket and key of the logs allow to principals of another account.
    lakeformation: input of aws lakeformation batch-grant-permissions. --format table says why each is needed, and
    which page of AWS says so.
    """
    call: Call = ctx.obj
    call.refuse_output("policy")
    call.refuse_window("policy", "leave it out; whose account it is says --account-id")
    given = _Given(
        account_id, kms_key or (), results_key or (), catalog_key or (), access_point or (), results, catalog_account
    )  # fmt: skip
    if kind is Kind.KMS:
        return _show(call, key_policy(_principals(call, principal)))
    names = _names(call, given, writes=kind in {Kind.OPERATOR, Kind.ANALYST})
    if kind is Kind.LAKEFORMATION and role not in lake_formation.PERMISSIONS:
        raise UsageError(f"--as {role}: Lake Formation has nothing to grant, for it touches no table")
    if kind is Kind.LAKEFORMATION:
        return _print(lake_formation.grants(role, names, _principals(call, principal, plain=True)))
    if kind is Kind.BUCKET:
        return _show(call, bucket_policy(names, _chosen(names, bucket), _principals(call, principal)))
    return _show(call, role_policy(Role(kind.value), names))


@dataclass(frozen=True, slots=True)
class _Given:
    account: str | None
    log_keys: Sequence[str]
    result_keys: Sequence[str]
    catalog_keys: Sequence[str]
    access_points: Sequence[str]
    results: str | None
    catalog_account: str | None


def _show(call: Call, statements: tuple[Statement, ...]) -> int:
    if call.format not in {None, "json"}:
        call.show(_table(statements).to_reader())
        return 0
    found = document(statements)
    size = len(re.sub(r"\s", "", json.dumps(found)))
    if size > MANAGED_LIMIT:
        call.console.warn(
            f"{size:,} characters are more than a managed policy takes ({MANAGED_LIMIT:,}): split it by statements"
        )
    return _print(found)


def _print(found: dict[str, Any]) -> int:
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    return 0


def _table(statements: tuple[Statement, ...]) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415 - heavy

    rows = [
        (each.sid, reason.action, ", ".join(each.resources), reason.why, reason.page)
        for each in statements
        for reason in each.reasons
    ]
    names = ("sid", "action", "resources", "why", "page")
    columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
    return pa.Table.from_arrays(columns, names=names)


def _names(call: Call, given: _Given, *, writes: bool) -> Names:
    """What the ARNs are made of, from settings and options; AWS is asked for what is missing only."""
    from trailhouse.aws.access import partition_of  # noqa: PLC0415 - with the settings

    settings = call.settings
    region, account = _where(settings, given.account)
    usual = settings.output_s3_bucket
    if usual == "default":
        usual = f"aws-athena-query-results-{account}-{region}"
    results = _results(call, given, usual) if writes else Folder(usual)
    named = settings.output_s3_bucket != "default"
    own = own_output(settings.stack, account, region)
    return Names(
        partition=partition_of(region), region=region, account=account,
        logs=_logs(settings, _access_points(given.access_points)),
        results=results, scratch=Folder(results.bucket, results.prefix + SCRATCH_PREFIX, results.access_point),
        records=Folder(settings.output_s3_bucket if named else own, RECORDS_PREFIX),
        code=Folder(own_code(account, region)), output=None if named else Folder(own),
        lake=_folder(settings.lake, {}) if settings.lake else None,
        database=settings.database, table_prefix=settings.table_prefix, workgroup=settings.workgroup,
        stack=settings.stack, topic=settings.alarm_sns_arn or "", boundary=settings.permissions_boundary or "",
        log_keys=_arns("--kms-key", given.log_keys or settings.log_keys),
        result_keys=_arns("--results-key", given.result_keys or _given_keys(settings.output_key)),
        catalog_keys=_arns("--catalog-key", given.catalog_keys or settings.catalog_keys),
        stack_keys=_given_keys(settings.stack_key),
        catalog_account=_checked("--catalog-account", given.catalog_account),
        roles=tuple(sorted({source.role_arn for source in settings.sources if source.role_arn})),
    )  # fmt: skip


def _given_keys(key: str | None) -> tuple[str, ...]:
    return (key,) if key else ()


def _results(call: Call, given: _Given, usual: str) -> Folder:
    """Where Athena writes. Raises UsageError."""
    settings = call.settings
    if given.results is not None:
        if not given.results.startswith(_S3) or given.results == _S3:
            raise UsageError(f"--results {given.results}: give an address such as s3://my-results/path/")
        return _folder(given.results, _access_points(given.access_points))
    if given.account is None:
        try:
            group = _gate(settings).call("athena", "GetWorkGroup", WorkGroup=settings.workgroup)
        except AwsError as error:
            call.console.warn(f"where workgroup {settings.workgroup} writes could not be read: {error}")
        else:
            decided = group.get("WorkGroup", {}).get("Configuration", {})
            location = str(decided.get("ResultConfiguration", {}).get("OutputLocation", ""))
            if location and (
                decided.get("EnforceWorkGroupConfiguration") or settings.output_s3_bucket == "default"
            ):
                return _folder(location, _access_points(given.access_points))
            return Folder(usual)
    call.console.note(
        f"results are taken to go to s3://{usual}/; give --results where the workgroup decides otherwise"
    )
    return Folder(usual)


def _checked(option: str, account: str | None) -> str:
    if account is not None and not _ACCOUNT.fullmatch(account):
        raise UsageError(f"{option} {account}: account ids have 12 digits, such as 012345678901")
    return account or ""


def _where(settings: Settings, account: str | None) -> tuple[str, str]:
    """Region and account. Raises UsageError, AwsError."""
    _checked("--account-id", account)
    if account and settings.region:
        return settings.region, account
    gate = _gate(settings)
    try:
        return gate.region, account or gate.account()
    except AwsError as error:
        raise type(error)(f"{error}; or give --account-id, and AWS is not asked", code=error.code) from error


def _gate(settings: Settings) -> Gate:
    from trailhouse.aws.gate import Gate  # noqa: PLC0415 - boto3 is heavy
    from trailhouse.storage.access import general_access  # noqa: PLC0415 - with the settings

    return Gate(general_access(settings))


def _logs(settings: Settings, access_points: dict[str, str]) -> tuple[Folder, ...]:
    """The sources in S3. Raises UsageError where there are none."""
    found = [source.uri for source in settings.log_sources() if source.uri.startswith(_S3)]
    if not found:
        raise UsageError(
            "no source is in S3: name where the logs are, such as --source s3://my-logs/AWSLogs/"
        )
    return tuple(_folder(uri, access_points) for uri in found)


def _folder(uri: str, access_points: dict[str, str]) -> Folder:
    bucket, _, prefix = uri.removeprefix(_S3).partition("/")
    if bucket.endswith(_ALIAS) and bucket not in access_points:
        raise UsageError(
            f"{bucket} is the alias of an access point, and permissions name its ARN: "
            f"give --access-point {bucket}=arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME"
        )
    prefix = f"{prefix.rstrip('/')}/" if prefix.strip("/") else ""
    return Folder(bucket, prefix, access_points.get(bucket, ""))


def _access_points(given: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    for alias, _, arn in pairs:
        if not _ARN.fullmatch(arn) or ":accesspoint/" not in arn:
            raise UsageError(
                f"--access-point {alias}={arn}: give ALIAS=arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME"
            )
    return {alias: arn for alias, _, arn in pairs}


def _arns(option: str, given: Sequence[str]) -> tuple[str, ...]:
    for arn in given:
        if not _ARN.fullmatch(arn) or ":kms:" not in arn or ":key/" not in arn:
            raise UsageError(
                f"{option} {arn}: give the key's ARN, such as arn:aws:kms:eu-west-1:111122223333:key/ID"
            )
    return tuple(given)


def _chosen(names: Names, bucket: str | None) -> str:
    """The bucket that a policy is for. Raises UsageError."""
    buckets = list(dict.fromkeys(folder.bucket for folder in names.logs))
    if bucket in buckets or (bucket is None and len(buckets) == 1):
        return bucket or buckets[0]
    asked = f"--bucket {bucket} is none of the sources" if bucket else "each bucket has a policy of its own"
    raise UsageError(f"{asked}: give --bucket {' or '.join(buckets)}")


def _principals(call: Call, given: Sequence[str] | None, *, plain: bool = False) -> tuple[str, ...]:
    """Who gets it, as ARNs; Lake Formation takes accounts by their plain number. Raises UsageError."""
    if not given:
        raise UsageError(
            "who gets it? give --principal, an ARN such as arn:aws:iam::111122223333:role/analyst"
        )
    for one in given:
        if not _ACCOUNT.fullmatch(one) and not _PRINCIPAL.fullmatch(one):
            raise UsageError(
                f"--principal {one}: give an ARN such as arn:aws:iam::111122223333:role/analyst, or an account"
            )
    if plain or not any(map(_ACCOUNT.fullmatch, given)):
        return tuple(given)
    from trailhouse.aws.access import partition_of  # noqa: PLC0415 - with the settings

    root = f"arn:{partition_of(call.settings.region or _gate(call.settings).region)}:iam::{{}}:root"
    return tuple(root.format(one) if _ACCOUNT.fullmatch(one) else one for one in given)
