"""What stands in Redis: only what this version wrote for this key and tick is taken."""

import tracemalloc

import msgspec
import pytest

from service.cache.entry import MAX_STORED_BYTES, VERSION, UnreadableEntry, decode, encode

NUMBERS = msgspec.msgpack.Decoder(dict[str, int])
RAW = encode("key", 60, 0.25, {"a": 1})


def test_an_entry_comes_back_as_it_was() -> None:
    entry = decode(RAW, "key", 60, NUMBERS)
    assert (entry.value, entry.key, entry.tick, entry.seconds, entry.raw) == (
        {"a": 1},
        "key",
        60,
        0.25,
        RAW,
    )


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"garbage",
        RAW[:-1],
        encode("other", 60, 0.25, {"a": 1}),
        encode("key", 75, 0.25, {"a": 1}),
        encode("key", 60, 0.25, {"a": "text"}),
        msgspec.msgpack.encode([VERSION + 1, "key", 60, 0.25, {"a": 1}]),
        msgspec.msgpack.encode({"a": 1}),
        b"\xd9\x01\x9c",  # a string that is no UTF-8
        RAW.replace(b"key", b"\x9c\x9c\x9c"),
        RAW[:-3] + b"\xa1\x9c\x01",
        b"\x91" * 100_000,
    ],
)
def test_anything_else_is_unreadable(raw: bytes) -> None:
    with pytest.raises(UnreadableEntry):
        decode(raw, "key", 60, NUMBERS)


def test_what_is_too_large_is_refused_before_it_is_decoded() -> None:
    raw = encode("key", 60, 0.25, [[]] * MAX_STORED_BYTES)
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableEntry, match=f"^{len(raw)} bytes$"):
            decode(raw, "key", 60, msgspec.msgpack.Decoder(list[list[int]]))
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
