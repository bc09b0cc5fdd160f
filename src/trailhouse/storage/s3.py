"""S3: botocore lists (exact keys, storage classes, owner checks), obstore reads, many at once.

obstore cannot address every key that S3 takes (`//`, `/./`, control characters), and says little when
something fails: such keys and every failure go through botocore.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, BinaryIO

import boto3
import obstore
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    ProfileNotFound,
)
from obstore.auth.boto3 import Boto3CredentialProvider
from obstore.exceptions import BaseError
from obstore.store import S3Store

from trailhouse.aws.access import Access
from trailhouse.aws.session import PARALLEL, make_client, open_session, unknown_profile
from trailhouse.errors import SourceError, StorageError
from trailhouse.storage.access import Location, overlap
from trailhouse.storage.archives import stream
from trailhouse.storage.files import changed
from trailhouse.storage.objects import READ_LIMIT, SkippedNames, StoredObject, printable, too_large

_AHEAD = 128
_AHEAD_BYTES = 256 << 20
_PIECE = 1 << 20
_ARCHIVED = {"GLACIER", "DEEP_ARCHIVE"}
# What obstore surely sends as it is; all that CloudTrail writes is among it.
_PLAIN_KEY = re.compile(r"(?:(?!\.{1,2}(?:/|\Z))[A-Za-z0-9!_.*'()=,@:+-]+(?:/(?!\Z)|\Z))+\Z")
_ARCHIVE_NAME = re.compile(r"\.(?:zip|tar|tgz|tar\.gz|7z|rar)\Z", re.IGNORECASE)
_ARCHIVED_HELP = "it is archived: restore it (aws s3api restore-object), wait, and run again"
_CREDENTIALS_HELP = "log in again (aws sso login, or new keys), or choose another --profile"
_DENIED_HELP = "access is denied: allow it to the caller (policy, bucket policy, KMS key), or use --role-arn"
_HELP = {
    "NoSuchBucket": "there is no such bucket: check the name and the account (--profile)",
    "NoSuchKey": "it is gone: run again, the listing is out of date",
    "404": "there is no such thing: check the name",
    "AccessDenied": _DENIED_HELP,
    "403": _DENIED_HELP,
    "AllAccessDisabled": "the bucket is closed: ask its owner",
    "InvalidObjectState": _ARCHIVED_HELP,
    "PreconditionFailed": "it changed after it was listed: run again when nothing writes to it",
    "ExpiredToken": f"the credentials have expired: {_CREDENTIALS_HELP}",
    "ExpiredTokenException": f"the credentials have expired: {_CREDENTIALS_HELP}",
    "RequestExpired": "the request came too late: set this machine's clock",
    "RequestTimeTooSkewed": "this machine's clock is wrong: set it",
    "InvalidAccessKeyId": f"the access key is unknown: {_CREDENTIALS_HELP}",
    "SignatureDoesNotMatch": f"the secret key is wrong: {_CREDENTIALS_HELP}",
    "InvalidToken": f"the session token is wrong: {_CREDENTIALS_HELP}",
    "PermanentRedirect": "the bucket is in another region: give its --region",
    "SlowDown": "S3 asks for fewer requests: run again later",
}


@dataclass
class S3Storage:
    """Objects below a prefix of a bucket, or one object.

    Attributes:
        label: unique among the sources of one call.
        uri: `s3://bucket/prefix`.
        bucket: its name.
        prefix: "" or with a slash at its end.
        access: how to get there.
        skipped: nothing; all that S3 lists is listed.
    """

    label: str
    uri: str
    bucket: str
    prefix: str
    access: Access
    skipped: SkippedNames = field(default_factory=SkippedNames)
    _single: str = ""
    _client: Any = None
    _store: S3Store | None = None

    def list(self) -> Iterator[StoredObject]:
        """Every object, in the order of keys. Raises StorageError."""
        found = False
        for entry in self._entries(self.prefix):
            found = True
            if entry["Key"] != self.prefix or entry["Size"]:  # the folder's own mark is no object below it
                yield self._object(entry, entry["Key"][len(self.prefix) :])
        single = self.prefix.removesuffix("/")
        if found or not single:
            return
        first = next(self._entries(single, MaxKeys=1), None)
        if first is not None and first["Key"] == single:
            if _ARCHIVE_NAME.search(single):
                raise StorageError(
                    f"{self._place(single)} is an archive: copy it here, and give the copy as source"
                )
            self._single = single
            yield self._object(first, single.rpartition("/")[2])

    def read(self, item: StoredObject) -> bytes:
        """The whole object. Raises StorageError."""
        if item.size > READ_LIMIT:
            raise too_large(self.uri, item.name, item.size)
        key = self._key(item)
        if _PLAIN_KEY.match(key) and item.storage_class not in _ARCHIVED:
            try:
                content = self._fast(key, item)
            except (BaseError, OSError, ValueError):
                content = None  # botocore tries again, and its errors can be explained
            if content is not None and len(content) == item.size:
                return content
        content = b"".join(self._chunks(item))
        if len(content) != item.size:
            raise changed(item.name, self.uri)
        return content

    def open(self, item: StoredObject) -> BinaryIO:
        """The object as a stream; reading it raises StorageError."""
        return stream(self._chunks(item))

    def read_many(self, items: Iterable[StoredObject]) -> Iterator[tuple[StoredObject, bytes | StorageError]]:
        """Each object with its bytes or what went wrong, in order; requests overlap in bounded memory."""
        self.connect()
        pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="s3")
        waiting: deque[tuple[StoredObject, Future[bytes | StorageError]]] = deque()
        held = 0
        try:
            for item in items:
                while waiting and (len(waiting) >= _AHEAD or held + item.size > _AHEAD_BYTES):
                    first, outcome = waiting.popleft()
                    held -= first.size
                    yield first, outcome.result()
                waiting.append((item, pool.submit(self._outcome, item)))
                held += item.size
            while waiting:
                first, outcome = waiting.popleft()
                yield first, outcome.result()
        finally:
            pool.shutdown(cancel_futures=True)

    def connect(self) -> None:
        """Make the clients. Raises StorageError when the configuration or the credentials are unusable."""
        if self._client is not None:
            return
        try:
            session = open_session(self.access)
            region = self.access.region or session.region_name or "us-east-1"
            client = make_client(session, "s3", region, self.access.endpoint_url)
            here = _bucket_region(client, self.bucket) if not self.access.endpoint_url else region
            client = client if here == region else make_client(session, "s3", here)
            self._store = self._fast_store(session, client.meta.endpoint_url, here)
            self._client = client
        except (BotoCoreError, ClientError) as error:
            raise self._explained("connect to", "", error) from error

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_client": None, "_store": None}

    def _fast_store(self, session: boto3.Session, endpoint: str, region: str) -> S3Store:
        if session.get_credentials() is None:
            raise NoCredentialsError
        return S3Store(
            self.bucket,
            endpoint=endpoint,
            region=region,
            request_payer=self.access.requester_pays,
            credential_provider=Boto3CredentialProvider(session, ttl=timedelta(minutes=5)),
            client_options={"allow_http": endpoint.startswith("http://"), "timeout": "60s"},
            retry_config={"max_retries": 4, "retry_timeout": timedelta(seconds=60)},
        )

    def _fast(self, key: str, item: StoredObject) -> bytes | None:
        self.connect()
        if self._store is None:
            return None
        options: obstore.GetOptions = {"if_match": f'"{_etag(item)}"'}
        return obstore.get(self._store, key, options=options).bytes().to_bytes()

    def _entries(self, prefix: str, **extra: int) -> Iterator[dict[str, Any]]:
        self.connect()
        try:
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=prefix, **extra, **self._parameters()
            )
            for page in pages:
                yield from page.get("Contents", ())
        except (BotoCoreError, ClientError) as error:
            raise self._explained("list", prefix, error) from error

    def _object(self, entry: dict[str, Any], name: str) -> StoredObject:
        version = entry["ETag"].strip('"') + f"-{entry['Size']}"
        return StoredObject(self.label, name, entry["Size"], version, entry.get("StorageClass", "STANDARD"))

    def _key(self, item: StoredObject) -> str:
        return self._single or self.prefix + item.name

    def _chunks(self, item: StoredObject) -> Iterator[bytes]:
        self.connect()
        key = self._key(item)
        try:
            found = self._client.get_object(
                Bucket=self.bucket, Key=key, IfMatch=f'"{_etag(item)}"', **self._parameters()
            )
            with closing(found["Body"]) as body:
                yield from body.iter_chunks(_PIECE)
        except (BotoCoreError, ClientError) as error:
            raise self._explained("read", key, error) from error

    def _outcome(self, item: StoredObject) -> bytes | StorageError:
        try:
            return self.read(item)
        except StorageError as error:
            return error

    def _parameters(self) -> dict[str, str]:
        payer = {"RequestPayer": "requester"} if self.access.requester_pays else {}
        owner = self.access.expected_owner
        return {**payer, **({"ExpectedBucketOwner": owner} if owner else {})}

    def _place(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"

    def _explained(self, action: str, key: str, error: Exception) -> StorageError:
        place = self._place(key)
        if isinstance(error, ClientError):
            code = error.response.get("Error", {}).get("Code", "")
            told = error.response.get("Error", {}).get("Message", "")
            return StorageError(f"cannot {action} {place} ({code}): {_HELP.get(code, told or str(error))}")
        if isinstance(error, NoCredentialsError):
            return StorageError(f"cannot {action} {place}: there are no AWS credentials: {_CREDENTIALS_HELP}")
        if isinstance(error, ProfileNotFound):
            return StorageError(f"cannot {action} {place}: {unknown_profile(error)}")
        if isinstance(error, ParamValidationError):
            return StorageError(
                f"cannot {action} {place}: not a name or value that AWS takes: check it ({error})"
            )
        return StorageError(
            f"cannot {action} {place}: {error}: check the network, --endpoint-url and --profile"
        )


def open_s3(locations: Sequence[Location]) -> list[S3Storage]:
    """Sources in S3, not yet contacted.

    Args:
        locations: `s3://bucket/prefix`, several, each with its access.

    Raises:
        SourceError: not of that form, or two of them overlap.
    """
    found = [_parse(location.uri, location.access) for location in locations]
    for number, one in enumerate(found):
        for other in found[:number]:
            if _server(one) == _server(other) and _nested(one.prefix, other.prefix):
                raise overlap(other.uri, one.uri)
    return found


def _server(storage: S3Storage) -> tuple[str | None, str]:
    return storage.access.endpoint_url, storage.bucket


def _parse(text: str, access: Access) -> S3Storage:
    bucket, _, prefix = text.removeprefix("s3://").partition("/")
    if not bucket:
        raise SourceError(f"source {text} names no bucket: write s3://bucket/prefix")
    try:
        prefix.encode()
    except UnicodeEncodeError as error:
        raise SourceError(f"source {printable(text)} is no UTF-8, as keys in S3 are: check it") from error
    if prefix and not prefix.endswith("/"):
        prefix += "/"  # .../CloudTrail must not mean .../CloudTrail-Digest as well
    label = next((part for part in reversed(prefix.split("/")) if part), bucket)
    return S3Storage(label, f"s3://{bucket}/{prefix}", bucket, prefix, access)


def _nested(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _etag(item: StoredObject) -> str:
    return item.version.rpartition("-")[0]


def _bucket_region(client: Any, bucket: str) -> str:  # noqa: ANN401 - boto3 has no types
    """Obstore follows no redirect to another region, so it must know."""
    here: str = client.meta.region_name
    try:
        answer = client.head_bucket(Bucket=bucket)
    except ClientError as error:
        answer = error.response
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return str(headers.get("x-amz-bucket-region", here))
