"""Answers as bytes: encoded once a snapshot, and shared by all callers."""

from collections.abc import Awaitable, Callable, Hashable
from hashlib import blake2b
from typing import Any, TypeVar

from cachetools import LRUCache
from msgspec import Struct

from service.api.compression import Packed, pack
from service.cache.parts import State
from service.snapshots import Held, Snapshots

T = TypeVar("T")

MAX_BYTES = 32 * 1024 * 1024
DIGEST_BYTES = 12


class Encoded(Struct):
    """A body as of a tick, its digest, and what could not be had for it."""

    tick: int
    degraded: tuple[str, ...]
    body: bytes
    digest: bytes
    _packed: Packed | None = None

    def packed(self, shared: int) -> Packed:
        """The first `shared` bytes of the body, compressed when somebody first asks for them."""
        if self._packed is None:
            self._packed = pack(self.body[:shared])
        return self._packed


class Answers:
    """Encoded answers by endpoint and parameters, bounded in bytes."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots
        self._encoded: LRUCache[Hashable, Encoded] = LRUCache(MAX_BYTES, getsizeof=_cost)

    async def get(
        self, key: Hashable, read: Callable[[], Awaitable[Held[T]]], render: Callable[[Held[T]], bytes]
    ) -> tuple[Encoded, State]:
        """The encoded answer of the current tick; `read` and `render` run when there is none yet.

        Raises what `read` raises.
        """
        encoded = self._encoded.get(key)
        if encoded is not None and encoded.tick == self._snapshots.tick and not encoded.degraded:
            return encoded, "hit"
        held = await read()
        encoded = self._encoded.get(key)  # another request may have encoded it meanwhile
        if encoded is None or (encoded.tick, encoded.degraded) != (held.tick, held.degraded):
            encoded = _encode(render(held), held)
            if _cost(encoded) <= self._encoded.maxsize:
                self._encoded[key] = encoded
        return encoded, held.state


def _encode(body: bytes, held: Held[Any]) -> Encoded:
    digest = blake2b(body, digest_size=DIGEST_BYTES).hexdigest().encode()
    return Encoded(held.tick, held.degraded, body, digest)


def _cost(encoded: Encoded) -> int:
    return 512 + 2 * len(encoded.body)  # compressed, it may be there a second time
