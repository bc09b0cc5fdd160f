import duckdb

from trailhouse.dialect import install, translate


def test_a_connection_can_be_prepared_twice_and_so_can_its_cursors() -> None:
    with duckdb.connect() as connection:
        install(connection)
        install(connection)
        with connection.cursor() as cursor:
            install(cursor)
            sql = translate("SELECT json_extract_scalar('{\"a\":1.10}', '$.a')", tables={}).duckdb
            assert cursor.execute(sql).fetchall() == [("1.10",)]


def test_nothing_is_left_in_a_database_file(tmp_path: object) -> None:
    path = f"{tmp_path}/kept.duckdb"
    with duckdb.connect(path) as connection:
        install(connection)
        assert connection.execute("SELECT athena_divide(7, 2)").fetchall() == [(3,)]
    with duckdb.connect(path) as connection:
        query = "SELECT count(*) FROM duckdb_functions() WHERE function_name SIMILAR TO '(athena|native|answer)_.*'"
        assert connection.execute(query).fetchall() == [(0,)]


def test_many_rows_go_through_in_columns() -> None:
    with duckdb.connect() as connection:
        install(connection)
        connection.execute(
            "CREATE TABLE t AS SELECT CASE WHEN i % 7 = 0 THEN NULL"
            " ELSE '{\"a\":' || i || '.50,\"b\":[' || i || ']}' END AS x"
            " FROM range(5000) AS r(i)"
        )
        sql = "SELECT count(json_extract_scalar(x, '$.a')), max(cast(json_extract(x, '$.b[0]') as bigint)) FROM t"
        statement = translate(sql, tables={"t": ("x",)})
        assert connection.execute(statement.duckdb).fetchall() == [(4285, 4999)]


def test_a_fault_is_an_answer_and_no_exception_of_python() -> None:
    # Under TRY DuckDB drops exceptions of Python in threads of its own; the process can die of it.
    with duckdb.connect() as connection:
        install(connection)
        told = connection.execute("SELECT answer_ip_number('lambda.amazonaws.com')").fetchall()
        assert told == [({"value": None, "fault": "Cannot cast value to IPADDRESS: lambda.amazonaws.com"},)]
        sql = translate(
            "SELECT count(*) FROM (VALUES '10.0.0.1', 'lambda.amazonaws.com', '192.0.2.1') AS t(a)"
            " WHERE try(contains('10.0.0.0/8', CAST(a AS ipaddress)))",
            tables={},
        ).duckdb
        assert connection.execute(sql).fetchall() == [(1,)]


def test_addresses_under_try_need_no_error() -> None:
    for tried in ("TRY_CAST(a AS ipaddress)", "try(CAST(a AS ipaddress))"):
        assert (
            "athena_ipaddress("
            not in translate(f"SELECT {tried} FROM (VALUES 'x') AS t(a)", tables={}).duckdb
        )
    kept = translate("SELECT try(coalesce(CAST(a AS ipaddress), NULL)) FROM (VALUES 'x') AS t(a)", tables={})
    assert "athena_ipaddress(" in kept.duckdb
