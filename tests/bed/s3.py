"""S3's protocol over buckets in memory: what the product, Trino, PyIceberg and obstore ask of it."""

from __future__ import annotations

import hashlib
import re
import time
import uuid
from email.utils import formatdate
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import msgspec

from bed import wire
from bed.buckets import ACCOUNT, Bucket, Stored
from bed.faults import Call, Cut, Fault, Log, Refused
from bed.transport import Answer, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Shown = Callable[[str, Stored], bytes]

ARCHIVES = {"GLACIER", "DEEP_ARCHIVE"}


class Buckets:
    """The buckets of an emulated AWS; shared by the views of it."""

    def __init__(self) -> None:
        self.all: dict[str, Bucket] = {}
        self.aliases: dict[str, str] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.page = 1000

    def make(self, name: str, region: str = "us-east-1", owner: str = ACCOUNT) -> Bucket:
        """A new bucket, or the one that is there."""
        return self.all.setdefault(name, Bucket(name, region, owner))

    def find(self, name: str) -> Bucket:
        """A bucket by name or access point alias."""
        found = self.all.get(self.aliases.get(name, name))
        if found is None:
            raise Refused("NoSuchBucket", "The specified bucket does not exist", 404)
        return found


class S3:
    """One view of the buckets. `shown` may show objects other than they are stored; it takes key and object.

    `log` counts by operation, and knows each request: `log.calls[n].parameters` has Bucket, Key, Prefix, Caller.
    Faults of `bed.faults` apply; `Fault("GetObject", cut="during")` breaks off in the middle of a body.
    """

    def __init__(self, buckets: Buckets, shown: Shown | None = None) -> None:
        self.buckets = buckets
        self.shown = shown or (lambda _key, stored: stored.body)
        self.log = Log()

    def __call__(self, request: Request) -> Answer:
        """Answer a request."""
        name, _, key = request.path.lstrip("/").partition("/")
        operation = _operation(request, name, key)
        asked = {"Bucket": name, "Key": key, "Prefix": request.query.get("prefix"), "Caller": request.credential[0],
                 "Delimiter": request.query.get("delimiter"), "Range": request.headers.get("Range")}  # fmt: skip
        call = Call(operation, msgspec.json.encode({n: v for n, v in asked.items() if v}))
        struck = self.log.note(call)
        try:
            _strike(struck, operation)
            answer = self._do(operation, request, name, key)
        except Refused as refused:
            self.log.refusal(call, refused)
            return wire.error(refused, request)
        if any(fault.cut == "after" for fault in struck):
            raise Cut(operation)
        if any(fault.cut == "during" for fault in struck):
            answer.sent = len(answer.body) // 2
        return answer

    def _do(self, operation: str, request: Request, name: str, key: str) -> Answer:
        if operation == "ListBuckets":
            return self._list_buckets()
        if operation == "CreateBucket":
            found = re.search(rb"<LocationConstraint>(.*?)<", request.body)
            self.buckets.make(name, found[1].decode() if found else "us-east-1")
            return Answer(headers={"Location": f"/{name}"})
        bucket = self.buckets.find(name)
        _permit(bucket, request)
        if operation in _ON_BUCKETS:
            return _ON_BUCKETS[operation](self, bucket, request)
        if operation in _ON_OBJECTS:
            return _ON_OBJECTS[operation](self, bucket, key, request)
        raise Refused("NotImplemented", f"the bed's S3 has no {operation}", 501)

    # -- buckets

    def _list_buckets(self) -> Answer:
        items = "".join(
            f"<Bucket><Name>{name}</Name><CreationDate>{wire.iso(bucket.made)}</CreationDate></Bucket>"
            for name, bucket in sorted(self.buckets.all.items())
        )
        return wire.xml("ListAllMyBucketsResult", f"<Buckets>{items}</Buckets>")

    def _head_bucket(self, bucket: Bucket, _request: Request) -> Answer:
        return Answer(headers={"x-amz-bucket-region": bucket.region})

    def _location(self, bucket: Bucket, _request: Request) -> Answer:
        region = "" if bucket.region == "us-east-1" else bucket.region
        return Answer(body=f"<LocationConstraint {wire.NAMESPACE}>{region}</LocationConstraint>".encode())

    def _delete_bucket(self, bucket: Bucket, _request: Request) -> Answer:
        if bucket.objects:
            raise Refused("BucketNotEmpty", "The bucket you tried to delete is not empty", 409)
        del self.buckets.all[bucket.name]
        return Answer(204)

    def _list(self, bucket: Bucket, request: Request) -> Answer:
        query = request.query
        second = query.get("list-type") == "2"
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        size = min(int(query.get("max-keys") or 1000), self.buckets.page)
        token = query.get("continuation-token" if second else "marker", "")
        after = bytes.fromhex(token).decode() if second and token else token or query.get("start-after", "")
        page = bucket.page(prefix, delimiter, after, size)
        restores = "RestoreStatus" in (request.headers.get("x-amz-optional-object-attributes") or "")
        urls = query.get("encoding-type") == "url"
        name = (lambda text: quote(text, safe="/")) if urls else escape
        parts = [f"<Name>{bucket.name}</Name><Prefix>{name(prefix)}</Prefix><MaxKeys>{size}</MaxKeys>"]
        parts.append(
            f"<EncodingType>url</EncodingType>{wire.delimiter(name(delimiter))}"
            if urls
            else wire.delimiter(name(delimiter))
        )
        parts.append(wire.paging(page, token, name, second=second))
        for key in page.keys:
            stored = bucket.objects.get(key)
            if stored is not None:
                parts.append(self._entry(name(key), key, stored, restores=restores))
        parts += [
            f"<CommonPrefixes><Prefix>{name(folder)}</Prefix></CommonPrefixes>" for folder in page.prefixes
        ]
        return wire.xml("ListBucketResult", "".join(parts))

    def _entry(self, name: str, key: str, stored: Stored, *, restores: bool) -> str:
        restore = ""
        if restores and stored.restore:
            running = stored.restore == "running"
            until = (
                "" if running else f"<RestoreExpiryDate>{wire.iso(float(stored.restore))}</RestoreExpiryDate>"
            )
            restore = f"<IsRestoreInProgress>{str(running).lower()}</IsRestoreInProgress>{until}"
            restore = f"<RestoreStatus>{restore}</RestoreStatus>"
        return (
            f"<Contents><Key>{name}</Key><LastModified>{wire.iso(stored.modified)}</LastModified>"
            f"<ETag>{escape(stored.etag)}</ETag><Size>{len(self.shown(key, stored))}</Size>"
            f"<StorageClass>{stored.storage_class}</StorageClass>{restore}</Contents>"
        )

    def _delete_many(self, bucket: Bucket, request: Request) -> Answer:
        keys = [key.text or "" for key in _elements(request) if key.tag.endswith("Key")]
        for key in keys:
            bucket.remove(key)
        return wire.xml(
            "DeleteResult", "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys)
        )

    # -- objects

    def _get(self, bucket: Bucket, key: str, request: Request) -> Answer:
        stored = _stored(bucket, key)
        if request.method == "GET" and stored.storage_class in ARCHIVES and not _restored(stored):
            raise Refused(
                "InvalidObjectState", "The operation is not valid for the object's storage class", 403
            )
        if (match := request.headers.get("If-None-Match")) and match in (stored.etag, stored.etag.strip('"')):
            return Answer(304, headers={"ETag": stored.etag})
        if (match := request.headers.get("If-Match")) and match.strip('"') != stored.etag.strip('"'):
            raise Refused(
                "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412
            )
        body = self.shown(key, stored)
        headers = {"ETag": stored.etag, "Last-Modified": formatdate(stored.modified, usegmt=True),
                   "Date": formatdate(time.time(), usegmt=True),
                   "Accept-Ranges": "bytes", "content-type": "binary/octet-stream", **stored.headers}  # fmt: skip
        if stored.storage_class != "STANDARD":
            headers["x-amz-storage-class"] = stored.storage_class
        if stored.restore:
            headers["x-amz-restore"] = _restore_header(stored.restore)
        return wire.ranged(request.headers.get("Range"), body, headers)

    def _put(self, bucket: Bucket, key: str, request: Request) -> Answer:
        if request.headers.get("x-amz-copy-source"):
            source = unquote(request.headers["x-amz-copy-source"])
            from_bucket, _, from_key = source.lstrip("/").partition("/")
            stored = _stored(self.buckets.find(from_bucket), from_key)
            bucket.store(key, Stored(stored.body, stored.etag, time.time(), dict(stored.headers)))
            return wire.xml(
                "CopyObjectResult",
                f"<ETag>{escape(stored.etag)}</ETag><LastModified>{wire.iso(time.time())}</LastModified>",
            )
        return self._store(bucket, key, request, wire.payload(request), wire.kept(request))

    def _store(
        self, bucket: Bucket, key: str, request: Request, body: bytes, headers: dict[str, str]
    ) -> Answer:
        with bucket.lock:  # looking and storing are one act
            there = bucket.objects.get(key)
            wanted = request.headers.get("If-Match")
            if request.headers.get("If-None-Match") == "*" and there is not None:
                raise Refused(
                    "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412
                )
            if wanted and there is None:
                raise Refused("NoSuchKey", "The specified key does not exist.", 404)
            if wanted and there is not None and wanted.strip('"') != there.etag.strip('"'):
                raise Refused(
                    "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412
                )
            stored = bucket.put(
                key, body, storage_class=request.headers.get("x-amz-storage-class") or "STANDARD"
            )
            stored.headers.update(headers)
        return Answer(headers={"ETag": stored.etag})

    def _delete(self, bucket: Bucket, key: str, _request: Request) -> Answer:
        bucket.remove(key)
        return Answer(204)

    def _restore(self, bucket: Bucket, key: str, _request: Request) -> Answer:
        _stored(bucket, key).restore = "running"
        return Answer(202)

    # -- uploads in parts

    def _upload(self, bucket: Bucket, key: str, _request: Request) -> Answer:
        upload = uuid.uuid4().hex
        self.buckets.uploads[upload] = {}
        named = f"<Bucket>{bucket.name}</Bucket><Key>{escape(key)}</Key><UploadId>{upload}</UploadId>"
        return wire.xml("InitiateMultipartUploadResult", named)

    def _part(self, _bucket: Bucket, _key: str, request: Request) -> Answer:
        body = wire.payload(request)
        self._parts(request)[int(request.query["partNumber"])] = body
        return Answer(headers={"ETag": f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'})

    def _complete(self, bucket: Bucket, key: str, request: Request) -> Answer:
        parts = self._parts(request)
        wanted = [int(e.text or 0) for e in _elements(request) if e.tag.endswith("PartNumber")]
        if not set(wanted) <= set(parts):
            raise Refused("InvalidPart", "One or more of the specified parts could not be found.")
        answer = self._store(bucket, key, request, b"".join(parts[number] for number in wanted), {})
        self.buckets.uploads.pop(request.query["uploadId"])
        named = f"<Bucket>{bucket.name}</Bucket><Key>{escape(key)}</Key><ETag>{escape(answer.headers['ETag'])}</ETag>"
        return wire.xml("CompleteMultipartUploadResult", named)

    def _abort(self, _bucket: Bucket, _key: str, request: Request) -> Answer:
        self._parts(request)
        self.buckets.uploads.pop(request.query["uploadId"])
        return Answer(204)

    def _parts(self, request: Request) -> dict[int, bytes]:
        found = self.buckets.uploads.get(request.query["uploadId"])
        if found is None:
            raise Refused("NoSuchUpload", "The specified upload does not exist.", 404)
        return found


_ON_BUCKETS = {
    "HeadBucket": S3._head_bucket, "GetBucketLocation": S3._location, "DeleteBucket": S3._delete_bucket,
    "ListObjectsV2": S3._list, "ListObjects": S3._list, "DeleteObjects": S3._delete_many,
}  # fmt: skip
_ON_OBJECTS = {
    "GetObject": S3._get, "HeadObject": S3._get, "PutObject": S3._put, "DeleteObject": S3._delete,
    "CreateMultipartUpload": S3._upload, "UploadPart": S3._part, "CompleteMultipartUpload": S3._complete,
    "AbortMultipartUpload": S3._abort, "RestoreObject": S3._restore,
}  # fmt: skip
# Words in the query that make another operation of a request.
WORDS = {
    "GET": {"location": "GetBucketLocation"}, "POST": {"delete": "DeleteObjects", "uploads": "CreateMultipartUpload",
    "uploadId": "CompleteMultipartUpload", "restore": "RestoreObject"},
    "PUT": {"uploadId": "UploadPart"}, "DELETE": {"uploadId": "AbortMultipartUpload"},
}  # fmt: skip
PLAIN = {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
PLAIN_BUCKET = {"HEAD": "HeadBucket", "PUT": "CreateBucket", "DELETE": "DeleteBucket"}


def _operation(request: Request, name: str, key: str) -> str:
    for word, operation in WORDS.get(request.method, {}).items():
        if word in request.query:
            return operation
    if key:
        return PLAIN.get(request.method, request.method)
    if not name:
        return "ListBuckets"
    if request.method == "GET":
        return "ListObjectsV2" if request.query.get("list-type") == "2" else "ListObjects"
    return PLAIN_BUCKET.get(request.method, request.method)


def _strike(struck: list[Fault], operation: str) -> None:
    for fault in struck:
        fault.hold()
        if fault.cut == "before":
            raise Cut(operation)
        if fault.code:
            raise Refused(*_AS_S3.get(fault.code, (fault.code, fault.message, fault.status)))


_AS_S3 = {
    "ThrottlingException": ("SlowDown", "Please reduce your request rate.", 503),
    "InternalServiceException": ("InternalError", "We encountered an internal error. Please try again.", 500),
    "AccessDeniedException": ("AccessDenied", "Access Denied", 403),
    "ExpiredTokenException": ("ExpiredToken", "The provided token has expired.", 400),
}


def _elements(request: Request) -> Iterator[ET.Element]:
    return ET.fromstring(request.body).iter()  # noqa: S314 - of our own clients


def _permit(bucket: Bucket, request: Request) -> None:
    owner = request.headers.get("x-amz-expected-bucket-owner")
    if owner and owner != bucket.owner:
        raise Refused("AccessDenied", "Access Denied", 403)
    if bucket.requester_pays and request.headers.get("x-amz-request-payer") != "requester":
        raise Refused("AccessDenied", "Access Denied", 403)


def _stored(bucket: Bucket, key: str) -> Stored:
    found = bucket.objects.get(key)
    if found is None:
        raise Refused("NoSuchKey", "The specified key does not exist.", 404)
    return found


def _restored(stored: Stored) -> bool:
    return stored.restore not in ("", "running") and float(stored.restore) > time.time()


def _restore_header(restore: str) -> str:
    if restore == "running":
        return 'ongoing-request="true"'
    return f'ongoing-request="false", expiry-date="{formatdate(float(restore), usegmt=True)}"'
