"""Every known reason has its next step; a statement's own fault shows its place."""

import pytest

from trailhouse.engine.failures import failure
from trailhouse.errors import AwsError, EngineError, LimitError, SqlError, ThrottledError


@pytest.mark.parametrize(
    ("reason", "kind", "step"),
    [
        ("HIVE_CURSOR_ERROR: Please reduce your request rate", ThrottledError, "fewer days"),
        (
            "HIVE_CANNOT_OPEN_SPLIT: Slow Down (Service: Amazon S3; Status Code: 503)",
            ThrottledError,
            "again later",
        ),
        ("HIVE_CURSOR_ERROR: Failed to read file at s3://x/y.json.gz", AwsError, "its day alone"),
        ("HIVE_PARTITION_SCHEMA_MISMATCH: column 'x'", AwsError, "trailhouse apply"),
        ("Insufficient Lake Formation permission(s) on cloudtrail", AwsError, "policy lakeformation"),
        ("Bytes scanned limit was exceeded", LimitError, "what was read is paid"),
        (
            "QUERY_HAS_TOO_MANY_STAGES: Number of stages in the query (151) exceeds 150",
            LimitError,
            "tables: single",
        ),
        ("EXHAUSTED_RESOURCES: Query exhausted resources at this scale factor", LimitError, "memory"),
        ("Query timeout", LimitError, "longer than Athena allows"),
        ("PERMISSION_DENIED: Access Denied to s3://x", AwsError, "policy analyst"),
        ("Unable to verify/create output bucket x", AwsError, "output_s3_bucket"),
        ("HIVE_METASTORE_ERROR: missing projection configuration", AwsError, "projection"),
        ("VIEW_IS_STALE: line 1:15: View is stale", AwsError, "trailhouse apply"),
        (
            "GENERIC_INTERNAL_ERROR: oops",
            AwsError,
            r"the query failed: GENERIC_INTERNAL_ERROR: oops \(query q-1\)",
        ),
        ("SYNTAX_ERROR: line 2:1: mismatched input", SqlError, r"second\n  \^"),
        ("TYPE_MISMATCH: line 9:1: beyond the statement", SqlError, "beyond the statement"),
        ("Only one sql statement is allowed", SqlError, "Only one"),
    ],
)
def test_reasons(reason: str, kind: type[Exception], step: str) -> None:
    found = failure("Athena", "FAILED", reason, "first\nsecond", "q-1")
    assert type(found) is kind
    with pytest.raises(kind, match=f"(?s){step}"):
        raise found


def test_the_error_carries_code_and_run() -> None:
    found = failure("Athena", "FAILED", "HIVE_BAD_DATA: x", "SELECT 1", "q-1")
    assert isinstance(found, AwsError)
    assert (found.code, found.resource) == ("HIVE_BAD_DATA", "q-1")


def test_trino_is_no_service_of_aws() -> None:
    assert type(failure("Trino", "FAILED", "HIVE_BAD_DATA: x", "SELECT 1", "q-1")) is EngineError


def test_a_long_line_is_shown_around_its_place() -> None:
    sql = "SELECT " + "a, " * 200 + "b"
    text = str(failure("Athena", "FAILED", "COLUMN_NOT_FOUND: line 1:608: x", sql, "q"))
    shown, caret = text.split("\n")[1:3]
    assert len(shown) < 210
    assert shown[caret.index("^")] == "b"
