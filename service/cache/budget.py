"""Bounds that several caches have together, as those of all tenants do, where none takes others' share."""

import sys
from typing import Any, TypeVar

from cachetools import Cache

C = TypeVar("C", bound="Cache[Any, Any]")


class Budget:
    """So many bytes for several caches: where they are too many, they go from the cache that has most."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._caches: dict[int, Cache[Any, Any]] = {}

    def joined(self, kind: type[C], *arguments: Any, **options: Any) -> C:  # noqa: ANN401
        """A new cache of that kind, which has a part in the budget until it leaves."""
        budget = self

        class Part(kind):  # type: ignore[valid-type, misc]
            def __setitem__(self, key: object, value: object) -> None:
                super().__setitem__(key, value)
                budget.settle()

        cache: C = Part(self.max_bytes, *arguments, **options)
        self._caches[id(cache)] = cache
        return cache

    def leave(self, cache: "Cache[Any, Any]") -> None:
        """The cache's bytes are others' from now on."""
        self._caches.pop(id(cache), None)

    def settle(self) -> None:
        """Take from whichever has most, until all fit."""
        while sum(cache.currsize for cache in self._caches.values()) > self.max_bytes:
            max(self._caches.values(), key=lambda cache: cache.currsize).popitem()


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
