"""IAM by itself: what a request needs, whether a policy allows it, and the answer where it does not.

Written from AWS's Service Authorization Reference and the IAM user guide (policy evaluation, wildcards, variables), for
the services that are used. It never imports trailhouse. It knows identity policies of one account: Allow and Deny,
`*` and `?` in actions and resources, and the conditions StringEquals and StringLike on what a request says of itself.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from bed.transport import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from bed.transport import Request

Policy = dict[str, Any]
ACCOUNT = "123456789012"
_JSON = "application/x-amz-json-1.1"


@dataclass(frozen=True)
class Need:
    """An action, and the resources that it has to be allowed on, all of them."""

    action: str
    resources: tuple[str, ...]
    context: dict[str, str] = field(default_factory=dict, hash=False)


# --- what policies say ---------------------------------------------------------------------------------------------


def allows(policy: Policy, action: str, resource: str, context: dict[str, str]) -> bool:
    """Whether one action on one resource is allowed: a Deny that applies is stronger than any Allow."""
    effects = {each["Effect"] for each in policy["Statement"] if _applies(each, action, resource, context)}
    return "Allow" in effects and "Deny" not in effects


def refusal(policy: Policy, needs: Iterable[Need]) -> tuple[str, str] | None:
    """The first action and resource that a policy does not allow."""
    for need in needs:
        for resource in need.resources:
            if not allows(policy, need.action, resource, need.context):
                return need.action, resource
    return None


def _applies(statement: dict[str, Any], action: str, resource: str, context: dict[str, str]) -> bool:
    return (
        any(_like(pattern.lower(), action.lower()) for pattern in _listed(statement["Action"]))
        and any(_like(pattern, resource) for pattern in _listed(statement["Resource"]))
        and all(
            _condition(operator, patterns, context.get(key))
            for operator, keys in statement.get("Condition", {}).items()
            for key, patterns in keys.items()
        )
    )


def _condition(operator: str, patterns: str | list[str], value: str | None) -> bool:
    if operator.endswith("IfExists") and value is None:
        return True
    match = {"StringEquals": str.__eq__, "StringLike": _like}[operator.removesuffix("IfExists")]
    return value is not None and any(match(pattern, value) for pattern in _listed(patterns))


def _like(pattern: str, value: str) -> bool:
    # `[` means nothing to IAM, and `${*}` is a star as such.
    escaped = re.sub(r"\$\{([*?$])\}|(\[)", lambda found: f"[{found[1] or found[2]}]", pattern)
    return fnmatchcase(value, escaped)


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


# --- what requests need --------------------------------------------------------------------------------------------

_GLUE = {
    "catalog": "GetDataCatalogEncryptionSettings",
    "database": "GetDatabase CreateDatabase UpdateDatabase GetTables",
    "table": "GetTable CreateTable UpdateTable DeleteTable GetPartition GetPartitions BatchGetPartition "
    "BatchCreatePartition BatchUpdatePartition BatchDeletePartition CreatePartitionIndex GetPartitionIndexes "
    "DeletePartitionIndex",
    "tables": "BatchDeleteTable",
    "all": "DeleteDatabase",
}
_WORKGROUP = (
    "GetWorkGroup StartQueryExecution GetQueryExecution GetQueryResults StopQueryExecution "
    "GetQueryRuntimeStatistics"
)

_ANYWHERE = {("servicequotas", "ListServiceQuotas"), ("cloudtrail", "ListPublicKeys")}


def needs(request: Request) -> list[Need]:
    """What an HTTP request needs. Raises KeyError for one that this page does not know."""
    service, operation = request.credential[3], request.operation.rpartition(".")[2]
    if service == "s3":
        return [*_s3(request)]
    said = _said(request)
    if said is not None:
        return said
    here = f"arn:aws:{service}:{request.credential[2]}:{ACCOUNT}:"
    return [_told(service, operation, json.loads(request.body or b"{}"), here)]


def _told(service: str, operation: str, parameters: dict[str, Any], here: str) -> Need:
    """The same for services that are spoken to in JSON."""
    if service == "glue":
        return Need(f"glue:{operation}", tuple(_glue(operation, parameters, here)))
    if service == "athena":
        if operation not in _WORKGROUP.split():
            raise KeyError(operation)
        # A query's own workgroup is the only one here.
        return Need(f"athena:{operation}", (f"{here}workgroup/{parameters.get('WorkGroup', 'primary')}",))
    if service == "states":
        return Need(f"states:{operation}", (parameters.get("stateMachineArn") or parameters["executionArn"],))
    if service == "monitoring":
        return Need(f"cloudwatch:{operation}", ("*",), {"cloudwatch:namespace": parameters["Namespace"]})
    if (service, operation) in _ANYWHERE:
        return Need(f"{service}:{operation}", ("*",))
    raise KeyError(service)


def _said(request: Request) -> list[Need] | None:
    """The same for services that say the operation in a form or in the path; None for all others."""
    service, region = request.credential[3], request.credential[2]
    if service == "lakeformation":
        return [Need(f"lakeformation:{request.path.strip('/')}", ("*",))]
    if service == "scheduler":
        arn = f"arn:aws:scheduler:{region}:{ACCOUNT}:schedule/default/{request.path.rpartition('/')[2]}"
        return [Need({"GET": "scheduler:GetSchedule"}[request.method], (arn,))]
    if service not in {"sts", "sns", "cloudformation"}:
        return None
    form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
    if service == "cloudformation":
        stack = form.get("StackName", "*").rpartition("stack/")[2].partition("/")[0]
        arn = f"arn:aws:cloudformation:{region}:{ACCOUNT}:stack/{stack}/*"
        return [Need(f"cloudformation:{form['Action']}", (arn,))]
    return [Need(f"{service}:{form['Action']}", (form.get("RoleArn") or form.get("TopicArn") or "*",))]


def _glue(operation: str, parameters: dict[str, Any], arn: str) -> Iterator[str]:
    kind = next(kind for kind, names in _GLUE.items() if operation in names.split())
    yield f"{arn}catalog"
    if kind == "catalog":
        return
    named = parameters.get("DatabaseInput", {}).get("Name") or parameters.get("Name", "")
    database = parameters.get("DatabaseName") or named
    yield f"{arn}database/{database}"
    if kind == "table":
        given = (
            parameters.get("TableName")
            or parameters.get("TableInput", {}).get("Name")
            or parameters.get("Name")
        )
        yield f"{arn}table/{database}/{given}"
    if kind == "tables":
        yield from (f"{arn}table/{database}/{name}" for name in parameters["TablesToDelete"])
    if kind == "all":
        yield from (f"{arn}table/{database}/anything", f"{arn}userDefinedFunction/{database}/anything")


_BUCKET = {
    "location": {"GET": "s3:GetBucketLocation"},
    "versions": {"GET": "s3:ListBucketVersions"},
    "encryption": {"PUT": "s3:PutEncryptionConfiguration"},
    "publicAccessBlock": {"PUT": "s3:PutBucketPublicAccessBlock"},
    "policy": {"PUT": "s3:PutBucketPolicy"},
    "tagging": {"PUT": "s3:PutBucketTagging"},
}
"""What a request is about a bucket, by the parameter that says so, and the action by method."""


def _s3(request: Request) -> Iterator[Need]:
    bucket, _, key = request.path.lstrip("/").partition("/")
    about = next((name for name in _BUCKET if name in request.query), None)
    if about and request.method in _BUCKET[about]:
        yield Need(_BUCKET[about][request.method], (f"arn:aws:s3:::{bucket}",))
        return
    if not key and request.method in {"PUT", "DELETE"}:
        yield Need(
            {"PUT": "s3:CreateBucket", "DELETE": "s3:DeleteBucket"}[request.method],
            (f"arn:aws:s3:::{bucket}",),
        )
        return
    here, there = (f"arn:aws:s3:::{bucket}",), (f"arn:aws:s3:::{bucket}/{key}",)
    query = request.query
    if key:
        yield Need({"GET": "s3:GetObject", "HEAD": "s3:GetObject", "PUT": "s3:PutObject", "DELETE": "s3:DeleteObject"}[
            request.method
        ], there)  # fmt: skip
    elif request.method == "POST" and "delete" in query:
        keys = re.findall(r"<Key>(.*?)</Key>", request.body.decode())
        yield Need("s3:DeleteObject", tuple(f"{here[0]}/{each}" for each in keys))
    else:
        yield Need("s3:ListBucket", here, {"s3:prefix": query["prefix"]} if "prefix" in query else {})


# --- the door ------------------------------------------------------------------------------------------------------


@dataclass
class Door:
    """In front of a service: who signs with an access key may do what its policy says, and nothing else.

    Attributes:
        inner: what answers where it is allowed.
        policies: by access key; `*` for keys that a role was assumed with.
        used: actions that were asked for, in all.
    """

    inner: Callable[[Request], Answer]
    policies: dict[str, Policy] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def __call__(self, request: Request) -> Answer:
        """The answer, or AWS's words for no."""
        policy = self.policies.get(request.credential[0]) or self.policies["*"]
        wanted = needs(request)
        self.used |= {need.action for need in wanted}
        no = refusal(policy, wanted)
        if no:
            return _denied(request, *no)
        answer = self.inner(request)
        if request.operation == "AWSGlue.GetTables":
            answer = Answer(answer.status, _visible(request, policy, answer.body), answer.headers)
        return answer


def _visible(request: Request, policy: Policy, body: bytes) -> bytes:
    """GetTables answers with those tables only that the caller may see."""
    found = json.loads(body)
    arn = f"arn:aws:glue:{request.credential[2]}:{ACCOUNT}:table/{json.loads(request.body)['DatabaseName']}/"
    tables = found.get("TableList", [])
    found["TableList"] = [each for each in tables if allows(policy, "glue:GetTables", arn + each["Name"], {})]
    return json.dumps(found).encode()


def _denied(request: Request, action: str, resource: str) -> Answer:
    words = (
        f"User: arn:aws:iam::{ACCOUNT}:user/tested is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )
    if request.credential[3] in {"s3", "sts", "sns", "cloudformation"}:
        error = f"<Error><Code>AccessDenied</Code><Message>{words}</Message></Error>"
        body = error if request.credential[3] == "s3" else f"<ErrorResponse>{error}</ErrorResponse>"
        return Answer(403, body.encode(), {"Content-Type": "application/xml"})
    body = json.dumps({"__type": "AccessDeniedException", "Message": words})
    return Answer(400, body.encode(), {"Content-Type": _JSON})
