"""Lake Formation's grants: what each role needs where it governs the catalog, beside its policy."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trailhouse.core.policy import Names, Role

PERMISSIONS: Mapping[Role, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Role.RUNNER: (("CREATE_TABLE", "DESCRIBE"), ("ALTER", "DESCRIBE", "DROP", "INSERT", "SELECT")),
    Role.OPERATOR: (("CREATE_TABLE", "DESCRIBE", "DROP"), ("ALTER", "DESCRIBE", "DROP", "INSERT", "SELECT")),
    Role.ANALYST: (("DESCRIBE",), ("DESCRIBE", "SELECT")),
}
"""Lake Formation's permissions on the database, and on its tables; other roles touch neither."""


def grants(role: Role, names: Names, principals: Sequence[str]) -> dict[str, Any]:
    """Input of `aws lakeformation batch-grant-permissions`: what a role needs where Lake Formation governs.

    Lake Formation knows no beginnings of names: the grants are on all tables of the database.
    """
    catalog = names.catalog_account or names.account
    if role not in PERMISSIONS:
        return {"CatalogId": catalog, "Entries": []}
    database = {"Database": {"CatalogId": catalog, "Name": names.database}}
    tables = {"Table": {"CatalogId": catalog, "DatabaseName": names.database, "TableWildcard": {}}}
    entries = [
        {
            "Id": f"{number}-{what}",
            "Principal": {"DataLakePrincipalIdentifier": principal},
            "Resource": resource,
            "Permissions": list(permissions),
        }
        for number, principal in enumerate(principals, 1)
        for what, resource, permissions in (
            ("database", database, PERMISSIONS[role][0]),
            ("tables", tables, PERMISSIONS[role][1]),
            *_locations(role, names),
        )
    ]
    return {"CatalogId": catalog, "Entries": entries}


def _locations(role: Role, names: Names) -> Iterator[tuple[str, dict[str, Any], tuple[str, ...]]]:
    if role is Role.ANALYST:
        return
    catalog = names.catalog_account or names.account
    for number, folder in enumerate(names.logs, 1):
        arn = f"arn:{names.partition}:s3:::{folder.bucket}/{folder.prefix}".rstrip("/")
        resource = {"DataLocation": {"CatalogId": catalog, "ResourceArn": arn}}
        yield f"location-{number}", resource, ("DATA_LOCATION_ACCESS",)
