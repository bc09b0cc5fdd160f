import duckdb
import pytest

from trailhouse.dialect import install, translate

TABLES = {"cloudtrail": ["year"]}


def statement(length: int) -> str:
    chain = "/".join(["CAST(year AS bigint)", *["CAST(year AS bigint) * 1"] * (length - 1)])
    return translate(f"SELECT {chain} AS x FROM cloudtrail", tables=TABLES).duckdb


def test_a_chain_grows_with_its_links_and_no_faster() -> None:
    short, long = statement(7), statement(28)
    assert len(long) < 8 * len(short)


@pytest.mark.parametrize("length", [2, 9, 28])
def test_a_chain_is_worked_out(length: int) -> None:
    # Were the arguments put into each other, the engine would not come back from the long one.
    with duckdb.connect() as connection:
        install(connection)
        connection.execute("CREATE VIEW cloudtrail AS SELECT '1' AS year")
        assert connection.execute(statement(length)).fetchall() == [(1,)]
