import duckdb
import pytest

from trailhouse.dialect import Statement, install, translate
from trailhouse.errors import SqlError, UnsupportedSqlError

TABLES = {
    "cloudtrail": (
        *("eventtime", "eventname", "useridentity", "resources"),
        *("account", "region", "year", "month", "day", "logfile"),
    ),
    "cloudtrail_files": ("name", "account", "region", "year", "month", "day", "status"),
}


def run(sql: str, statement: Statement) -> list[tuple[object, ...]]:
    assert sql
    with duckdb.connect() as connection:
        install(connection)
        connection.execute(
            "CREATE TABLE cloudtrail AS SELECT * FROM (VALUES"
            " ('2023-07-10T11:22:33Z', 'GetObject', {'type': 'Root', 'arn': 'a'},"
            " [{'arn': 'x', 'accountid': '1', 'type': 't'}],"
            " '111111111111', 'us-east-1', '2023', '07', '10', 'f1')) AS t"
            " (eventtime, eventname, useridentity, resources, account, region, year, month, day, logfile)"
        )
        return connection.execute(statement.duckdb).fetchall()


def test_a_plain_statement_runs() -> None:
    sql = (
        "SELECT eventname, count(*) AS n FROM cloudtrail WHERE useridentity.type = 'Root' GROUP BY eventname"
    )
    statement = translate(sql, tables=TABLES)
    assert statement.tables == ("cloudtrail",)
    assert run(sql, statement) == [("GetObject", 1)]


@pytest.mark.parametrize(
    "name",
    [
        "cloudtrail",
        "default.cloudtrail",
        '"default"."cloudtrail"',
        "awsdatacatalog.default.cloudtrail",
        "CloudTrail",
    ],
)
def test_a_table_is_found_however_it_is_qualified(name: str) -> None:
    sql = f"SELECT eventname FROM {name}"
    assert run(sql, translate(sql, tables=TABLES)) == [("GetObject",)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT cloudtrail.eventname FROM cloudtrail",
        "SELECT default.cloudtrail.eventname FROM default.cloudtrail",
        "SELECT c.eventname FROM cloudtrail AS c",
        'SELECT "eventname" FROM cloudtrail',
    ],
)
def test_a_table_name_qualifies_columns(sql: str) -> None:
    assert run(sql, translate(sql, tables=TABLES)) == [("GetObject",)]


def test_rows_of_an_array_are_spread_over_columns() -> None:
    sql = "SELECT r.arn, r.type FROM cloudtrail CROSS JOIN UNNEST(resources) AS r(arn, accountid, type)"
    assert run(sql, translate(sql, tables=TABLES)) == [("x", "t")]


def test_unnest_without_names_gives_the_fields() -> None:
    sql = "SELECT r.arn, type FROM cloudtrail CROSS JOIN UNNEST(resources) AS r"
    assert run(sql, translate(sql, tables=TABLES)) == [("x", "t")]


def test_unnest_of_rows_into_too_few_columns_is_refused() -> None:
    with pytest.raises(SqlError, match="UNNEST gives 3 columns here, and 1 are named"):
        translate("SELECT arn FROM cloudtrail CROSS JOIN UNNEST(resources) AS r(arn)", tables=TABLES)


def test_path_is_the_log_file() -> None:
    sql = 'SELECT "$path" FROM cloudtrail WHERE "$path" LIKE \'f%\''
    statement = translate(sql, tables=TABLES)
    assert run(sql, statement) == [("f1",)]
    assert '"$path"' in statement.athena
    assert "logfile" not in statement.athena


def test_columns_without_a_name_are_named_as_on_athena() -> None:
    statement = translate(
        "SELECT 1, eventname, count(*), useridentity.arn FROM cloudtrail GROUP BY 2, 4", tables=TABLES
    )
    with duckdb.connect() as connection:
        install(connection)
        connection.execute("CREATE TABLE cloudtrail (eventname VARCHAR, useridentity STRUCT(arn VARCHAR))")
        names = [column[0] for column in connection.execute(statement.duckdb).description or ()]
    assert names == ["_col0", "eventname", "_col2", "arn"]


def test_addresses_are_shown_as_text() -> None:
    assert run("-", translate("SELECT CAST('10.0.0.1' AS ipaddress) AS a", tables=TABLES)) == [("10.0.0.1",)]


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SHOW TABLES", [("cloudtrail",), ("cloudtrail_files",)]),
        ("describe cloudtrail_files", [(one,) for one in TABLES["cloudtrail_files"]]),
        ("SHOW COLUMNS IN default.cloudtrail_files;", [(one,) for one in TABLES["cloudtrail_files"]]),
    ],
)
def test_listings(sql: str, rows: list[tuple[str]]) -> None:
    assert run(sql, translate(sql, tables=TABLES)) == rows


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO cloudtrail SELECT 1",
        "UPDATE cloudtrail SET a = 1",
        "DELETE FROM cloudtrail",
        "MERGE INTO a USING b ON a.x = b.x WHEN MATCHED THEN DELETE",
        "CREATE TABLE x AS SELECT 1",
        "CREATE VIEW x AS SELECT 1",
        "DROP TABLE cloudtrail",
        "ALTER TABLE cloudtrail ADD COLUMN x int",
        "COPY cloudtrail TO 'x'",
        "ATTACH 'x.db'",
        "PRAGMA database_list",
        "SET memory_limit = '1GB'",
        "CALL pragma_version()",
        "INSTALL httpfs",
        "LOAD httpfs",
        "EXPLAIN SELECT 1",
        "EXPORT DATABASE 'x'",
        "FROM cloudtrail",
        "/* c */ -- d\n DROP TABLE cloudtrail",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE cloudtrail",
    ],
)
def test_what_is_no_query_does_not_pass(sql: str) -> None:
    with pytest.raises(UnsupportedSqlError, match=r"do not pass|several statements"):
        translate(sql, tables=TABLES)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM glob('*')",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM range(3)",
        "SELECT * FROM TABLE(sequence(1, 3))",
        "SELECT * FROM '/etc/passwd'",
        'SELECT * FROM "/etc/passwd"',
        'SELECT * FROM "data.parquet"',
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM cloudtrail, read_blob('x')",
        "SELECT (SELECT content FROM read_text('x'))",
        "SELECT getenv('HOME')",
        "SELECT current_setting('x')",
        "SELECT query('select 1')",
        "SELECT native_json_scalar('a', 'b')",
        "SELECT athena_text(1)",
        "SELECT list_transform(array[1], x -> read_text('x'))",
        "SELECT * FROM duckdb_tables",
        "SELECT * FROM sqlite_master",
    ],
)
def test_files_and_duckdbs_own_functions_are_out_of_reach(sql: str) -> None:
    with pytest.raises(SqlError):
        translate(sql, tables=TABLES)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT * FROM cloudtrail TABLESAMPLE BERNOULLI (10)", "TABLESAMPLE"),
        ("SELECT eventname::int FROM cloudtrail", "syntax error"),
        ("SELECT * EXCLUDE (a) FROM cloudtrail", "EXCEPT is outside"),
        ("SELECT DISTINCT ON (account) account FROM cloudtrail", "ON is outside"),
        ("SELECT eventname FROM cloudtrail QUALIFY row_number() OVER () = 1", "QUALIFY"),
        ("SELECT eventname FROM cloudtrail WHERE eventname ILIKE 'a'", "ILike"),
        ("SELECT 'a' 'b'", "two string literals side by side"),
        ("SELECT eventname FROM cloudtrail FETCH FIRST 1 ROW WITH TIES", "WITH TIES"),
        ("SELECT 99999999999999999999", "too large"),
        ("SELECT CAST('a' AS char(3))", "CAST to CHAR"),
        ("SELECT CAST('a' AS time)", "CAST to TIME"),
        ("SELECT TIMESTAMP '2020-01-01 00:00:00.123456'", "milliseconds"),
        ("SELECT at_timezone(now(), 'Asia/Tokyo')", "time zone other than UTC"),
        ("SELECT checksum(eventname) FROM cloudtrail", "checksum\\(\\) is not supported"),
        ("SELECT typeof(1)", "typeof\\(\\) is not supported"),
        ("SELECT rank()", "needs OVER"),
        ("SELECT lower('a', 'b')", "takes 1 arguments, not 2"),
        ("SELECT upper(DISTINCT 'a')", "DISTINCT and ORDER BY cannot stand"),
        ("SELECT date_trunc('decade', now())", "one of the units"),
        ("SELECT date_format(now(), '%D')", "%D in a date format"),
        ("SELECT date_format(now(), eventname) FROM cloudtrail", "format as a literal"),
        ("SELECT INTERVAL '1-2' YEAR TO MONTH", "an interval of several units"),
        ("SELECT json_extract_scalar('{}', '$..a')", "Invalid JSON path"),
        ("SELECT filter(array[1], 1)", "takes a lambda"),
        ("SELECT format('%x', 1)", "format\\(\\) is not supported"),
        ("SELECT a.x FROM (VALUES 1) a(x) ASOF JOIN (VALUES 1) b(x) ON a.x >= b.x", "syntax|JOIN|ASOF"),
    ],
)
def test_a_form_outside_is_refused_by_name(sql: str, words: str) -> None:
    with pytest.raises(SqlError, match=words):
        translate(sql, tables=TABLES)


def test_a_message_shows_the_place_and_the_nearest_names() -> None:
    with pytest.raises(SqlError) as caught:
        translate("SELECT eventname\nFROM cloudtrial", tables=TABLES)
    assert str(caught.value).splitlines() == [
        'unknown table "cloudtrial" (line 2, column 6)',
        "  FROM cloudtrial",
        "       ^",
        "nearest: cloudtrail, cloudtrail_files",
    ]


@pytest.mark.parametrize(
    ("sql", "name", "near"),
    [
        ("SELECT evenname FROM cloudtrail", "evenname", "eventname"),
        ("SELECT c.x FROM cloudtrail d", "c", ""),
        ("SELECT count(*) FROM cloudtrail WHERE useridentiti.arn = 'a'", "useridentiti", "useridentity"),
    ],
)
def test_an_unknown_column_is_named_with_its_nearest(sql: str, name: str, near: str) -> None:
    with pytest.raises(SqlError, match=f'unknown column "{name}"') as caught:
        translate(sql, tables=TABLES)
    assert near in str(caught.value)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT x.n FROM (SELECT count(*) AS n FROM cloudtrail) AS x",
        "WITH a AS (SELECT eventname AS e FROM cloudtrail) SELECT e FROM a WHERE e LIKE 'G%'",
        "SELECT transform(array[1], e -> e + 1)",
        "SELECT v.a FROM (VALUES (1, 2)) AS v(a, b)",
        "SELECT eventname AS e FROM cloudtrail ORDER BY e",
        "SELECT c.useridentity.arn FROM cloudtrail c",
    ],
)
def test_names_that_a_statement_makes_are_known(sql: str) -> None:
    assert translate(sql, tables=TABLES).duckdb


def test_an_unknown_function_gets_the_nearest() -> None:
    with pytest.raises(
        UnsupportedSqlError, match=r"regexp_lik\(\) is outside .*\n.*\n.*\nnearest: regexp_like"
    ):
        translate("SELECT regexp_lik('a', 'b')", tables=TABLES)


@pytest.mark.parametrize(
    "sql",
    ["", "  ", "-- nothing", "SELECT", "SELECT 'x", "SELECT (1", "hello", "\x00", "SELECT " + "(" * 3000],
)
def test_what_cannot_be_read_is_told(sql: str) -> None:
    with pytest.raises(SqlError):
        translate(sql, tables=TABLES)
