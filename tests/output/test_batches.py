import pyarrow as pa

from trailhouse.output.batches import BYTES, ROWS, pieces, text_bytes


def test_many_rows_come_in_pieces() -> None:
    batch = pa.record_batch({"n": pa.array(range(2 * ROWS + 1))})
    assert [piece.num_rows for piece in pieces([batch])] == [ROWS, ROWS, 1]


def test_wide_rows_come_in_smaller_pieces_and_in_order() -> None:
    batch = pa.record_batch({"n": pa.array(range(64)), "s": pa.array(["x" * 1_000_000] * 64)})
    found = list(pieces([batch]))
    assert max(piece.nbytes for piece in found) <= BYTES
    assert [n for piece in found for n in piece["n"].to_pylist()] == list(range(64))


def test_nothing_is_no_piece() -> None:
    assert list(pieces([pa.record_batch({"n": pa.array([], pa.int8())})])) == []


def test_the_text_of_a_slice() -> None:
    column = pa.array(["ab", "", "cd", "ef"], pa.large_string())
    assert bytes(text_bytes(column.slice(1, 2))) == b"cd"
    assert bytes(text_bytes(column.slice(2, 0))) == b""
