"""Answers as bytes: encoded once a snapshot, and shared by all callers."""

from collections.abc import Awaitable, Callable, Hashable
from hashlib import blake2b
from time import monotonic
from typing import Any, Protocol, TypeVar

from cachetools import LRUCache
from msgspec import Struct

from service.api.compression import Packed, pack
from service.cache.parts import State
from service.snapshots import Held

T = TypeVar("T")

MAX_BYTES = 32 * 1024 * 1024
DIGEST_BYTES = 12
# A tick's end makes every answer stale for a moment, and to look for a newer one takes longer than to
# answer: what was found to be the best there is, is that for a moment more.
AGAIN_SECONDS = 0.05


class Ticks(Protocol):
    """The time, in Unix seconds: now, and the start of the current tick."""

    @property
    def now(self) -> float: ...

    @property
    def tick(self) -> int: ...


class Encoded(Struct):
    """A body as of a tick, its digest, and what could not be had for it.

    `found` is when a search for a newer one ended with it, by the clock and by the monotonic one; it
    was in `state` then.
    """

    tick: int
    degraded: tuple[str, ...]
    body: bytes
    digest: bytes
    state: State = "hit"
    found: tuple[float, float] | None = None
    _packed: Packed | None = None

    def packed(self, shared: int) -> Packed:
        """The first `shared` bytes of the body, compressed when somebody first asks for them."""
        if self._packed is None:
            self._packed = pack(self.body[:shared])
        return self._packed


class Answers:
    """Encoded answers by endpoint and parameters, bounded in bytes."""

    def __init__(self, ticks: Ticks) -> None:
        self._ticks = ticks
        self._encoded: LRUCache[Hashable, Encoded] = LRUCache(MAX_BYTES, getsizeof=_cost)

    async def get(
        self, key: Hashable, read: Callable[[], Awaitable[Held[T]]], render: Callable[[Held[T]], bytes]
    ) -> tuple[Encoded, State]:
        """The encoded answer of the current tick; `read` and `render` run when there is none yet.

        Raises what `read` raises.
        """
        encoded = self._encoded.get(key)
        if encoded is not None and encoded.tick == self._ticks.tick and not encoded.degraded:
            return encoded, "hit"
        if encoded is not None and self._found_just_now(encoded):
            return encoded, encoded.state
        held = await read()
        encoded = self._encoded.get(key)  # another request may have encoded it meanwhile
        if encoded is None or (encoded.tick, encoded.degraded) != (held.tick, held.degraded):
            encoded = _encode(render(held), held)
            if _cost(encoded) <= self._encoded.maxsize:
                self._encoded[key] = encoded
        if held.state == "stale" or held.degraded:
            encoded.state = "stale" if held.state == "stale" else "hit"
            encoded.found = self._ticks.now, monotonic()
        return encoded, held.state

    def _found_just_now(self, encoded: Encoded) -> bool:
        """By both clocks: one may be set, and in tests stands still. A hit is none after its tick."""
        if encoded.found is None or (encoded.state == "hit" and encoded.tick != self._ticks.tick):
            return False
        now, moment = encoded.found
        return monotonic() - moment < AGAIN_SECONDS and 0 <= self._ticks.now - now < AGAIN_SECONDS


def _encode(body: bytes, held: Held[Any]) -> Encoded:
    digest = blake2b(body, digest_size=DIGEST_BYTES).hexdigest().encode()
    return Encoded(held.tick, held.degraded, body, digest)


def _cost(encoded: Encoded) -> int:
    return 512 + 2 * len(encoded.body)  # compressed, it may be there a second time
