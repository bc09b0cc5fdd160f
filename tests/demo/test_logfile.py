import gzip

from hypothesis import given
from hypothesis import strategies as st

from trailhouse.demo.logfile import gzipped, records


@given(st.binary(max_size=2000))
def test_packed_content_is_read_back(content: bytes) -> None:
    assert gzip.decompress(gzipped(content)) == content


def test_the_header_holds_no_time_and_no_system() -> None:
    assert gzipped(b"x")[:10] == b"\x1f\x8b\x08\0\0\0\0\0\0\xff"


def test_records_are_compact() -> None:
    assert records(['{"a":1}', '{"b":"ä"}']) == '{"Records":[{"a":1},{"b":"ä"}]}'.encode()
