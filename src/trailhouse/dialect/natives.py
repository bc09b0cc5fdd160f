"""Functions in Python that DuckDB calls where its own would differ from Athena's.

Each takes and returns text (or lists and maps of text); `macros.sql` gives them Athena's types.
NULL in gives NULL out without a call.
"""

import base64
import ipaddress
import re
import zlib
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Context, Decimal
from hashlib import sha512
from types import MappingProxyType
from typing import Any
from urllib.parse import quote_plus, unquote_plus, urlsplit

from trailhouse.dialect import json_text
from trailhouse.dialect.json_text import JsonError, Members, Number

_WIDE = Context(prec=80)
_MAPPED = 0xFFFF  # what stands before an IPv4 address in IPv6
_IPV4_MAPPED = _MAPPED << 32
_V4 = 4


class NativeError(ValueError):
    """A value that Athena refuses, in Athena's words."""


def json_extract(text: str, path: str) -> str | None:
    """Return the JSON text at a path, None where there is nothing or the text is malformed."""
    there, value = json_text.find(text, path)
    return json_text.canonical(value) if there else None


def json_scalar(text: str, path: str) -> str | None:
    """Return the scalar at a path as it is written."""
    return json_text.scalar(json_text.find(text, path)[1])


def json_parse(text: str) -> str:
    """Return JSON text in canonical form, names sorted; raises NativeError if malformed."""
    try:
        return json_text.canonical(json_text.parse(text), sort=True)
    except JsonError:
        raise NativeError(f"Cannot convert value to JSON: '{text}'") from None


def _lenient(text: str) -> json_text.Json:
    try:
        return json_text.parse(text)
    except JsonError:
        return None


def json_array_length(text: str) -> int | None:
    """Return the number of items of a JSON array, None if it is none."""
    value = _lenient(text)
    return len(value) if isinstance(value, list) else None


def json_array_contains(text: str, wanted: str, kind: str) -> bool | None:
    """Tell whether a JSON array holds a scalar of this kind: text, number, double or boolean."""
    items = _lenient(text)
    if not isinstance(items, list):
        return None
    return any(_same(item, wanted, kind) for item in items)


def _same(item: json_text.Json, wanted: str, kind: str) -> bool:
    if isinstance(item, Number):
        whole = item.lstrip("-").isdecimal()
        return (kind == "number" and whole and int(item) == int(wanted)) or (
            kind == "double" and not whole and float(item) == float(wanted)
        )
    if isinstance(item, bool):
        return kind == "boolean" and item == (wanted == "true")
    return kind == "text" and item == wanted


def json_size(text: str, path: str) -> int | None:
    """Return the number of members or items at a path, 0 for a scalar."""
    there, value = json_text.find(text, path)
    if not there:
        return None
    if isinstance(value, Members):
        return len(value.pairs)
    return len(value) if isinstance(value, list) else 0


def is_json_scalar(text: str) -> bool:
    """Tell whether JSON text is a scalar; raises NativeError if malformed."""
    return not json_parse(text).startswith(("{", "["))


def _value(text: str, kind: str) -> json_text.Json:
    value = json_text.parse(text)
    if isinstance(value, list | Members):
        raise NativeError(f"Cannot cast '{text}' to {kind}")
    return value


def json_varchar(text: str) -> str | None:
    """CAST(json AS varchar)."""
    value = _value(text, "varchar")
    if isinstance(value, Number) and not value.lstrip("-").isdecimal():
        return json_text.scientific(float(value))
    return json_text.scalar(value)


def json_bigint(text: str) -> int | None:
    """CAST(json AS bigint): doubles are rounded, half up."""
    value = _value(text, "bigint")
    if value is None:
        return None
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, Number) and not value.lstrip("-").isdecimal():
        return int(Decimal(value).quantize(Decimal(1), ROUND_HALF_UP, _WIDE))
    return _whole(str(value), text)


def _whole(text: str, whole: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", text) or not -(2**63) <= int(text) < 2**63:
        raise NativeError(f"Cannot cast '{whole}' to bigint")
    return int(text)


def json_double(text: str) -> float | None:
    """CAST(json AS double)."""
    value = _value(text, "double")
    try:
        return None if value is None else float(value)  # type: ignore[arg-type]  # lists are refused above
    except ValueError:
        raise NativeError(f"Cannot cast '{text}' to double") from None


def json_boolean(text: str) -> bool | None:
    """CAST(json AS boolean)."""
    value = _value(text, "boolean")
    if isinstance(value, Number):
        return float(value) != 0
    if isinstance(value, str):
        if value.lower() not in ("true", "false"):
            raise NativeError(f"Cannot cast '{text}' to boolean")
        return value.lower() == "true"
    return None if value is None else bool(value)


def json_items(text: str) -> list[str] | None:
    """Return the items of a JSON array as JSON texts."""
    value = json_text.parse(text)
    if value is None:
        return None
    if not isinstance(value, list):
        raise NativeError(f"Cannot cast to array. Expected a json array, but got '{text}'")
    return [json_text.canonical(item) for item in value]


def json_members(text: str) -> list[dict[str, str]] | None:
    """Return the members of a JSON object as names and JSON texts."""
    value = json_text.parse(text)
    if value is None:
        return None
    if not isinstance(value, Members):
        raise NativeError(f"Cannot cast to map. Expected a json object, but got '{text}'")
    return [
        {"key": json_text.printable(name), "value": json_text.canonical(item)}
        for name, item in dict(value.pairs).items()
    ]


def json_field(text: str, name: str, place: int) -> str | None:
    """Return a row's field from a JSON object (by name, in any case) or array (by place)."""
    value = json_text.parse(text)
    if isinstance(value, list):
        return json_text.canonical(value[place]) if place < len(value) else None
    if isinstance(value, Members):
        for member, item in value.pairs:
            if member.lower() == name.lower():
                return json_text.canonical(item)
        return None
    raise NativeError(f"Cannot cast to row. Expected a json array or object, but got '{text}'")


def json_string(text: str) -> str:
    """CAST(varchar AS json)."""
    return json_text.quoted(text)


def double_varchar(value: float) -> str:
    """CAST(double AS varchar)."""
    return json_text.scientific(value)


def double_plain(value: float) -> str:
    """Return a double as format('%s') and JSON write it."""
    return json_text.plain(value)


def decimal_divide(left: str, right: str, scale: int) -> str:
    """Divide two decimals, rounding half up to a scale."""
    if not Decimal(right):
        raise NativeError("Division by zero")
    return str(
        _WIDE.divide(Decimal(left), Decimal(right)).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP, _WIDE)
    )


def ip_number(text: str) -> str:
    """Return an address as the number that orders it, IPv4 mapped into IPv6."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise NativeError(f"Cannot cast value to IPADDRESS: {text}") from None
    return str(int(address) + _IPV4_MAPPED if address.version == _V4 else int(address))


def ip_text(number: str) -> str:
    """Return the text of an address given as a number."""
    value = int(number)
    if value >> 32 == _MAPPED:
        return str(ipaddress.IPv4Address(value & 0xFFFFFFFF))
    return str(ipaddress.IPv6Address(value))


def ip_prefix(text: str) -> list[str]:
    """Return first address, last address (as numbers) and length of a network written as address/length."""
    address, slash, length = text.partition("/")
    number = ip_number(address)
    mapped = int(number) >> 32 == _MAPPED
    width = 32 if mapped else 128
    if not slash or not length.isdecimal() or int(length) > width:
        raise NativeError(f"Cannot cast value to IPPREFIX: {text}")
    size = 1 << (width - int(length))
    first = int(number) & ~(size - 1)
    return [str(first), str(first + size - 1), length]


def regexp_part(text: str, pattern: str, group: int) -> str | None:
    """Return a group of the first match, None if the group took no part in it."""
    found = re.search(pattern, text)
    return found.group(group) if found else None


def regexp_template(replacement: str) -> str:
    """Turn Athena's replacement text ($1, ${name}, backslash escapes) into RE2's."""

    def turn(found: re.Match[str]) -> str:
        whole = found.group()
        if whole.startswith("$"):
            if not whole[1:].isdecimal():
                raise NativeError(f"Illegal group reference in replacement: {whole}")
            return "\\" + whole[1:]
        return "\\\\" if whole in ("\\\\", "\\") else whole[1:]

    return re.sub(r"\$(?:[0-9]|\{\w+\}|)|\\(?:.|$)", turn, replacement)


def split_limit(text: str, delimiter: str, limit: int) -> list[str]:
    """Split into at most `limit` parts; the last keeps the rest."""
    if not delimiter or limit < 1:
        raise NativeError("split needs a delimiter and a positive limit")
    return text.split(delimiter, limit - 1)


def levenshtein(left: str, right: str) -> int:
    """Return the number of edits between two texts."""
    row = list(range(len(right) + 1))
    for above, one in enumerate(left, 1):
        corner, row[0] = row[0], above
        for at, other in enumerate(right, 1):
            corner, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, corner + (one != other))
    return row[-1]


def url_part(url: str, part: str) -> str | None:
    """Return a part of a URL; the path and the query are '' when absent, the rest is None."""
    try:
        parts = urlsplit(url)
        value = {
            "scheme": parts.scheme,
            "host": parts.netloc.rpartition("@")[2].rpartition(":")[0] or parts.netloc.rpartition("@")[2],
            "port": str(parts.port) if parts.port is not None else None,
            "path": parts.path,
            "query": parts.query,
            "fragment": parts.fragment,
        }[part]
    except ValueError:
        return None
    return (
        None
        if re.search(r"[\s<>\"{}|\\^`]", url)
        else unquote_plus(value.replace("+", "%2B"))
        if value
        else value
    )


def url_parameter(url: str, name: str) -> str | None:
    """Return the value of the first query parameter of a name."""
    for pair in urlsplit(url).query.split("&"):
        key, _, value = pair.partition("=")
        if key == name:
            return unquote_plus(value)
    return None


def url_encode(text: str) -> str:
    """Escape text for a query parameter."""
    return quote_plus(text, safe="*-._").replace("~", "%7E")


def url_decode(text: str) -> str:
    """Undo url_encode."""
    return unquote_plus(text)


def utf8_text(value: bytes) -> str:
    """Return bytes as text, invalid ones replaced by U+FFFD."""
    return value.decode("utf-8", "replace")


def base64_bytes(text: str) -> bytes:
    """Decode base64; raises NativeError for other text."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        raise NativeError("Input is not valid base64") from None


def sha512_bytes(value: bytes) -> bytes:
    """Return the SHA-512 of bytes."""
    return sha512(value).digest()


def crc32_number(value: bytes) -> int:
    """Return the CRC-32 of bytes."""
    return zlib.crc32(value)


def from_base(text: str, radix: int) -> int:
    """Read a whole number written in a radix."""
    try:
        return int(text, radix)
    except ValueError:
        raise NativeError(f"Not a valid base-{radix} number: {text}") from None


_TEXTS = "VARCHAR"
NATIVES: Mapping[str, tuple[Callable[..., Any], tuple[str, ...], str]] = MappingProxyType(
    {
        "json_extract": (json_extract, (_TEXTS, _TEXTS), "VARCHAR"),
        "json_scalar": (json_scalar, (_TEXTS, _TEXTS), "VARCHAR"),
        "json_parse": (json_parse, (_TEXTS,), "VARCHAR"),
        "json_array_length": (json_array_length, (_TEXTS,), "BIGINT"),
        "json_array_contains": (json_array_contains, (_TEXTS, _TEXTS, _TEXTS), "BOOLEAN"),
        "json_size": (json_size, (_TEXTS, _TEXTS), "BIGINT"),
        "is_json_scalar": (is_json_scalar, (_TEXTS,), "BOOLEAN"),
        "json_varchar": (json_varchar, (_TEXTS,), "VARCHAR"),
        "json_bigint": (json_bigint, (_TEXTS,), "BIGINT"),
        "json_double": (json_double, (_TEXTS,), "DOUBLE"),
        "json_boolean": (json_boolean, (_TEXTS,), "BOOLEAN"),
        "json_items": (json_items, (_TEXTS,), "VARCHAR[]"),
        "json_members": (json_members, (_TEXTS,), "STRUCT(key VARCHAR, value VARCHAR)[]"),
        "json_field": (json_field, (_TEXTS, _TEXTS, "BIGINT"), "VARCHAR"),
        "json_string": (json_string, (_TEXTS,), "VARCHAR"),
        "double_varchar": (double_varchar, ("DOUBLE",), "VARCHAR"),
        "double_plain": (double_plain, ("DOUBLE",), "VARCHAR"),
        "decimal_divide": (decimal_divide, (_TEXTS, _TEXTS, "BIGINT"), "VARCHAR"),
        "ip_number": (ip_number, (_TEXTS,), "VARCHAR"),
        "ip_text": (ip_text, (_TEXTS,), "VARCHAR"),
        "ip_prefix": (ip_prefix, (_TEXTS,), "VARCHAR[]"),
        "regexp_part": (regexp_part, (_TEXTS, _TEXTS, "BIGINT"), "VARCHAR"),
        "regexp_template": (regexp_template, (_TEXTS,), "VARCHAR"),
        "split_limit": (split_limit, (_TEXTS, _TEXTS, "BIGINT"), "VARCHAR[]"),
        "levenshtein": (levenshtein, (_TEXTS, _TEXTS), "BIGINT"),
        "url_part": (url_part, (_TEXTS, _TEXTS), "VARCHAR"),
        "url_parameter": (url_parameter, (_TEXTS, _TEXTS), "VARCHAR"),
        "url_encode": (url_encode, (_TEXTS,), "VARCHAR"),
        "url_decode": (url_decode, (_TEXTS,), "VARCHAR"),
        "utf8_text": (utf8_text, ("BLOB",), "VARCHAR"),
        "base64_bytes": (base64_bytes, (_TEXTS,), "BLOB"),
        "sha512_bytes": (sha512_bytes, ("BLOB",), "BLOB"),
        "crc32_number": (crc32_number, ("BLOB",), "BIGINT"),
        "from_base": (from_base, (_TEXTS, "BIGINT"), "BIGINT"),
    }
)
