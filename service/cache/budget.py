"""Bounds that several caches have together, as those of all tenants do, where none takes others' share."""

import sys
from contextlib import suppress
from heapq import heapify, heappop, heapreplace
from typing import Any, TypeVar

from cachetools import Cache

C = TypeVar("C", bound="Cache[Any, Any]")


# What is made room for at once, so that not each value that comes looks at all caches.
ROOM = 0.05


class Budget:
    """So many bytes for several caches: where they are too many, they go from the cache that has most."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        # At least so many more fit.
        self._room = float(max_bytes)
        self._caches: dict[int, Cache[Any, Any]] = {}

    def joined(self, kind: type[C], *arguments: Any, **options: Any) -> C:  # noqa: ANN401
        """A new cache of that kind, which has a part in the budget until it leaves."""
        budget = self

        class Part(kind):  # type: ignore[valid-type, misc]
            def __setitem__(self, key: object, value: object) -> None:
                super().__setitem__(key, value)
                budget.settle(self.getsizeof(value))

        cache: C = Part(self.max_bytes, *arguments, **options)
        self._caches[id(cache)] = cache
        return cache

    def leave(self, cache: "Cache[Any, Any]") -> None:
        """The cache's bytes are others' from now on."""
        self._caches.pop(id(cache), None)

    @property
    def taken(self) -> float:
        """What all of them have."""
        return sum(cache.currsize for cache in self._caches.values())

    def settle(self, added: float) -> None:
        """After so much has come: take from whichever has most, until all fit."""
        self._room -= added
        if self._room >= 0:
            return
        taken = self.taken
        if taken > self.max_bytes:
            taken = self._cleared(taken, self.max_bytes * (1 - ROOM))
        self._room = self.max_bytes - taken

    def _cleared(self, taken: float, most: float) -> float:
        """Take away what is more than that; gives what is left."""
        heap = [(-cache.currsize, number, cache) for number, cache in enumerate(self._caches.values())]
        heapify(heap)
        while taken > most and heap:
            before, number, largest = heap[0]
            with suppress(KeyError):  # what was left of it has just expired
                largest.popitem()
            after = -largest.currsize
            if after == before:
                heappop(heap)
            else:
                taken -= after - before
                heapreplace(heap, (after, number, largest))
        return taken


class Ceiling:
    """How many computations may run at once, of all together; `part` is what one cache may have of them."""

    def __init__(self, most: int = sys.maxsize, part: int = sys.maxsize) -> None:
        self.most = most
        self.part = part
        self.running = 0

    @property
    def is_reached(self) -> bool:
        """Whether as many run as may."""
        return self.running > self.most
