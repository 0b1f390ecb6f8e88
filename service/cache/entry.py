"""Cached values, and how they are written in Redis: versioned msgpack that names its key."""

from typing import Any

import msgspec
from msgspec import Struct

# Raised with every change of what is stored; what has another number is a miss.
VERSION = 2
# A larger value is not worth the network: who needs it computes it. Nor is it decoded, for a hostile one of a
# byte an object takes sixty times its size.
MAX_STORED_BYTES = 8 * 1024 * 1024


class Entry(Struct, frozen=True):
    """A value of a key as of a tick, the seconds that computing it took, and its bytes in Redis."""

    value: Any
    key: str
    tick: int
    seconds: float
    raw: bytes


class _Stored(Struct, frozen=True, array_like=True):
    version: int
    key: str
    tick: int
    seconds: float
    value: msgspec.Raw


class UnreadableEntry(Exception):
    """What stands under a key was not written by this version for this key."""


_encoder = msgspec.msgpack.Encoder()
_stored = msgspec.msgpack.Decoder(_Stored)


def encode(key: str, tick: int, seconds: float, value: Any) -> bytes:  # noqa: ANN401
    """The bytes of a value computed in `seconds` for the key's tick."""
    return _encoder.encode(_Stored(VERSION, key, tick, seconds, msgspec.Raw(_encoder.encode(value))))


def decode(raw: bytes, key: str, tick: int, decoder: msgspec.msgpack.Decoder[Any]) -> Entry:
    """The entry that `encode` wrote. Raises UnreadableEntry for anything else.

    Bytes that nobody encoded may be no UTF-8 (a ValueError), or be nested without end.
    """
    if len(raw) > MAX_STORED_BYTES:
        raise UnreadableEntry(f"{len(raw)} bytes")
    try:
        stored = _stored.decode(raw)
        if (stored.version, stored.key, stored.tick) != (VERSION, key, tick):
            raise UnreadableEntry(f"of version {stored.version}, or of another key or tick")
        return Entry(decoder.decode(stored.value), key, tick, stored.seconds, raw)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise UnreadableEntry(str(error)) from error
