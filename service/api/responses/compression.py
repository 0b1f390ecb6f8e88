"""gzip for bodies that differ only in their end: the rest is compressed once, for all callers.

A gzip stream may end in a block that is stored as it is. So the shared part is compressed up to a
byte's border, and the end is appended with a new checksum: some bytes for each caller, no compression.
Concatenated gzip members would be simpler, but many clients read the first one alone.
"""

import gzip
import re
import zlib
from functools import lru_cache
from struct import pack as packed_numbers

from msgspec import Struct

from service.api.responses.lists import beginning_of

MIN_BYTES = 1024
LEVEL = 6
MAX_REMEMBERED_BYTES = 128
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_LAST_STORED_BLOCK = 1
_NOT_AT_ALL = re.compile(r"q=0(\.0*)?")
_RAW = -zlib.MAX_WBITS


class Packed(Struct, frozen=True):
    """The compressed beginning of a body, its checksum and its length."""

    stream: bytes
    checksum: int
    length: int

    def ended_with(self, end: bytes) -> bytes:
        """The whole gzip stream of the beginning and this end, which is short."""
        stored = packed_numbers("<BHH", _LAST_STORED_BLOCK, len(end), len(end) ^ 0xFFFF)
        trailer = packed_numbers("<II", zlib.crc32(end, self.checksum), self.length + len(end))
        return b"".join((self.stream, stored, end, trailer))


def pack(beginning: bytes) -> Packed:
    """Compress the beginning of a body."""
    deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, _RAW)
    stream = _HEADER + deflate.compress(beginning) + deflate.flush(zlib.Z_SYNC_FLUSH)
    return Packed(stream, zlib.crc32(beginning), len(beginning))


def negotiated(body: bytes, accept_encoding: bytes) -> tuple[bytes, dict[str, str]]:
    """A body that nobody shares, as this Accept-Encoding takes it, and the headers that say so."""
    if len(body) < MIN_BYTES:
        return body, {}
    vary = {"vary": "accept-encoding"}
    if not accepts_gzip(accept_encoding):
        return body, vary
    return gzip.compress(body, LEVEL), vary | {"content-encoding": "gzip"}


def accepts_gzip(accept_encoding: bytes) -> bool:
    """Whether this Accept-Encoding takes gzip (RFC 9110, 12.5.3); those of browsers are remembered."""
    if len(accept_encoding) <= MAX_REMEMBERED_BYTES:
        return _remembered(accept_encoding)
    return _accepts_gzip(beginning_of(accept_encoding))


def _accepts_gzip(accept_encoding: bytes) -> bool:
    weights = {}
    for choice in accept_encoding.decode("latin-1").lower().split(","):
        name, _, parameter = choice.partition(";")
        weights[name.strip()] = parameter.replace(" ", "")
    weight = weights.get("gzip", weights.get("*", "q=0"))
    return not _NOT_AT_ALL.fullmatch(weight)


_remembered = lru_cache(maxsize=256)(_accepts_gzip)
