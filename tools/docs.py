"""Write the generated pages of docs/ anew; with --check only say whether they are current."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from trailhouse.core.layout import Kind
from trailhouse.core.meaning import MEANINGS
from trailhouse.core.schema import (
    DELIVERY_COLUMNS,
    EVENT_TIMESTAMP,
    FILES_COLUMNS,
    LAKE_COLUMNS,
    RECORD_COLUMNS,
    Array,
    Column,
    Struct,
    Text,
    Type,
    duckdb_type,
    hive_type,
    trino_type,
    walk,
)

DOCS = Path(__file__).resolve().parent.parent / "docs"

OPENING = """# The columns

Made by `tools/docs.py` from the one schema in the code. `cloudtrail` stands for `table_prefix`.

| name | rows | columns, in this order |
|---|---|---|
| `cloudtrail_<account>`, `cloudtrail` | as delivered | record columns, delivery columns |
| `cloudtrail_events` | each event once | record columns, delivery columns, `eventtimestamp` |
| `cloudtrail_lake` | as delivered, flagged | record columns, delivery columns, lake columns |
| `cloudtrail_files` | one an object | those of the ledger, below |
| `cloudtrail_insight`, `cloudtrail_networkactivity`, `cloudtrail_aggregated` | as delivered | as `cloudtrail`, \
with record columns of their own |

Names, types and order of the record columns are those of AWS's own table definition. The fields that it leaves
out stand at the end, of their struct or of the record, so that older partitions stay readable by position.

"""

RULES = """## Values

- **Text** columns hold the string. An empty string stays one; `null` and an absent field are NULL. A number or a
  boolean where text is expected comes in as it is written, an object or an array as NULL; both are in `unparsed`.
- **Opaque** columns hold JSON as text. `null` is NULL, a JSON string is stored without its quotes, anything else
  is its exact text, white space and the spelling of numbers included (`1.68890570862E9`, `0.0`, 30 digits, names
  that differ only in case).
- **true/false** columns hold `true` or `false`, whether the record has a boolean or a string.
- **Structs** with a value of another type are NULL, and the value is in `unparsed`.
- Of a name that an object has twice the last value counts, as with other JSON readers. The ones before it are
  not kept.
- Half a surrogate pair (`\\ud800`) in a string, which no UTF-8 can hold, becomes U+FFFD; the exact string is in
  `unparsed`. In opaque objects the escape stays as it is.
- Bytes that are no UTF-8 become U+FFFD; the record's own bytes are in `unparsed`.
- `eventtimestamp` is `eventtime` where it reads as `YYYY-MM-DDTHH:MM:SSZ`, otherwise NULL.

A record is taken in when its own JSON text is whole and well-formed, however odd: half surrogate pairs, any
nesting, repeated and unknown names, unexpected types, bytes in strings that are no UTF-8. In a file that is cut
or damaged every record before the damage is taken in, and so are the whole records behind a broken one; there,
only an object with `eventVersion` and one of `eventTime`, `eventName`, `eventSource`, `eventID`, `eventId` or
`eventCategory` counts as a record.

## What `unparsed` holds

NULL, or one JSON object: what the record has and no column could take. Its names are paths, sorted; its values
are the exact JSON texts.

| path | value |
|---|---|
| `newField` | an unknown field of the record |
| `userIdentity.newField` | an unknown field inside of a struct |
| `resources[2].ARN` | a value of an unexpected type, here in the third resource |
| `errorCode` | a value of an unexpected type, or a string with half a surrogate pair |
| `$bytes` | the record's own bytes in base64, where they are not UTF-8 |

Paths are made of the names in the JSON, joined by dots, with positions from 0 in brackets. A name that is empty
or has a dot, a bracket, a quote or a dollar sign in it stands in JSON quotes: `"a.b"`.

## Duplicates

Two rows are the same event when `eventid` is equal (and not NULL), and `eventtime`, `eventsource`, `eventname`
and `recipientaccountid` are too. They are looked for in the same and the neighbouring days. Exactly one of them
has `duplicate` false; which one is not promised. Rows with the same id and other content are all kept, and
reported. `cloudtrail_events` leaves out the rows whose `duplicate` is true.

## Partition keys

Raw tables are partitioned by `region, year, month, day, logroot` (with `tables: single` by `account` too), all of
them strings; month and day have two digits. The day is the one of delivery, UTC, as the object's key has it: it
may differ from that of `eventtime`. `logroot` is the bucket and the path down to the folder that holds the account
folders, without scheme, account and slash at the end: one account may be delivered under several of them. The
lake is partitioned by `year, month, day`.
"""


def table(columns: Sequence[tuple[str, Column]]) -> str:
    """A table of columns and their fields."""
    lines = [
        "| column | in the JSON | Hive | Trino, Athena | DuckDB | meaning |",
        "|---|---|---|---|---|---|",
    ]
    for path, column in columns:
        cells = [
            path,
            column.json,
            *(short(column.type, render) for render in (hive_type, trino_type, duckdb_type)),
        ]
        marked = " | ".join(f"`{cell}`" if cell else "" for cell in cells)
        meaning = column.about or MEANINGS[path]
        lines.append(f"| {marked} | {meaning}{nature(column.type)} |".replace("|  |", "| |"))
    return "\n".join(lines) + "\n"


def nature(type_: Type) -> str:
    """What the name of a type does not tell."""
    if not isinstance(type_, Text):
        return ""
    return " (opaque)" if type_.opaque else " (true/false)" if type_.boolean else ""


def short(type_: Type, render: Callable[[Type], str]) -> str:
    """A type in a cell: of a struct only that it is one, for its fields have lines of their own."""
    if isinstance(type_, Array) and isinstance(type_.item, Struct):
        return render(Array(Struct(()))).replace("<>", "<...>").replace("()", "(...)")
    return (
        render(Struct(())).replace("<>", "<...>").replace("()", "(...)")
        if isinstance(type_, Struct)
        else render(type_)
    )


def whole_types(columns: Sequence[Column]) -> str:
    """The types of the columns that have fields, in full."""
    parts = []
    for column in columns:
        if isinstance(column.type, Struct | Array):
            renderings = [render(column.type) for render in (hive_type, trino_type, duckdb_type)]
            parts.append(f"`{column.name}`:\n\n" + "".join(f"```\n{text}\n```\n" for text in renderings))
    return "\n".join(parts)


def schema_page() -> str:
    """docs/schema.md."""
    sections = [OPENING]
    for title, kind in (
        ("`cloudtrail` and `cloudtrail_networkactivity`", Kind.CLOUDTRAIL),
        ("`cloudtrail_insight`", Kind.INSIGHT),
        ("`cloudtrail_aggregated`", Kind.AGGREGATED),
    ):
        columns = RECORD_COLUMNS[kind]
        sections.append(f"## Record columns of {title}\n\n{table(list(walk(columns)))}")
        sections.append(f"In full, for Hive, Trino and DuckDB:\n\n{whole_types(columns)}")
    for title, columns in (
        ("Delivery columns", DELIVERY_COLUMNS),
        ("`cloudtrail_events` adds", (EVENT_TIMESTAMP,)),
        ("Lake columns", LAKE_COLUMNS),
        ("The ledger `cloudtrail_files`", FILES_COLUMNS),
    ):
        sections.append(f"## {title}\n\n{table([(column.name, column) for column in columns])}")
    return "\n".join([*sections, RULES]).replace("\n\n\n", "\n\n")


PAGES = {"schema.md": schema_page}


def main() -> int:
    """Write or check every page; the exit status."""
    stale = [
        name
        for name, page in PAGES.items()
        if not (DOCS / name).exists() or (DOCS / name).read_text() != page()
    ]
    if "--check" in sys.argv[1:]:
        for name in stale:
            print(f"docs/{name} is not current: run tools/docs.py")
        return 1 if stale else 0
    for name in stale:
        (DOCS / name).write_text(PAGES[name]())
        print(f"wrote docs/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
