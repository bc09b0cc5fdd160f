import pytest

from trailhouse.dialect.event_data_store.ids import quote_stores, store_named

ID = "3f852e4a-4e8f-8bd1-bcf6-c1234567890a"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (f"SELECT 1 FROM {ID}", f'SELECT 1 FROM "{ID}"'),
        (f"select 1 from {ID} join {ID} on true", f'select 1 from "{ID}" join "{ID}" on true'),
        (
            f"SELECT 1 FROM arn:aws-cn:cloudtrail:cn-north-1:111122223333:eventdatastore/{ID}",
            f'SELECT 1 FROM "{ID}"',
        ),
        ("SELECT 1 FROM $EDS_ID WHERE a = 1", 'SELECT 1 FROM "$EDS_ID" WHERE a = 1'),
        ("SELECT 1 FROM ${EDS_ID}", 'SELECT 1 FROM "${EDS_ID}"'),
        ("SELECT 1 FROM <EDS ID>\nWHERE a < 1 AND b > 2", 'SELECT 1 FROM "<EDS ID>"\nWHERE a < 1 AND b > 2'),
        ("SELECT 1 FROM 12345678abc", 'SELECT 1 FROM "12345678abc"'),
        ("SELECT substring(a FROM 2) FROM b", "SELECT substring(a FROM 2) FROM b"),
        (f"SELECT 'FROM {ID}' FROM t -- FROM {ID}", f"SELECT 'FROM {ID}' FROM t -- FROM {ID}"),
        (f"SELECT 1 /* FROM {ID}\n */ FROM t", f"SELECT 1 /* FROM {ID}\n */ FROM t"),
        (f'SELECT 1 FROM "{ID}"', f'SELECT 1 FROM "{ID}"'),
        ("SELECT a - b - c FROM t", "SELECT a - b - c FROM t"),
        (f"SELECT 'it''s FROM {ID}', 1 FROM {ID}", f"SELECT 'it''s FROM {ID}', 1 FROM \"{ID}\""),
    ],
)
def test_ids_are_quoted_where_a_table_stands(written: str, read: str) -> None:
    assert quote_stores(written) == read


@pytest.mark.parametrize(
    ("name", "store"),
    [
        (ID, ID),
        ("$EDS_ID", "$EDS_ID"),
        (f"arn:aws:cloudtrail:us-east-1:111122223333:eventdatastore/{ID}", ID),
        ("cloudtrail_events", None),
        ("eds1", None),
    ],
)
def test_what_names_a_store(name: str, store: str | None) -> None:
    assert store_named(name) == store
