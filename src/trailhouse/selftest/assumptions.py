"""What we assume of AWS without having seen it there. Each has a check that settles it (a test holds this).

Marks: `unverified`: said somewhere, confirmed nowhere; `inferred`: reasoned; `trino`: seen on Trino, whose engine is
Athena's, not on Athena; `documented`: AWS says so, nobody here saw it; `guessed`: what our emulators do where the
documentation is silent.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """Why it is an assumption."""

    UNVERIFIED = "unverified"
    INFERRED = "inferred"
    TRINO = "trino"
    DOCUMENTED = "documented"
    GUESSED = "guessed"


@dataclass(frozen=True, slots=True)
class Assumption:
    """One thing that we stand on.

    Attributes:
        id: short name.
        mark: why it is an assumption.
        statement: what we take for true.
        used: where we rely on it.
    """

    id: str
    mark: Mark
    statement: str
    used: str


U, I, T, D, G = Mark.UNVERIFIED, Mark.INFERRED, Mark.TRINO, Mark.DOCUMENTED, Mark.GUESSED  # noqa: E741 - in a table

_ROWS = (
    # Numbers
    ("glue-partitions", U,
     "Glue's default quota is 10 million partitions a table, and 20 million an account",
     "docs, `tables: single`"),
    ("public-keys-rate", I,
     "CloudTrail's ListPublicKeys may be called as often as its other list calls, ten times a second, not once",
     "verification of digests"),
    ("union-140", U,
     "a union of 140 branches is planned",
     "core/desired.py: MOST_BRANCHES"),
    ("union-150", U,
     "a statement of more than 150 stages is refused, as by Trino's default; AWS documents no limit",
     "core/desired.py: MOST_BRANCHES"),
    ("statement-size", D,
     "a statement of 262,144 bytes is taken",
     "engine/athena.py: STATEMENT_LIMIT"),
    ("write-100", D,
     "a statement writes into 100 partitions at most",
     "the lake written by SQL"),
    # Reading
    ("shapes", I,
     "tables, partitions and views written by Glue's API alone answer in Athena: per_account, single, projected",
     "catalog/encoding.py"),
    ("opaque-text", I,
     "an object in a string column of the JSON SerDe is text that means the same JSON",
     "docs/schema.md"),
    ("exact-text", I,
     "numbers in such text are as they were written, `1.68890570862E9`, 30 digits",
     "docs/schema.md"),
    ("opaque-string", I,
     "a JSON string in a string column is stored unquoted",
     "docs/schema.md"),
    ("opaque-null", I,
     "JSON null and an absent field are NULL, in string columns and in structs",
     "docs/schema.md"),
    ("same-name-twice", I,
     "names in an object that differ only by case do no harm in a text column",
     "why opaque columns are text"),
    ("empty-resources", T,
     '`resources: ""`, a string where a list is declared, fails the whole statement',
     "lake by SQL: bisecting by file"),
    ("object-in-text", I,
     "an object where the schema has text (errorMessage) becomes its JSON text",
     "docs/schema.md"),
    ("text-boolean", I,
     'true and "true" are both read as `true` in a string column',
     "docs/schema.md"),
    ("unknown-fields", D,
     "unknown fields are ignored",
     "core/schema.py"),
    ("tail-fields", I,
     "fields that AWS's own DDL leaves out (managementEvent, keyExchange) are read when declared",
     "core/schema.py"),
    ("names-by-case", I,
     "names in JSON match columns and struct fields whatever their case (ARN, sharedEventID)",
     "core/schema.py"),
    ("control-text", I,
     "line breaks, tabs, quotes, emoji and 18,115 characters in a text come through",
     "the SerDe reads one record a row"),
    ("plain-json", I,
     "CloudTrailInputFormat also reads an object that is not packed, and one without records",
     "demo bucket"),
    ("hidden-names", I,
     "objects whose names begin with `_` or `.` are left out",
     "engine/price.py: _hidden"),
    ("archived-skipped", D,
     "archived objects are skipped without an error, with the flag as well while they are not restored",
     "core/deliveries.py, answers about completeness"),
    ("restored-flag", D,
     "read_restored_glacier_objects is taken on a table with CloudTrailInputFormat",
     "core/desired.py"),
    # Partitions
    ("own-descriptor", D,
     "a partition is read by its own location, columns and SerDe",
     "core/plan.py: drift"),
    ("missing-tail", D,
     "a partition whose columns are the first of the table's is read, the rest is NULL",
     "new columns at the end"),
    ("columns-by-index", D,
     "a partition with other columns in between fails: HIVE_PARTITION_SCHEMA_MISMATCH",
     "core/plan.py: columns are drift"),
    ("struct-tail", I,
     ("a partition whose struct lacks the last fields of the table's fails likewise, or reads NULL: we "
      "expect a failure, and rewrite partitions at a schema upgrade"),
     "schema upgrades"),
    ("double-slash", D,
     "`//` in a location is made one",
     "core/deliveries.py: UNREACHABLE, engine/price.py"),
    ("absent-folder", D,
     "a partition without objects is no error",
     "tomorrow's partitions"),
    ("partition-filtering", D,
     "partition_filtering.enabled and partition indexes change no answer",
     "`tables: single`"),
    ("path-column", I,
     '"$path" is `s3://bucket/key`, in views as well',
     "logfile"),
    # Projection
    ("enum-slash", I,
     "values of an enum may hold slashes, and fill a template `s3://${logroot}/...`",
     "`partitions: projected`"),
    ("enum-space", D,
     "white space in an enum's values counts",
     "core/desired.py writes none"),
    ("integer-digits", D,
     "an integer with `digits` is zero-padded in value and template",
     "`partitions: projected`"),
    ("now-years", D,
     "a range may begin at NOW-3YEARS",
     "core/projection.py"),
    ("injected", D,
     "an injected key has to be compared with a value, or the statement fails",
     "core/projection.py"),
    # Views and statements
    ("view-encoding", D,
     "a view in Athena's encoding, written with `PartitionKeys: []`, is read",
     "catalog/encoding.py"),
    ("view-keys", U,
     "views that Athena writes may have further keys in their JSON, such as isMultiDialect",
     "catalog/encoding.py keeps them"),
    ("constants-prune", T,
     "a condition on the constant `account` of a union's branch leaves the others unread",
     "core/views.py: union_view"),
    ("recipient-reads-all", T,
     "a condition on recipientaccountid leaves nothing unread",
     "docs/schema.md"),
    ("window-prunes", T,
     "conditions on the day pass through the window of cloudtrail_events",
     "core/views.py: raw_events_view"),
    ("account-prunes", T,
     "a condition on account leaves other accounts' partitions of one table unread",
     "`tables: single`"),
    ("day-prunes", T,
     "conditions on year, month, day and region read that day's files only",
     "core/views.py"),
    ("time-cast", T,
     "eventtime becomes a timestamp(3) by date_parse, NULL where it is none",
     "core/views.py: eventtimestamp"),
    ("zoned-view", D,
     "a view may not have a column of a type with a time zone",
     "core/views.py"),
    ("struct-order", T,
     "casts of rows match fields by position, not by name",
     "core/views.py casts every struct"),
    ("rows-as-text", U,
     "rows and arrays in results are text such as `{a=1, b=[x, y]}`",
     "engine/athena_rows.py"),
    ("not-in-null", T,
     "NOT IN over a set with a NULL keeps no row",
     "lake by SQL"),
    ("path-list", T,
     '"$path" IN with literal values reads only these files',
     "lake by SQL: stragglers"),
    ("path-subquery", T,
     '"$path" NOT IN with a subquery reads every file',
     "lake by SQL"),
    # Iceberg
    ("iceberg-merge", T,
     "MERGE WHEN NOT MATCHED on logfile and logrecord run twice adds nothing the second time",
     "lake by SQL"),
    ("iceberg-insert", T,
     "INSERT with named columns and cast structs from a raw view works",
     "lake by SQL"),
    ("iceberg-optimize", D,
     "OPTIMIZE ... REWRITE DATA USING BIN_PACK keeps the rows",
     "upkeep of the lake"),
    ("iceberg-vacuum", D,
     "VACUUM keeps the rows",
     "upkeep of the lake"),
    ("iceberg-identity", I,
     "identity partitions on text columns year, month, day prune by the same conditions",
     "the lake's layout"),
    ("iceberg-snapshots", T,
     '"t$snapshots" lists the commits',
     "counts after each commit"),
    ("iceberg-time", D,
     "times keep milliseconds in Iceberg tables that Athena writes",
     "core/schema.py: MOMENT"),
    # Glue
    ("stale-version", U,
     "UpdateTable with the VersionId of an older version is refused",
     "catalog/definitions.py: two runs at once"),
    ("batch-exists", D,
     "a partition that exists is an error of its own in BatchCreatePartition, not of the batch",
     "catalog/batches.py"),
    ("batch-arity", G,
     "a partition with too few values is refused",
     "tests/bed: the strict Glue"),
    ("names-pattern", G,
     "GetTables takes `name*` as a pattern for names that begin so",
     "catalog/expression.py"),
    ("keys-change", G,
     "UpdateTable may not change partition keys under existing partitions",
     "core/plan.py: replace"),
    ("token-again", D,
     "the same ClientRequestToken is the same run",
     "engine/athena.py"),
)  # fmt: skip

ASSUMPTIONS: tuple[Assumption, ...] = tuple(Assumption(*row) for row in _ROWS)
"""All of them, by theme."""
