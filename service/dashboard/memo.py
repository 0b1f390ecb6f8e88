"""What was made last, by what it shows, for as long as it stands."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from cachetools import LRUCache

T = TypeVar("T")


class Memo(Generic[T]):
    """Keeps one value a key in `cache`, whose bound counts pairs of a stamp and a value."""

    def __init__(self, cache: "LRUCache[Hashable, tuple[Hashable, T]]") -> None:
        self._cache = cache

    def get(self, key: Hashable, stamp: Hashable, make: Callable[[], T]) -> T:
        """The value that was made for that key under the same stamp, or else a new one."""
        kept = self._cache.get(key)
        if kept is not None and kept[0] == stamp:
            return kept[1]
        value = make()
        if self._cache.getsizeof((stamp, value)) <= self._cache.maxsize:
            self._cache[key] = (stamp, value)
        return value
