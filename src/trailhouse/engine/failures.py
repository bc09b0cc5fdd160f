"""Why Athena (and Trino, which is inside) did not answer, and what helps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailhouse.errors import AwsError, EngineError, LimitError, SqlError, ThrottledError

if TYPE_CHECKING:
    from trailhouse.errors import TrailhouseError


@dataclass(frozen=True, slots=True)
class _Known:
    """A reason that has a next step."""

    pattern: re.Pattern[str]
    step: str
    kind: type[AwsError] = AwsError


def _known(pattern: str, step: str, kind: type[AwsError] = AwsError) -> _Known:
    return _Known(re.compile(pattern, re.IGNORECASE), step, kind)


_KNOWN = (
    _known(
        r"Slow ?Down|reduce your request rate",
        "S3 asks for fewer requests: ask for fewer days, accounts or regions, or run it again later",
        ThrottledError,
    ),
    _known(
        r"HIVE_PARTITION_SCHEMA_MISMATCH",
        "a partition's columns are not the table's: `trailhouse plan` shows it, `trailhouse apply` mends it",
    ),
    _known(
        r"Insufficient Lake Formation permission",
        "Lake Formation governs this: `trailhouse policy lakeformation` prints the grants that are missing",
    ),
    _known(
        r"bytes scanned limit|EXCEEDED.{0,40}(bytes|scan)|scan.{0,20}limit",
        "the workgroup's limit on bytes scanned stopped it, and what was read is paid: "
        "see --dry-run, and narrow it by day, account or region",
        LimitError,
    ),
    _known(
        r"QUERY_HAS_TOO_MANY_STAGES|too many stages",
        "the view joins too many tables: ask cloudtrail_ACCOUNT, filter by account, or set `tables: single`",
        LimitError,
    ),
    _known(
        r"EXHAUSTED_RESOURCES|Query exhausted resources|EXCEEDED_.*MEMORY|exceeded.{0,30}memory",
        "it needs more memory than Athena gives: narrow it, or leave out ORDER BY and wide columns",
        LimitError,
    ),
    _known(
        r"EXCEEDED_TIME_LIMIT|Query timeout",
        "it ran longer than Athena allows: narrow it by day, account or region",
        LimitError,
    ),
    _known(
        r"HIVE_CURSOR_ERROR|HIVE_BAD_DATA",
        "an object could not be read: its name may stand above; ask for its day alone to see which",
    ),
    _known(
        r"HIVE_UNKNOWN_ERROR.*(denied|403)|Access ?Denied|not authorized|PERMISSION_DENIED|kms:Decrypt",
        "Athena reads as its caller, who lacks a permission: `trailhouse policy analyst` prints them",
    ),
    _known(
        r"NoSuchBucket|output location|output bucket|Unable to verify/create",
        "the place for results is not usable: set `output_s3_bucket`, or the workgroup's own location",
    ),
    _known(
        r"missing projection configuration|INVALID_TABLE_PROPERTY|projection",
        "the table's projection is incomplete: `trailhouse plan` shows it, `trailhouse apply` mends it",
    ),
    _known(
        r"VIEW_IS_STALE|INVALID_VIEW",
        "the view does not fit its tables any more: `trailhouse plan` shows it, `trailhouse apply` mends it",
    ),
)
_SQL = re.compile(
    r"SYNTAX_ERROR|COLUMN_NOT_FOUND|TABLE_NOT_FOUND|SCHEMA_NOT_FOUND|TYPE_MISMATCH|FUNCTION_NOT_FOUND|"
    r"INVALID_FUNCTION_ARGUMENT|INVALID_CAST_ARGUMENT|DIVISION_BY_ZERO|NUMERIC_VALUE_OUT_OF_RANGE|"
    r"SUBQUERY_MULTIPLE_ROWS|EXPRESSION_NOT|MISSING_|DUPLICATE_|AMBIGUOUS_NAME|NOT_SUPPORTED|"
    r"Only one sql statement|Queries of this type|mismatched input|line \d+:\d+:"
)
_PLACE = re.compile(r"\bline (\d+):(\d+):\s*")


def failure(engine: str, state: str, reason: str, statement: str, query_id: str) -> TrailhouseError:
    """The error for a statement that did not end well.

    Args:
        engine: as people call it.
        state: how it ended, such as `FAILED`.
        reason: in the engine's words.
        statement: as it was sent.
        query_id: the engine's own name for the run.
    """
    told = reason or "no reason is given"
    for known in _KNOWN:
        if known.pattern.search(told):
            text = f"{engine}: {told}\n{known.step} (query {query_id})"
            return _error(engine, known.kind, text, told, query_id)
    if _SQL.search(told):
        return SqlError(_with_place(told, statement, engine))
    ended = "was cancelled" if state.upper() in {"CANCELLED", "CANCELED"} else "failed"
    text = f"{engine}: the query {ended}: {told} (query {query_id})"
    return _error(engine, AwsError, text, told, query_id)


def _error(engine: str, kind: type[AwsError], text: str, reason: str, query_id: str) -> TrailhouseError:
    if engine != "Athena":
        return EngineError(text)
    return kind(text, code=_code(reason), operation="athena StartQueryExecution", resource=query_id)


def _code(reason: str) -> str:
    found = re.match(r"\s*([A-Z][A-Z0-9_]{3,})\b", reason)
    return found[1] if found else ""


def _with_place(reason: str, statement: str, engine: str) -> str:
    found = _PLACE.search(reason)
    lines = statement.split("\n")
    if "TABLE_NOT_FOUND" in reason:
        reason += "\nsee the names there are with SHOW TABLES, or make them with `trailhouse apply`"
    if found is None or not 0 < int(found[1]) <= len(lines):
        return f"{engine}: {reason}"
    line, column = int(found[1]), int(found[2])
    shown = re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", lines[line - 1])
    first = max(column - 100, 0)  # what we write is one line, and may be long
    head, _, rest = reason.partition("\n")
    text = f"{engine}: {head}\n  {shown[first : first + 200]}\n  {' ' * (column - 1 - first)}^"
    return f"{text}\n{rest}" if rest else text
