"""The gate: every call to AWS leaves through it, is on the list, and comes back as an answer or an error of ours."""

from collections.abc import Callable, Iterator
from functools import cached_property
from threading import Lock
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from trailhouse.aws.access import Access, partition_of
from trailhouse.aws.refusal import Where, explained
from trailhouse.aws.session import Call, make_client, open_session
from trailhouse.core.operations import find
from trailhouse.errors import AwsError, UsageError

__all__ = ["Call", "Gate", "partition_of"]


class Gate:
    """Calls to AWS in one region with one identity; for many threads.

    Attributes:
        access: what it was made from.
        endpoint_url: where every service answers, None: AWS (or what botocore's own AWS_ENDPOINT_URL names).
    """

    def __init__(
        self, access: Access, *, endpoint_url: str | None = None, record: Callable[[Call], None] | None = None
    ) -> None:
        """Make no call yet.

        Args:
            access: profile, role, region.
            endpoint_url: instead of the access's.
            record: hears of every call that is made, from any thread.

        Raises:
            CredentialsError: there is no such profile, or nothing to assume the role with.
        """
        self.access = access
        self.endpoint_url = endpoint_url or access.endpoint_url
        self._lock = Lock()
        self._clients: dict[str, Any] = {}
        self._account = ""
        try:
            self.session = open_session(access, record)
        except BotoCoreError as error:
            raise explained(error, "sts", "AssumeRole", {}, Where()) from error

    @cached_property
    def region(self) -> str:
        """Region of the services. Raises UsageError when nothing names it."""
        found = self.access.region or self.session.region_name or ("us-east-1" if self.endpoint_url else None)
        if not found:
            raise UsageError(
                "no AWS region is set: give --aws-region, or set `region:` or AWS_DEFAULT_REGION"
            )
        return str(found)

    @cached_property
    def partition(self) -> str:
        """`aws`, `aws-us-gov`, `aws-cn`, by the region."""
        return partition_of(self.region)

    def account(self) -> str:
        """Account of the caller; asked for once. Raises AwsError."""
        if not self._account:
            self._account = str(self.call("sts", "GetCallerIdentity")["Account"])
        return self._account

    def call(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - AWS's own
        """The answer.

        Args:
            service: the client's name, such as `glue`.
            operation: as the service's model spells it, such as `GetTable`.
            **parameters: the call's own.

        Raises:
            LookupError: `core.operations` does not list it.
            AwsError: of the kind that fits. What a batch answers for each of its parts is the caller's to read.
        """
        find(service, operation)
        try:
            answer: dict[str, Any] = getattr(self.client(service), xform_name(operation))(**parameters)
        except (BotoCoreError, ClientError) as error:
            raise self._explained(error, service, operation, parameters) from error
        return answer

    def pages(self, service: str, operation: str, /, **parameters: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - AWS's own
        """The answers, page by page, each fetched when asked for. Raises as `call` does."""
        find(service, operation)
        try:
            yield from self.client(service).get_paginator(xform_name(operation)).paginate(**parameters)
        except (BotoCoreError, ClientError) as error:
            raise self._explained(error, service, operation, parameters) from error

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 has no types
        """Botocore's client of a service, for streams and waiters; its errors are botocore's, see `translate`."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = make_client(self.session, service, self.region, self.endpoint_url)
            return self._clients[service]

    def translate(self, error: BotoCoreError | ClientError, service: str, operation: str) -> AwsError:
        """The error of ours for one that a client from here raised."""
        return self._explained(error, service, operation, {})

    def _explained(
        self, error: BotoCoreError | ClientError, service: str, operation: str, parameters: dict[str, Any]
    ) -> AwsError:
        where = Where(self.partition, self.region, self._account)
        return explained(error, service, operation, parameters, where)
