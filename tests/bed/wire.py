"""What S3 puts on the wire: XML, ranges, chunks."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from bed.faults import Refused
from bed.transport import Answer, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from bed.buckets import Page

KEPT = ("content-type", "content-encoding", "cache-control", "content-disposition")
NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


def ranged(wanted: str | None, body: bytes, headers: dict[str, str]) -> Answer:
    """An answer with the part of a body that is asked for."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted or "")
    if not match or not any(match.groups()):
        return Answer(200, body, headers)
    first, last = match.groups()
    start = int(first) if first else max(0, len(body) - int(last))
    end = min(int(last), len(body) - 1) if first and last else len(body) - 1
    if start > end:
        raise Refused("InvalidRange", "The requested range is not satisfiable", 416)
    return Answer(
        206, body[start : end + 1], {**headers, "Content-Range": f"bytes {start}-{end}/{len(body)}"}
    )


def payload(request: Request) -> bytes:
    """The body; SDKs send it in signed chunks when they stream."""
    streamed = (request.headers.get("x-amz-content-sha256") or "").startswith("STREAMING-")
    if not streamed and "aws-chunked" not in (request.headers.get("Content-Encoding") or ""):
        return request.body
    pieces, at, body = [], 0, request.body
    while True:
        end = body.index(b"\r\n", at)
        size = int(body[at:end].split(b";")[0], 16)
        if not size:
            return b"".join(pieces)
        pieces.append(body[end + 2 : end + 2 + size])
        at = end + 4 + size


def kept(request: Request) -> dict[str, str]:
    """Headers that stay with an object."""
    found = {
        name.lower(): value
        for name, value in request.headers.items()
        if name.lower().startswith("x-amz-meta-")
    }
    found |= {name: value for name in KEPT if (value := request.headers.get(name))}
    if "aws-chunked" in found.get("content-encoding", ""):
        rest = found.pop("content-encoding").replace("aws-chunked", "").strip(", ")
        found |= {"content-encoding": rest} if rest else {}
    return found


def delimiter(name: str) -> str:
    """The delimiter of a listing."""
    return f"<Delimiter>{name}</Delimiter>" if name else ""


def paging(page: Page, token: str, name: Callable[[str], str], *, second: bool) -> str:
    """How a listing goes on."""
    parts = [f"<IsTruncated>{str(bool(page.last)).lower()}</IsTruncated>"]
    if second:
        parts.append(f"<KeyCount>{len(page.keys) + len(page.prefixes)}</KeyCount>")
        parts += [f"<ContinuationToken>{token}</ContinuationToken>"] if token else []
        more = page.last.encode().hex()
        parts += [f"<NextContinuationToken>{more}</NextContinuationToken>"] if more else []
    elif page.last:
        parts.append(f"<NextMarker>{name(page.last)}</NextMarker>")
    return "".join(parts)


def iso(moment: float) -> str:
    """A moment in S3's words."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(moment))


def xml(name: str, content: str) -> Answer:
    """An answer in XML."""
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{name} {NAMESPACE}>{content}</{name}>'
    return Answer(body=text.encode(), headers={"Content-Type": "application/xml"})


def error(refused: Refused, request: Request) -> Answer:
    """An answer that refuses."""
    text = f"<Code>{refused.code}</Code><Message>{escape(refused.message)}</Message>"
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{text}</Error>'.encode()
    return Answer(
        refused.status, b"" if request.method == "HEAD" else body, {"Content-Type": "application/xml"}
    )
