"""gzip streams that are made of a shared beginning and an end of each caller's own."""

import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.api.responses.compression import accepts_gzip, pack


@given(st.binary(max_size=5000), st.binary(max_size=200))
def test_what_is_packed_comes_out_again(beginning: bytes, end: bytes) -> None:
    stream = pack(beginning).ended_with(end)
    assert gzip.decompress(stream) == beginning + end
    only_one_member = zlib.decompressobj(zlib.MAX_WBITS | 16)
    assert only_one_member.decompress(stream) == beginning + end
    assert only_one_member.eof
    assert not only_one_member.unused_data


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        (b"gzip", True),
        (b"gzip, deflate, br", True),
        (b"br, GZIP;q=0.5", True),
        (b"gzip;q=0.01", True),
        (b"*", True),
        (b"gzip;q=1.000", True),
        (b"", False),
        (b"identity", False),
        (b"br", False),
        (b"gzip;q=0", False),
        (b"gzip; q=0.000", False),
        (b"*, gzip;q=0", False),
        (b"*;q=0", False),
        (b"gzipped", False),
    ],
)
def test_only_who_accepts_gzip_gets_it(header: bytes, taken: bool) -> None:
    assert accepts_gzip(header) is taken


def test_of_a_long_header_the_first_kilobyte_counts_and_nothing_is_kept() -> None:
    others = b"x" * 400 + b","
    assert accepts_gzip(others + b"gzip," + others * 300)
    assert not accepts_gzip(others * 300 + b"gzip")
    # What is cut in two is not taken for its first half.
    cut = b"x" * 1017 + b",gzip;q=0"
    assert not accepts_gzip(cut)
    tracemalloc.start()
    try:
        for number in range(300):
            accepts_gzip(b"%d," % number + others * 300)
        assert tracemalloc.get_traced_memory()[0] < 100_000
    finally:
        tracemalloc.stop()
