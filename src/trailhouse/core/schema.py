"""The CloudTrail record, once; every type system is a rendering of it.

Column names, types and order are those of AWS's current DDL for manual partitioning
(https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table.html); the fields that it leaves out
stand at the end of their struct or of the record, so that older partitions stay readable by position.
Nothing else in the package may list columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailhouse.core.layout import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, slots=True)
class Text:
    """A string. `opaque` text is JSON kept as it was written: null is NULL, a JSON string is unquoted.

    `boolean` text may come as a JSON boolean and is then `true` or `false`.
    """

    opaque: bool = False
    boolean: bool = False


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false (only in columns of ours, never in the record)."""


@dataclass(frozen=True, slots=True)
class Count:
    """A 64-bit whole number (only in columns of ours)."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time, UTC, without a zone in its type (only in columns of ours).

    `digits` of a second, where an engine's type tells them.
    """

    digits: int = 6


@dataclass(frozen=True, slots=True)
class Struct:
    """Named fields in a fixed order; Trino matches them by position."""

    fields: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Array:
    """A list of one type."""

    item: Type


@dataclass(frozen=True, slots=True)
class TextMap:
    """A map from strings to strings."""


Type = Text | Flag | Count | Moment | Struct | Array | TextMap


@dataclass(frozen=True, slots=True)
class Column:
    """A column or a field of a struct: its SQL name, its type, its name in the JSON, what it means."""

    name: str
    type: Type
    json: str = ""
    about: str = ""


TEXT = Text()
OPAQUE = Text(opaque=True)
BOOLEAN = Text(boolean=True)
FLAG = Flag()
COUNT = Count()
MOMENT = Moment()


def _fields(*json_names: str | Column) -> tuple[Column, ...]:
    return tuple(n if isinstance(n, Column) else Column(n.lower(), TEXT, n) for n in json_names)


def _struct(name: str, *fields: str | Column) -> Column:
    return Column(name.lower(), Struct(_fields(*fields)), name)


def _opaque(name: str) -> Column:
    return Column(name.lower(), OPAQUE, name)


def _boolean(name: str) -> Column:
    return Column(name.lower(), BOOLEAN, name)


_SESSION_ISSUER = _struct("sessionIssuer", "type", "principalId", "arn", "accountId", "userName")
_USER_IDENTITY = _struct(
    "userIdentity",
    *("type", "principalId", "arn", "accountId", "invokedBy", "accessKeyId", "userName"),
    _struct("onBehalfOf", "userId", "identityStoreArn"),
    _struct(
        "sessionContext",
        _struct("attributes", _boolean("mfaAuthenticated"), "creationDate"),
        _SESSION_ISSUER,
        "ec2RoleDelivery",
        _struct("webIdFederationData", "federatedProvider", Column("attributes", TextMap(), "attributes")),
        "sourceIdentity",
        _boolean("assumedRoot"),
    ),
    _struct("invokedByDelegate", "accountId"),
    _struct("inScopeOf", "sourceArn", "sourceAccount", "issuerType", "credentialsIssuedTo"),
    "credentialId",
    "identityProvider",
)
_RESOURCES = Column(
    "resources",
    Array(
        Struct(
            (Column("arn", TEXT, "ARN"), Column("accountid", TEXT, "accountId"), Column("type", TEXT, "type"))
        )
    ),
    "resources",
)

EVENT_COLUMNS: tuple[Column, ...] = _fields(
    "eventVersion",
    _USER_IDENTITY,
    *("eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress", "userAgent"),
    *("errorCode", "errorMessage"),
    *(_opaque("requestParameters"), _opaque("responseElements"), _opaque("additionalEventData")),
    *("requestID", "eventID"),
    _RESOURCES,
    *("eventType", "apiVersion", _boolean("readOnly"), "recipientAccountId"),
    _opaque("serviceEventDetails"),
    *("sharedEventID", "vpcEndpointId", "vpcEndpointAccountId", "eventCategory"),
    _struct("addendum", "reason", _opaque("updatedFields"), "originalRequestID", "originalEventID"),
    _boolean("sessionCredentialFromConsole"),
    _opaque("edgeDeviceDetails"),
    _struct("tlsDetails", "tlsVersion", "cipherSuite", "clientProvidedHostHeader", "keyExchange"),
    _boolean("managementEvent"),
)
"""Record columns of management, data and network activity events."""

INSIGHT_COLUMNS: tuple[Column, ...] = _fields(
    *("eventVersion", "eventTime", "awsRegion", "eventID", "eventType", "recipientAccountId"),
    *("sharedEventID", "eventCategory"),
    _struct(
        "insightDetails",
        *("state", "eventSource", "eventName", "insightType", "errorCode"),
        _opaque("insightContext"),
        "sourceEventCategory",
    ),
)
"""Record columns of Insights events
(https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-insight-events.html)."""

AGGREGATED_COLUMNS: tuple[Column, ...] = _fields(
    *("eventVersion", "accountId", "eventId", "eventCategory", "eventType", "awsRegion", "eventSource"),
    _struct("timeWindow", "windowStart", "windowEnd", "windowSize"),
    _struct("summary", _opaque("primaryDimension"), _opaque("details")),
)
"""Record columns of aggregated events
(https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aggregated-events.html)."""

RECORD_COLUMNS: dict[Kind, tuple[Column, ...]] = {
    Kind.CLOUDTRAIL: EVENT_COLUMNS,
    Kind.NETWORKACTIVITY: EVENT_COLUMNS,
    Kind.INSIGHT: INSIGHT_COLUMNS,
    Kind.AGGREGATED: AGGREGATED_COLUMNS,
}
"""The record columns of each delivery kind that holds records."""

DELIVERY_COLUMNS: tuple[Column, ...] = (
    Column(
        "account", TEXT, about="account folder of the key; of a file outside any layout, the record's account"
    ),
    Column("region", TEXT, about="region folder of the key (awsregion is the event's own)"),
    Column("year", TEXT, about="year of delivery, four digits, UTC"),
    Column("month", TEXT, about="month of delivery, two digits"),
    Column("day", TEXT, about="day of delivery, two digits"),
    Column(
        "logroot", TEXT, about="bucket (here: the source) and path down to the folder of the account folders"
    ),
    Column(
        "logfile", TEXT, about="the object that delivered the record: path below the source, `archive!member`"
    ),
)
"""What a view adds after the record columns."""

EVENT_TIMESTAMP = Column(
    "eventtimestamp", Moment(digits=3), about="`eventtime` as a time, UTC; NULL if it is none"
)
"""What `cloudtrail_events` adds after the delivery columns."""

LAKE_COLUMNS: tuple[Column, ...] = (
    Column("logrecord", COUNT, about="ordinal of the record in its object, from 0"),
    Column("duplicate", FLAG, about="another row holds the same event unflagged"),
    Column("unparsed", TEXT, about="JSON object: unknown fields and values of an unexpected type, by path"),
    Column("writer", TEXT, about="`workers` (lossless) or `sql`"),
    Column("ingestedat", MOMENT, about="when the row was taken in, UTC"),
)
"""What the lake adds after the delivery columns."""

FILES_COLUMNS: tuple[Column, ...] = (
    Column("source", TEXT, about="label of the source that holds the object"),
    Column("logfile", TEXT, about="the object: path below the source, `archive!member` in an archive"),
    Column("kind", TEXT, about="delivery kind; empty where neither key nor content tells one"),
    *DELIVERY_COLUMNS[:6],
    Column("size", COUNT, about="bytes as stored"),
    Column("version", TEXT, about="changes when the object may have changed: time and size, ETag, checksum"),
    Column("sha256", TEXT, about="SHA-256 of the bytes as stored, hex; NULL if they were not read"),
    Column("jsonbytes", COUNT, about="bytes after decompression; NULL if they were not read"),
    Column("records", COUNT, about="records taken in"),
    Column("misfits", COUNT, about="places that claim to be records and could not be read"),
    Column("status", TEXT, about="`complete`, `partial`, `quarantined`, `empty` or `ignored`"),
    Column("reason", TEXT, about="why, where the status is not `complete`"),
    Column("position", COUNT, about="byte offset (decompressed) of the first place that could not be read"),
    Column("batch", TEXT, about="the run that took the object in"),
    Column("ingestedat", MOMENT, about="when the object was taken in, UTC"),
)
"""The ledger `cloudtrail_files`: one row an object."""


def lake_columns(kind: Kind) -> tuple[Column, ...]:
    """All columns of the lake table of a delivery kind, in order."""
    return (*RECORD_COLUMNS[kind], *DELIVERY_COLUMNS, *LAKE_COLUMNS)


def view_columns(kind: Kind) -> tuple[Column, ...]:
    """All columns of the views over a delivery kind, in order."""
    return (*RECORD_COLUMNS[kind], *DELIVERY_COLUMNS)


def events_columns() -> tuple[Column, ...]:
    """All columns of `cloudtrail_events`, in order."""
    return (*view_columns(Kind.CLOUDTRAIL), EVENT_TIMESTAMP)


def walk(columns: tuple[Column, ...], prefix: str = "") -> Iterator[tuple[str, Column]]:
    """Yield every column and field with its dotted path (`useridentity.sessioncontext.attributes`)."""
    for column in columns:
        path = prefix + column.name
        yield path, column
        inner = column.type.item if isinstance(column.type, Array) else column.type
        if isinstance(inner, Struct):
            yield from walk(inner.fields, path + ".")


# -- renderings ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Rendering:
    text: str
    flag: str
    count: str
    moment: str
    struct: Callable[[list[tuple[str, str]]], str]
    array: Callable[[str], str]
    text_map: str


def _render(type_: Type, r: _Rendering) -> str:
    match type_:
        case Array(item):
            return r.array(_render(item, r))
        case Struct(fields):
            return r.struct([(f.name, _render(f.type, r)) for f in fields])
        case Text() | TextMap():
            return r.text if isinstance(type_, Text) else r.text_map
        case Flag() | Count():
            return r.flag if isinstance(type_, Flag) else r.count
        case Moment():
            return r.moment.format(type_.digits)


def _join(pairs: list[tuple[str, str]], between: str) -> str:
    return ", ".join(f"{name}{between}{kind}" for name, kind in pairs)


_HIVE = _Rendering(
    "string", "boolean", "bigint", "timestamp",
    lambda pairs: "struct<" + ",".join(f"{n}:{t}" for n, t in pairs) + ">",
    lambda item: f"array<{item}>",
    "map<string,string>",
)  # fmt: skip
_TRINO = _Rendering(
    "varchar", "boolean", "bigint", "timestamp({})",
    lambda pairs: f"row({_join(pairs, ' ')})",
    lambda item: f"array({item})",
    "map(varchar, varchar)",
)  # fmt: skip
_DUCKDB = _Rendering(
    "VARCHAR", "BOOLEAN", "BIGINT", "TIMESTAMP",
    lambda pairs: "STRUCT(" + ", ".join(f'"{n}" {t}' for n, t in pairs) + ")",
    lambda item: f"{item}[]",
    "MAP(VARCHAR, VARCHAR)",
)  # fmt: skip


def hive_type(type_: Type) -> str:
    """The type as Hive and Glue write it: `struct<arn:string>`."""
    return _render(type_, _HIVE)


def trino_type(type_: Type) -> str:
    """The type as Athena's SQL and Trino write it: `row(arn varchar)`."""
    return _render(type_, _TRINO)


def duckdb_type(type_: Type) -> str:
    """The type as DuckDB writes it: `STRUCT("arn" VARCHAR)`."""
    return _render(type_, _DUCKDB)
