"""Sessions and clients of AWS: what each of their calls is, is checked and told before it leaves.

The hooks sit on the session, so that whatever makes a client from it (a paginator, a table format's own
catalog) passes them, too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import NoCredentialsError, ProfileNotFound

from trailhouse.aws.access import Access
from trailhouse.core.operations import find

PARALLEL = 32
"""Threads that may share a client."""

_ATTEMPTS = 8
_NAMED = 8
_CALL = "trailhouse_call"


@dataclass(frozen=True, slots=True)
class Call:
    """One call that was made, retries and all.

    Attributes:
        service: the client's name, such as `glue`.
        operation: as the service's model spells it, such as `GetTable`.
        parameters: as they were given.
        code: of the error that AWS answered with, or the local error's class; "" when it was answered.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any]
    code: str = ""


Record = Callable[[Call], None]


def open_session(access: Access, record: Record | None = None) -> boto3.Session:
    """A session of these credentials; those of an assumed role renew themselves. Makes no call.

    Args:
        access: profile, role and region.
        record: hears of every call of every client made from it, from any thread.

    Raises:
        botocore.exceptions.BotoCoreError: there is no such profile, or there are no credentials for the role.
    """
    base = _hooked(access, record)
    if not access.role_arn:
        return boto3.Session(botocore_session=base, region_name=access.region)
    source = base.get_credentials()
    if source is None:
        raise NoCredentialsError
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=partial(base.create_client, endpoint_url=access.endpoint_url),
        source_credentials=source,
        role_arn=access.role_arn,
        extra_args={"RoleSessionName": "trailhouse"}
        | ({"ExternalId": access.external_id} if access.external_id else {}),
    )
    assumed = _hooked(access, record)
    # botocore has no public door for credentials that renew themselves.
    assumed._credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")  # noqa: SLF001 - as above
    return boto3.Session(botocore_session=assumed, region_name=access.region)


def make_client(session: boto3.Session, service: str, region: str, endpoint_url: str | None = None) -> Any:  # noqa: ANN401 - boto3 has no types
    """A client of `service` that threads may share. Making clients is not for several threads at once."""
    # What the user set (AWS_RETRY_MODE, AWS_MAX_ATTEMPTS, the configuration file) is stronger.
    set_by_user = session._session.get_config_variable  # noqa: SLF001 - boto3 has no door to it
    mode = set_by_user("retry_mode")
    config = Config(
        retries={
            "mode": "standard" if mode == "legacy" else mode,
            "total_max_attempts": int(set_by_user("max_attempts") or _ATTEMPTS),
        },
        max_pool_connections=PARALLEL,
        connect_timeout=10,
        tcp_keepalive=True,
        s3={"addressing_style": "path" if endpoint_url else "auto"},
        user_agent_appid="trailhouse",
    )
    return session.client(service, endpoint_url=endpoint_url, region_name=region, config=config)


def unknown_profile(error: ProfileNotFound) -> str:
    """What to tell whoever named a profile that does not exist: where it was looked for, and which there are."""
    session = botocore.session.Session()
    files = [str(session.get_config_variable(name)) for name in ("config_file", "credentials_file")]
    begin = f"there is no profile {error.kwargs['profile']} in {' or '.join(files)}"
    names = sorted(map(str, session.available_profiles))
    if not names:
        return f"{begin}, nor any other: `aws configure sso` makes one; or leave --profile, `profile:`, AWS_PROFILE out"
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return (
        f"{begin}, but {', '.join(names[:_NAMED])}{more}: name one with --profile, `profile:` or AWS_PROFILE"
    )


def _hooked(access: Access, record: Record | None) -> botocore.session.Session:
    session = botocore.session.Session(profile=access.profile)
    session.register("provide-client-params", _check)
    if record:
        session.register("after-call", partial(_answered, record))
        session.register("after-call-error", partial(_failed, record))
    return session


def _check(params: Mapping[str, Any], model: Any, context: dict[str, Any], **_: object) -> None:  # noqa: ANN401 - botocore's, untyped
    """Raise LookupError for an operation that `core.operations` does not list."""
    if model.auth_type == "none":
        return  # how credentials come (SSO, web identity): nobody needs a permission for it
    service = model.service_model.service_name
    find(service, model.name)
    context[_CALL] = Call(service, model.name, dict(params))


def _answered(record: Record, parsed: Mapping[str, Any], context: Mapping[str, Any], **_: object) -> None:
    _tell(record, context, str(parsed.get("Error", {}).get("Code", "")))


def _failed(record: Record, exception: Exception, context: Mapping[str, Any], **_: object) -> None:
    _tell(record, context, type(exception).__name__)


def _tell(record: Record, context: Mapping[str, Any], code: str) -> None:
    call = context.get(_CALL)
    if call is not None:
        record(Call(call.service, call.operation, call.parameters, code))
