"""Permissions, least first: statements from the operations that we call and from what Athena does for its caller."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from trailhouse.core.arn_names import Folder, Names
from trailhouse.core.delegated import OF_ATHENA, Place, delegated, kinds
from trailhouse.core.operations import Operation, Resource, Use, operations

__all__ = [
    "MANAGED_LIMIT", "METRICS", "RECORDS_PREFIX", "SCRATCH_DATABASE", "SCRATCH_PREFIX", "USES", "Folder", "Names",
    "Reason", "Role", "Statement", "bucket_policy", "document", "key_policy", "own_code", "own_output", "role_policy",
]  # fmt: skip

MANAGED_LIMIT = 6_144
"""Characters of a managed policy, white space apart. (A role's inline policies: 10,240 together.)"""

SCRATCH_DATABASE = "trailhouse_selftest"
SCRATCH_PREFIX = "trailhouse-selftest/"
"""Where `selftest` works; the database's name may go on after an underscore."""

RECORDS_PREFIX = "trailhouse/"
"""Where in the bucket for output the nightly run keeps its records."""

METRICS = "trailhouse"
"""Namespace of the metrics of the nightly run."""


def own_code(account: str, region: str) -> str:
    """The bucket that `deploy` uploads code to, one for all stacks of an account and region."""
    return f"trailhouse-deploy-{account}-{region}"


def own_output(stack: str, account: str, region: str) -> str:
    """The bucket that a stack makes for output where the configuration names none."""
    return f"{stack.lower()}-output-{account}-{region}"


class Role(StrEnum):
    """Who gets a policy."""

    RUNNER = "runner"
    OPERATOR = "operator"
    ANALYST = "analyst"
    DEPLOYER = "deployer"


USES = {
    Role.RUNNER: (Use.PLAN, Use.APPLY, Use.NIGHTLY),
    Role.OPERATOR: (Use.PLAN, Use.APPLY, Use.ADOPT, Use.DESTROY, Use.SELFTEST, Use.STATUS),
    Role.ANALYST: (Use.QUERY,),
    Role.DEPLOYER: (Use.DEPLOY,),
}
"""What each does: the runner is the nightly run, the analyst only asks, the deployer brings the nightly run there."""


@dataclass(frozen=True, slots=True, order=True)
class Reason:
    """Why an action is allowed.

    Attributes:
        action: of IAM.
        why: the operation of ours, or the kind of statement that Athena needs it for.
        page: of AWS, that says so.
    """

    action: str
    why: str
    page: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy.

    Attributes:
        sid: its name.
        actions: of IAM, sorted.
        resources: ARNs, sorted.
        reasons: for each action, sorted.
        prefixes: patterns that `s3:prefix` has to match, or none.
        namespace: that metrics have to be of, or "".
        boundary: ARN of the permissions boundary that roles have to have, or "".
        principals: ARNs, in a policy of a bucket or key.
    """

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    reasons: tuple[Reason, ...]
    prefixes: tuple[str, ...] = ()
    namespace: str = ""
    boundary: str = ""
    principals: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The statement as IAM takes it."""
        found: dict[str, Any] = {"Sid": self.sid, "Effect": "Allow"}
        if self.principals:
            found["Principal"] = {"AWS": list(self.principals)}
        found |= {"Action": list(self.actions), "Resource": list(self.resources)}
        if self.prefixes:
            found["Condition"] = {"StringLike": {"s3:prefix": list(self.prefixes)}}
        if self.namespace:
            found["Condition"] = {"StringEquals": {"cloudwatch:namespace": self.namespace}}
        if self.boundary:
            found["Condition"] = {"StringEquals": {"iam:PermissionsBoundary": self.boundary}}
        return found


@dataclass(slots=True)
class _Draft:
    actions: set[str] = field(default_factory=set)
    resources: set[str] = field(default_factory=set)
    prefixes: set[str] = field(default_factory=set)
    reasons: set[Reason] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Grant:
    action: str
    resource: tuple[Resource, ...]
    place: Place
    why: str
    page: str


def document(statements: Iterable[Statement]) -> dict[str, Any]:
    """A policy document as IAM, S3 and KMS take it."""
    return {"Version": "2012-10-17", "Statement": [statement.as_json() for statement in statements]}


def role_policy(role: Role, names: Names) -> tuple[Statement, ...]:
    """The policy to attach to whoever does what the role does."""
    found = _statements(_grants(USES[role]), names)
    return tuple(part for statement in found for part in _bounded(statement, names.boundary))


def _bounded(statement: Statement, boundary: str) -> Iterator[Statement]:
    """A statement, cut in two where roles may be made only with a boundary, which then may not be taken off.

    See https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html.
    """
    making = {action for action in statement.actions if action in _MAKE_ROLES}
    if not boundary or not making:
        yield statement
        return
    yield _part(statement, {*statement.actions} - making - {"iam:DeleteRolePermissionsBoundary"})
    yield replace(_part(statement, making), sid=f"{statement.sid}Bounded", boundary=boundary)


def _part(statement: Statement, actions: set[str]) -> Statement:
    reasons = tuple(reason for reason in statement.reasons if reason.action in actions)
    return replace(statement, actions=tuple(sorted(actions)), reasons=reasons)


_MAKE_ROLES = {"iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"}


def bucket_policy(names: Names, bucket: str, principals: Sequence[str]) -> tuple[Statement, ...]:
    """What a bucket of logs has to allow to principals of another account; for an access point, its policy.

    Args:
        names: whose logs lie in the bucket.
        bucket: one of `names.logs`.
        principals: ARNs that query, or run `plan` and `apply`.
    """
    grants = [
        grant
        for grant in _grants((Use.PLAN, Use.APPLY, Use.QUERY))
        if grant.place is Place.LOGS and grant.action.startswith("s3:")
    ]
    here = replace(names, logs=tuple(folder for folder in names.logs if folder.bucket == bucket))
    return tuple(
        replace(statement, sid=f"Trailhouse{statement.sid}", principals=tuple(principals))
        for statement in _statements(grants, here)
    )


def key_policy(principals: Sequence[str]) -> tuple[Statement, ...]:
    """What the key of the logs has to allow to principals of another account. In it, `*` is the key itself."""
    rows = [row for row in delegated() if row.place is Place.LOG_KEYS]
    reasons = [Reason(action, f"Athena: {row.kind}", row.page) for row in rows for action in row.actions]
    actions = tuple(sorted({reason.action for reason in reasons}))
    return (Statement("TrailhouseLogKeys", actions, ("*",), tuple(reasons), principals=tuple(principals)),)


def _grants(uses: Iterable[Use]) -> list[_Grant]:
    """Every permission for the uses, from both lists."""
    found: list[_Grant] = []
    for use in uses:
        for operation in operations():
            if use in operation.uses:
                found += [
                    _Grant(action, operation.resource, place, str(operation), operation.page)
                    for place in _places(operation, use)
                    for action in operation.actions
                ]
        for row in delegated():
            if row.kind in kinds(use):
                place = _SELFTEST.get(row.place, row.place) if use is Use.SELFTEST else row.place
                why = f"Athena: {row.kind.value}" if row.kind in OF_ATHENA else row.kind.value
                found += [_Grant(action, row.resource, place, why, row.page) for action in row.actions]
    return found


_WHOLE = {(Use.DESTROY, "DeleteDatabase"), (Use.DESTROY, "GetTables")}
"""Deleting a database takes a permission on all that is in it, and whoever may not see a table in it is told that
there is none."""

_SELFTEST = {
    Place.LOGS: Place.SCRATCH,
    Place.LAKE: Place.SCRATCH,
    Place.TABLES: Place.SCRATCH,
    Place.LOG_KEYS: Place.RESULT_KEYS,
}
"""`selftest` has all of its own."""


_OF_RECORDS = {Use.NIGHTLY, Use.STATUS}


def _places(operation: Operation, use: Use) -> tuple[Place, ...]:
    """Whose names an operation is about when it is called for a use."""
    if use is Use.DEPLOY and operation.service == "s3":
        return (Place.CODE, Place.OUTPUT) if operation.name in _EMPTIES else (Place.CODE,)
    if operation.service == "s3" and use in _OF_RECORDS:
        return (Place.RECORDS,)
    place = {"s3": Place.LOGS, "glue": Place.TABLES}.get(operation.service, Place.ANYWHERE)
    if place is Place.TABLES and (use, operation.name) in _WHOLE:
        return (Place.ANYWHERE,)
    return (_SELFTEST.get(place, place) if use is Use.SELFTEST else place,)


_EMPTIES = {"ListObjectsV2", "ListObjectVersions", "DeleteObjects", "DeleteBucket"}
"""What `undeploy` does to the bucket for output, where the configuration does not keep it."""


def _statements(grants: Iterable[_Grant], names: Names) -> tuple[Statement, ...]:
    drafts: dict[str, _Draft] = {}
    for grant in grants:
        for sid, resources, prefixes in _targets(grant, names):
            draft = drafts.setdefault(sid, _Draft())
            draft.actions.add(grant.action)
            draft.resources |= resources
            draft.prefixes |= prefixes
            draft.reasons.add(Reason(grant.action, grant.why, grant.page))
    return tuple(
        Statement(
            sid,
            tuple(sorted(draft.actions)),
            tuple(sorted(draft.resources)),
            tuple(sorted(draft.reasons)),
            tuple(sorted(draft.prefixes)),
            METRICS if sid == _SIDS["cloudwatch"] else "",
        )
        for sid, draft in sorted(drafts.items())
    )


def _targets(grant: _Grant, names: Names) -> Iterator[tuple[str, set[str], set[str]]]:
    """Name of the statement, resources and prefixes of a permission; nothing where there is no such place."""
    if grant.action == "s3:ListBucket":
        folders = _folders(grant.place, names)
        for number, bucket in enumerate(dict.fromkeys(folder.bucket for folder in folders), 1):
            here = [folder for folder in folders if folder.bucket == bucket]
            sid = f"{_camel(grant.place)}List{number if number > 1 else ''}"
            arns = {_s3_arn(Resource.BUCKET, folder, names.partition) for folder in here}
            yield sid, arns, _prefixes(here) if grant.place is not Place.RESULTS else set()
        return
    resources = {arn for kind in grant.resource for arn in _arns(kind, grant.place, names)}
    if resources:
        yield _sid(grant), resources, set()


def _sid(grant: _Grant) -> str:
    """Permissions of one name share their resources."""
    service = grant.action.partition(":")[0]
    if grant.place is Place.STACK:
        return f"Stack{service.capitalize()}{'All' if grant.resource == (Resource.ANY,) else ''}"
    if service == "s3":
        return _camel(grant.place) + ("Bucket" if grant.resource == (Resource.BUCKET,) else "Objects")
    if service == "sts":
        return "Identity" if grant.resource == (Resource.ANY,) else "Roles"
    if service == "glue" and grant.resource == (Resource.CATALOG,):
        return "CatalogSettings"
    if service == "glue":
        return "Database" if grant.place is Place.ANYWHERE else f"{_camel(grant.place)}Catalog"
    return _camel(grant.place) if service == "kms" else _SIDS[service]


_SIDS = {
    "athena": "Workgroup",
    "cloudformation": "Stack",
    "cloudtrail": "PublicKeys",
    "cloudwatch": "Metrics",
    "lakeformation": "LakeFormation",
    "scheduler": "Schedule",
    "servicequotas": "Quotas",
    "sns": "Alarms",
    "states": "Runs",
}


def _camel(place: Place) -> str:
    return "".join(word.capitalize() for word in place.value.split())


def _arns(kind: Resource, place: Place, names: Names) -> Iterator[str]:
    """The ARNs of one kind in one place; none where there is no such place."""
    if kind is Resource.ANY:
        yield "*"
    elif kind in {Resource.BUCKET, Resource.OBJECT}:
        for folder in _folders(place, names):
            yield _s3_arn(kind, folder, names.partition)
    elif kind is Resource.KEY:
        yield from _KEYS_OF[place](names) if place in _KEYS_OF else ()
    elif kind is Resource.ROLE:
        yield from names.roles
    elif kind is Resource.TOPIC and names.topic:
        yield names.topic
    else:
        account = names.account if kind in _OF_CALLER else names.catalog_account or names.account
        for given in _named(kind, place, names):
            text = kind.value.format(region=names.region, account=account, **given)
            yield f"arn:{names.partition}:{text}"


_OF_CALLER = {
    Resource.WORKGROUP, Resource.STACK, Resource.MACHINE, Resource.EXECUTION, Resource.SCHEDULE, Resource.TOPIC,
    *(kind for kind in Resource if kind.name.startswith("STACK_")),
}  # fmt: skip
"""What lies in the caller's account, also where another shares its catalog."""


_KEYS_OF = {
    Place.LOG_KEYS: lambda names: names.log_keys,
    Place.RESULT_KEYS: lambda names: names.result_keys,
    Place.CATALOG_KEYS: lambda names: names.catalog_keys,
    Place.STACK_KEYS: lambda names: names.stack_keys,
}


def _folders(place: Place, names: Names) -> tuple[Folder, ...]:
    places: dict[Place, tuple[Folder, ...]] = {
        Place.LOGS: names.logs,
        Place.RESULTS: (names.results,),
        Place.RECORDS: _given(names.records),
        Place.CODE: _given(names.code),
        Place.OUTPUT: _given(names.output),
        Place.SCRATCH: (names.scratch,),
        Place.LAKE: _given(names.lake),
    }
    return places[place]


def _given(folder: Folder | None) -> tuple[Folder, ...]:
    return (folder,) if folder else ()


def _s3_arn(kind: Resource, folder: Folder, partition: str) -> str:
    key = f"{_literal(folder.prefix)}*"
    if folder.access_point:
        return folder.access_point if kind is Resource.BUCKET else f"{folder.access_point}/object/{key}"
    return f"arn:{partition}:" + kind.value.format(bucket=folder.bucket, key=key)


def _named(kind: Resource, place: Place, names: Names) -> Iterator[dict[str, str]]:
    """The names that ARNs of a kind are made of."""
    database = {Place.DEFAULT: "default", Place.SCRATCH: f"{SCRATCH_DATABASE}*"}.get(place, names.database)
    if kind in _OF_CALLER:
        stack = names.stack
        yield {"workgroup": _literal(names.workgroup), "stack": stack, "topic": f"{stack}-alarms"}
    elif kind is not Resource.TABLE:
        yield {"database": database, "function": "*"}
    elif place is Place.TABLES:
        yield {"database": database, "table": names.table_prefix}
        yield {"database": database, "table": f"{names.table_prefix}_*"}
    else:
        yield {"database": database, "table": "*"}


def _prefixes(folders: Iterable[Folder]) -> set[str]:
    """Patterns that a listing's prefix has to match; none where a whole bucket is meant."""
    found = {_literal(folder.prefix) for folder in folders}
    if "" in found:
        return set()
    return {f"{prefix}*" for prefix in found} | {prefix.removesuffix("/") for prefix in found}


def _literal(text: str) -> str:
    """Text in which IAM sees no pattern and no variable."""
    return "".join(f"${{{each}}}" if each in "*?$" else each for each in text)
