"""What CloudTrail Lake's columns are here: a column of ours, a time, a flag, a map of texts, or nothing.

Lake's schema: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/query-supported-event-schemas.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType

from sqlglot import exp

from trailhouse.core.layout import Kind
from trailhouse.core.schema import (
    DELIVERY_COLUMNS,
    EVENT_TIMESTAMP,
    RECORD_COLUMNS,
    Array,
    Column,
    Struct,
    Text,
)
from trailhouse.dialect.trees import Refusal, call, string_of

_TIME_FORMAT = "%Y-%m-%dT%H:%i:%sZ"
_FLAGS = frozenset({"readonly", "managementevent"})
_CREATED = "useridentity.sessioncontext.attributes.creationdate"
_ABSENT: Mapping[str, str] = MappingProxyType(
    {
        "annotation": "no record that a trail delivers has it",
        "eventcontext": "event data stores alone have it; trails do not deliver it",
        "eventjsonchecksum": "it is Lake's own; a trail's digest files prove its log files",
        "insightcontext": "it is JSON here: insightdetails.insightcontext",
        "insightsource": "no record that a trail delivers has it",
        "insightdetails": "Insights events have a table of their own: --store ID=cloudtrail_insight",
        "ec2issuedinvpc": "no record that a trail delivers has it",
        "arnprefix": "trails do not deliver it: use arn",
        "eventdata": "stores of configuration items, evidence and other events have no table here",
        "metadata": "stores of other events have no table here",
    }
)
_INSIGHT = MappingProxyType(
    {
        "insightstate": "state",
        "insighteventsource": "eventsource",
        "insighteventname": "eventname",
        "insighterrorcode": "errorcode",
        "insighttype": "insighttype",
    }
)
LEFT_OUT = ("annotation", "insightDetails", "eventJson", "eventJsonChecksum")
"""What `*` showed in Lake and cannot show here."""


WHOLE = "whole"
"""The mark of `eventJson`: what still has it when all is rewritten cannot be answered."""


CATEGORY = "category"
"""The mark of `eventCategory` of a table that holds management and data events alone."""

_ELSEWHERE = MappingProxyType(
    {"NetworkActivity": "cloudtrail_networkactivity", "Insight": "cloudtrail_insight"}
)


def refuse_elsewhere(node: exp.Expr, value: exp.Expr) -> None:
    """Refuse to look for a category of events where none can be. Raises Refusal."""
    table = _ELSEWHERE.get(string_of(value) or "") if CATEGORY in node.meta else None
    if table is not None:
        hint = f"--store ID={table}; ask for both in two statements"
        raise Refusal(f"events of the category {value.name} have a table of their own here", value, hint=hint)


class Form(Enum):
    """How a value of Lake's is held here, or what is known of an expression."""

    TEXT = auto()
    FLAG = auto()  # a boolean of Lake's; text here
    TIME = auto()
    DATE = auto()
    MAP = auto()  # map(varchar, varchar) of Lake's; JSON text here
    STRUCT = auto()  # addendum: a map of Lake's, a struct here
    ROWS = auto()  # resources: other fields, another order
    WHOLE = auto()  # eventJson
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Stored:
    """A table of ours in the place of an event data store.

    Attributes:
        name: the table, with its database where one is given.
        kind: what it holds.
        timed: whether it has `eventtimestamp`.
    """

    name: str
    kind: Kind = Kind.CLOUDTRAIL
    timed: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Every name that can be asked, Lake's and ours."""
        ours = (one.name for one in (*RECORD_COLUMNS[self.kind], *DELIVERY_COLUMNS))
        more = tuple(_INSIGHT) if self.kind is Kind.INSIGHT else ("eventjson",)
        return (*ours, EVENT_TIMESTAMP.name, *more) if self.timed else (*ours, *more)

    @property
    def shown(self) -> tuple[str, ...]:
        """What `*` shows: Lake's columns that are here."""
        more = tuple(_INSIGHT) if self.kind is Kind.INSIGHT else ()
        return (*(one.name for one in RECORD_COLUMNS[self.kind] if one.name != "insightdetails"), *more)


def absent(name: str) -> str:
    """Return why a column of Lake's is not here; empty: it is no column of Lake's."""
    return _ABSENT.get(name, "")


def column(stored: Stored, path: Sequence[str], table: str, node: exp.Expr) -> tuple[exp.Expr, Form]:
    """Return a column or a field of one as it is written here, with its form.

    Args:
        stored: the table in the store's place.
        path: the names, lower case: column, field, field of that.
        table: the qualifier to write before it; empty: none.
        node: where it stands, for messages.

    Raises:
        Refusal: there is no such field.
    """
    top = path[0]
    if stored.kind is Kind.INSIGHT and top in _INSIGHT and len(path) == 1:
        return _dotted(table, ("insightdetails", _INSIGHT[top])), Form.TEXT
    if top == "eventjson":
        found = _dotted(table, path)
        found.meta[WHOLE] = True
        return found, Form.WHOLE
    known = {one.name: one for one in (*RECORD_COLUMNS[stored.kind], *DELIVERY_COLUMNS)}
    if top == EVENT_TIMESTAMP.name:
        return _dotted(table, path), Form.TIME
    if top == "eventtime" and len(path) == 1:
        return _event_time(stored, table), Form.TIME
    if ".".join(path) == _CREATED:
        return _time(_dotted(table, path)), Form.TIME
    found = _dotted(table, path)
    if top == "eventcategory" and stored.kind is Kind.CLOUDTRAIL:
        found.meta[CATEGORY] = True
    return found, _form(known[top], path, node)


def _form(top: Column, path: Sequence[str], node: exp.Expr) -> Form:
    at = top
    for name in path[1:]:
        if isinstance(at.type, Text) and at.type.opaque:
            said = next((one.name for one in node.find_all(exp.Identifier) if one.name.lower() == name), name)
            hint = f"write element_at({at.json}, '{said}')"
            raise Refusal(f"{at.json} is a map in CloudTrail Lake, and has no fields", node, hint=hint)
        fields = {one.name: one for one in at.type.fields} if isinstance(at.type, Struct) else {}
        if name not in fields:
            told = absent(name)
            hint = told or "it has " + (", ".join(fields) if fields else "no fields")
            raise Refusal(f'{at.json or at.name} has no field "{name}" here', node, hint=hint)
        at = fields[name]
    if len(path) > 1:
        return Form.TEXT if isinstance(at.type, Text) else Form.OTHER
    if top.name in _FLAGS:
        return Form.FLAG
    if isinstance(at.type, Text):
        return Form.MAP if at.type.opaque else Form.TEXT
    if top.name == "addendum":
        return Form.STRUCT
    return Form.ROWS if isinstance(at.type, Array) else Form.OTHER


def field_of(stored_kind: Kind, top: str, name: str) -> str | None:
    """Return the field of a struct column whose name in the JSON is this one, exactly; None: none."""
    for one in RECORD_COLUMNS[stored_kind]:
        if one.name == top and isinstance(one.type, Struct):
            return next((field.name for field in one.type.fields if field.json == name), None)
    return None


def _dotted(table: str, path: Sequence[str]) -> exp.Expr:
    node: exp.Expr = exp.column(exp.to_identifier(path[0]), table=exp.to_identifier(table) if table else None)
    for name in path[1:]:
        node = exp.Dot(this=node, expression=exp.to_identifier(name))
    return node


def _event_time(stored: Stored, table: str) -> exp.Expr:
    return _dotted(table, [EVENT_TIMESTAMP.name]) if stored.timed else _time(_dotted(table, ["eventtime"]))


def _time(text: exp.Expr) -> exp.Expr:
    parsed = call("try", call("date_parse", text, exp.Literal.string(_TIME_FORMAT)))
    kind = exp.DataType(this=exp.DType.TIMESTAMP, expressions=[exp.DataTypeParam(this=exp.Literal.number(3))])
    return exp.Cast(this=parsed, to=kind)
