"""Failing rows as a cache keeps them."""

import pytest
from msgspec import DecodeError, ValidationError, msgpack

from service.overview.failures import KeptRun

TEXTS = ("R1", "rule", "P-1", "Part", "Draft", "Released", "before", "failed")


def kept(result_code: str) -> KeptRun:
    """A run that came out of a cache with that result code."""
    stored = msgpack.encode(
        dict(zip(KeptRun.__struct_fields__, (*TEXTS, 1, result_code, None, None), strict=True))
    )
    return msgpack.decode(stored, type=KeptRun)


@pytest.mark.parametrize("result_code", ['"timeout"', "null", "7", '{"code": [1, 2.5e3]}'])
def test_a_result_code_is_kept_as_the_json_text_that_it_is(result_code: str) -> None:
    assert kept(result_code).result_code == result_code


@pytest.mark.parametrize("stranger", ["timeout", "", '"', "NaN", '"a" "b"', "{'a': 1}"])
def test_what_is_no_json_text_is_no_run(stranger: str) -> None:
    """It would make an answer that nobody can read."""
    with pytest.raises((DecodeError, ValidationError)):
        kept(stranger)
