"""Headers as long as the server lets them be: only their beginning is read, but for cookies."""

from service.api.access.cookie import NAME, bearers_of
from service.api.responses.etag import matches
from service.api.responses.lists import MAX_BYTES, beginning_of


def test_of_a_long_list_its_whole_members_count() -> None:
    assert beginning_of(b"a" * MAX_BYTES) == b"a" * MAX_BYTES
    assert beginning_of(b"ab," * 400) == b"ab," * 340 + b"ab"
    assert beginning_of(b"a" * (MAX_BYTES + 1)) == b""


def test_an_etag_far_behind_is_not_looked_for() -> None:
    others = b'"x",' * 300
    assert matches(b'"t",' + others, b'"t"')
    assert not matches(others + b'"t"', b'"t"')


def test_a_cookie_is_found_among_however_many() -> None:
    others = b"a=1; " * 20_000
    for cookies in (
        others + b"%b=t",
        b"%b=t; " + others,
        others + b"%b=t;" + others,
        b"a=1;%b=t",
        b"\t%b=t ",
    ):
        assert bearers_of(cookies.replace(b"%b", NAME.encode()), secure=False) == [b"Bearer t"]
    for cookies in (b"x%b=t", b"a=%b=t", b"a%b=t; __Host-%b=t", b"%bx=t"):
        assert bearers_of(cookies.replace(b"%b", NAME.encode()), secure=False) == []
