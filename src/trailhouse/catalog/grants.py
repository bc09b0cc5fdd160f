"""What the settings around a Glue catalog forbid or demand: encryption, and grants of Lake Formation.

Both are read where that is allowed. Where it is not, nothing fails: what could not be found out is told.
"""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from trailhouse.catalog.port import Restrictions
from trailhouse.errors import AwsError, CredentialsError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from trailhouse.aws.gate import Gate

_EVERYONE = "IAM_ALLOWED_PRINCIPALS"
_ON_CATALOG = ("CREATE_DATABASE",)
_ON_DATABASE = ("CREATE_TABLE", "DESCRIBE")


def restrictions(gate: Gate, database: str) -> Restrictions:
    """Read the settings.

    Args:
        gate: the way to AWS.
        database: that is to hold the tables; it need not exist.

    Raises:
        CredentialsError: there are none, or they are not taken.
    """
    missing: list[str] = []
    unread: list[str] = []
    encrypted = False
    try:
        encrypted = _encrypted(gate)
    except CredentialsError:
        raise
    except AwsError as error:
        unread.append(f"whether the catalog encrypts its metadata could not be read: {error}")
    try:
        missing += _missing(gate, database)
    except CredentialsError:
        raise
    except AwsError as error:
        unread.append(f"whether Lake Formation has to grant something could not be read: {error}")
    return Restrictions(encrypted, tuple(missing), tuple(unread))


def _encrypted(gate: Gate) -> bool:
    settings = gate.call("glue", "GetDataCatalogEncryptionSettings")["DataCatalogEncryptionSettings"]
    return bool(settings.get("EncryptionAtRest", {}).get("CatalogEncryptionMode", "DISABLED") != "DISABLED")


def _missing(gate: Gate, database: str) -> list[str]:
    settings = gate.call("lakeformation", "GetDataLakeSettings").get("DataLakeSettings", {})
    caller = role_of(gate.call("sts", "GetCallerIdentity")["Arn"])
    try:
        held = gate.call("glue", "GetDatabase", Name=database)["Database"]
    except NotFoundError:
        admins = [one.get("DataLakePrincipalIdentifier", "") for one in settings.get("DataLakeAdmins", ())]
        open_ = _open(settings.get("CreateDatabaseDefaultPermissions", ()))
        if open_ or any(_is(caller, admin) for admin in admins):
            return []
        return _lacking(gate, caller, _ON_CATALOG, {"Catalog": {}}, "new databases")
    if _open(held.get("CreateTableDefaultPermissions", ())):
        return []
    return _lacking(gate, caller, _ON_DATABASE, {"Database": {"Name": database}}, f"database {database}")


def _lacking(
    gate: Gate, caller: str, needed: Iterable[str], resource: dict[str, Any], what: str
) -> list[str]:
    granted: set[str] = set()
    for one in _grants(gate, resource):
        principal = one.get("Principal", {}).get("DataLakePrincipalIdentifier", "")
        if principal == _EVERYONE or _is(caller, principal):
            granted.update(one.get("Permissions", ()))
    missing = [] if granted & {"ALL", "SUPER"} else [one for one in needed if one not in granted]
    return [_sentence(caller, missing, resource, what)] if missing else []


def _grants(gate: Gate, resource: dict[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What is granted on a resource, to whom. botocore knows no pages of it."""
    token: dict[str, str] = {}
    while True:
        page = gate.call("lakeformation", "ListPermissions", Resource=resource, **token)
        yield from page.get("PrincipalResourcePermissions", ())
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}


def _sentence(caller: str, missing: list[str], resource: dict[str, Any], what: str) -> str:
    told = shlex.join([
        "aws", "lakeformation", "grant-permissions",
        "--principal", f"DataLakePrincipalIdentifier={caller}",
        "--permissions", *missing,
        "--resource", json.dumps(resource),
    ])  # fmt: skip
    return f"Lake Formation governs {what}: {caller} needs {' and '.join(missing)} there: {told}"


def _open(permissions: Iterable[Mapping[str, Any]]) -> bool:
    """Whether IAM alone decides, by what is granted to everybody from the start."""
    return any(
        one.get("Principal", {}).get("DataLakePrincipalIdentifier") == _EVERYONE
        and "ALL" in one["Permissions"]
        for one in permissions
    )


def role_of(arn: str) -> str:
    """The role behind a session's ARN; any other caller is itself."""
    begin, found, rest = arn.partition(":assumed-role/")
    if not found:
        return arn
    return f"{begin.replace(':sts:', ':iam:')}:role/{rest.split('/', 1)[0]}"


def _is(caller: str, principal: str) -> bool:
    """Whether they are the same. A session does not say its role's path."""
    head, _, name = caller.rpartition(":")
    kind = name.partition("/")[0]
    return caller == principal or (
        kind == "role"
        and principal.startswith(f"{head}:role/")
        and principal.rpartition("/")[2] == name.rpartition("/")[2]
    )
