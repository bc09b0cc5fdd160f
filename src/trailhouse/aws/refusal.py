"""What AWS says no with, as errors of ours: they name the action, the resource and the next step."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from trailhouse.aws.session import unknown_profile
from trailhouse.core.operations import Operation, Resource, find, operations, target
from trailhouse.core.policy import USES, Role
from trailhouse.errors import (
    AccessDeniedError,
    AwsError,
    ConflictError,
    CredentialsError,
    LimitError,
    NotFoundError,
    ThrottledError,
)

_DENIED = {
    "AccessDenied", "AccessDeniedException", "AllAccessDisabled", "AuthorizationError", "UnauthorizedOperation",
    "NotAuthorized", "KMS.AccessDeniedException", "403",
}  # fmt: skip
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"}
_UNKNOWN_KEYS = {
    "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "SignatureDoesNotMatch",
    "InvalidSignatureException", "IncompleteSignature", "MissingAuthenticationToken", "InvalidToken",
    "MissingAuthenticationTokenException", "NotSignedUp", "OptInRequired",
}  # fmt: skip
_CLOCK = {"RequestExpired", "RequestTimeTooSkewed"}
_MISSING = {
    "EntityNotFoundException", "ResourceNotFoundException", "MetadataException", "NoSuchBucket", "NoSuchKey",
    "NoSuchEntity", "NotFound", "404", "StateMachineDoesNotExist", "ExecutionDoesNotExist",
}  # fmt: skip
_CONFLICT = {
    "AlreadyExistsException", "ConcurrentModificationException", "VersionMismatchException", "409", "412",
    "ConditionCheckFailureException", "PreconditionFailed", "ConditionalRequestConflict", "OperationAborted",
    "ConcurrentRunsExceededException", "IdempotentParameterMismatchException", "ResourceNotReadyException",
}  # fmt: skip
_THROTTLED = {
    "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
    "RequestLimitExceeded", "TooManyRequestsException", "SlowDown", "BandwidthLimitExceeded",
    "PriorRequestNotComplete", "429",
}  # fmt: skip
_LIMIT = {
    "ResourceNumberLimitExceededException", "LimitExceededException", "LimitExceeded", "EntityTooLarge", "413",
    "RequestEntityTooLargeException", "ServiceQuotaExceededException",
}  # fmt: skip
_LOG_IN = "log in again (aws sso login, or new keys), or choose another --profile"
_KINDS: tuple[tuple[set[str], type[AwsError], str], ...] = (
    (_EXPIRED, CredentialsError, f"the credentials have expired: {_LOG_IN}"),
    (_UNKNOWN_KEYS, CredentialsError, f"AWS does not take the credentials ({{words}}): {_LOG_IN}"),
    (_CLOCK, CredentialsError, "this machine's clock is wrong: set it"),
    (_THROTTLED, ThrottledError, "AWS asks for fewer requests, after all retries: run again later"),
    (
        {"NoSuchBucket"},
        NotFoundError,
        "{words}: check the name and the account (--profile)",
    ),
    (_MISSING, NotFoundError, "{words}"),
    (_CONFLICT, ConflictError, "{words}"),
    (_LIMIT, LimitError, "{words}"),
)
# AWS's words, where it says them: "... is not authorized to perform: glue:GetTable on resource: arn:... because ..."
_WORDS = re.compile(
    r"not authorized to perform:? ([a-z0-9-]+:[A-Za-z0-9]+)(?: on resource:? \"?(\S+?)\"?(?=[\s,.]|\Z))?"
)
_DENY = re.compile(r"with an explicit deny in ((?:an? |the )?[A-Za-z -]+)")
_LACK = re.compile(r"because no ([A-Za-z -]+?) allows")
_LAKE_FORMATION = "Lake Formation permission"


@dataclass(frozen=True, slots=True)
class Where:
    """What a call's ARNs are completed with.

    Attributes:
        partition: `aws`, `aws-us-gov`, `aws-cn`.
        region: of the service.
        account: of the caller, "" while it is not known.
    """

    partition: str = "aws"
    region: str = ""
    account: str = ""


def explained(
    error: BotoCoreError | ClientError, service: str, name: str, parameters: Mapping[str, Any], where: Where
) -> AwsError:
    """The error of ours for one of botocore's.

    Args:
        error: what was raised.
        service: that was called.
        name: of the operation.
        parameters: of the call.
        where: it was called.
    """
    if not isinstance(error, ClientError):
        return _local(error, f"{service} {name}")
    if error.operation_name == "AssumeRole" != name:  # the role comes before the call that needs it
        service, name, parameters = "sts", "AssumeRole", {}
    operation = find(service, name)
    about = _arn(operation, parameters, where)
    return _answered(error, operation, parameters, about)


def _answered(
    error: ClientError, operation: Operation, parameters: Mapping[str, Any], about: str
) -> AwsError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    words = str(error.response.get("Error", {}).get("Message", "")) or code
    status = str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
    if code in _DENIED:
        return _denied(code, words, operation, parameters, about)
    kind, told = _kind(code, words, status)
    message = f"{operation} on {about} failed ({code or status}): {told}"
    return kind(message, code=code or status, operation=str(operation), resource=about)


def _kind(code: str, words: str, status: str) -> tuple[type[AwsError], str]:
    if status == "503" and code == "ServiceUnavailable":
        code = "SlowDown"
    if code == "InvalidRequestException" and "not found" in words.lower():
        return NotFoundError, words  # how Athena says that there is no such workgroup
    for codes, kind, told in _KINDS:
        if code in codes:
            return kind, told.format(words=words)
    return AwsError, words


def _denied(
    code: str, words: str, operation: Operation, parameters: Mapping[str, Any], about: str
) -> AccessDeniedError:
    action, resource = operation.actions[0], about
    if said := _WORDS.search(words):
        action, resource = said[1], said[2] or about
    message = f"access denied: {action} on {resource} ({operation}, {code}). {_allow(action, words)}"
    if owner := parameters.get("ExpectedBucketOwner"):
        message += f"; or the bucket does not belong to {owner} (expected_bucket_owner)"
    return AccessDeniedError(message, code=code, operation=str(operation), resource=resource)


def _allow(action: str, words: str) -> str:
    if _LAKE_FORMATION in words:
        return f"AWS says: {words}. `trailhouse policy lakeformation` prints the grants"
    if deny := _DENY.search(words):
        who = deny[1].strip()
        return f"{who[0].upper()}{who[1:]} denies it explicitly, which is stronger than any grant: ask whoever set it"
    lack = _LACK.search(words)
    if lack and lack[1] not in {"identity-based policy", "resource-based policy"}:
        return f"No {lack[1]} allows it, which is a limit besides the caller's policy: ask whoever set it"
    if action == "sts:AssumeRole":
        return "Allow it to the caller, and let the role's trust policy name the caller (and --external-id)"
    if action.startswith("kms:"):
        return "Allow it in the key's policy: `trailhouse policy kms` prints the statement"
    also = ", and `trailhouse policy bucket` that of the bucket" if action.startswith("s3:") else ""
    first, *others = _roles(action)
    more = f" ({', '.join(others)})" if others else ""
    return f"Allow it to the caller: `trailhouse policy {first}`{more} prints the policy{also}"


def _roles(action: str) -> Sequence[Role]:
    """Whose policies have the action, as far as it is one of ours."""
    uses = {use for operation in operations() if action in operation.actions for use in operation.uses}
    return [role for role in Role if uses & set(USES[role])] or (Role.RUNNER, Role.OPERATOR, Role.ANALYST)


def _local(error: BotoCoreError, operation: str) -> AwsError:
    """The error for what never got an answer."""
    code = type(error).__name__
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return CredentialsError(f"there are no AWS credentials: {_LOG_IN}", code=code, operation=operation)
    if isinstance(error, ProfileNotFound):
        return CredentialsError(unknown_profile(error), code=code, operation=operation)
    if isinstance(error, CredentialRetrievalError | SSOError | TokenRetrievalError):
        return CredentialsError(f"no AWS credentials: {error}: {_LOG_IN}", code=code, operation=operation)
    if isinstance(error, ParamValidationError):
        words = f"{operation}: not a name or value that AWS takes: check it ({error})"
        return AwsError(words, code=code, operation=operation)
    words = f"{operation} failed: {error}: check the network, --endpoint-url and --profile"
    return AwsError(words, code=code, operation=operation)


def _arn(operation: Operation, parameters: Mapping[str, Any], where: Where) -> str:
    if operation.resource[-1] is Resource.ANY:
        return "*"
    service, region, account, rest = target(operation, parameters).split(":", 3)
    region = where.region or "*" if region == "*" else region
    account = where.account or "*" if account == "*" else account
    return f"arn:{where.partition}:{service}:{region}:{account}:{rest}"
