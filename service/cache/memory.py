"""What this process remembers: entries by key and tick, bounded in bytes and in age."""

from collections.abc import Callable
from typing import Any, TypeAlias

from cachetools import TLRUCache

from service.cache.budget import Budget
from service.cache.entry import MAX_STORED_BYTES, Entry, decode
from service.cache.parts import Part

# What anything costs beside its bytes; and a decoded value, made of many small objects, is so many times as
# large as its bytes.
OVERHEAD_BYTES = 512
DECODED_FACTOR = 10

_Name: TypeAlias = tuple[str, int]  # a key and a tick


class Memory:
    """Entries whose tick is too old go, and the least recently used make room for new ones.

    Each is kept in the bytes that Redis has of it, and decoded as long as there is room for that: of most
    ticks nobody asks for it again. `clock` gives Unix seconds, as ticks are.
    """

    def __init__(self, budget: Budget, max_age: float, clock: Callable[[], float]) -> None:
        self._budget = budget

        def joined(cost: Callable[[Any], int]) -> TLRUCache[_Name, Any]:
            return budget.joined(TLRUCache, lambda name, _, __: name[1] + max_age, clock, getsizeof=cost)

        self._raws: TLRUCache[_Name, bytes] = joined(_stored_cost)
        self._entries: TLRUCache[_Name, Entry] = joined(_decoded_cost)

    def get(self, part: Part, tick: int) -> Entry | None:
        """The entry of a part's tick."""
        name = part.key, tick
        entry = self._entries.get(name)
        raw = self._raws.get(name) if entry is None else None
        if raw is not None:
            entry = decode(raw, part.key, tick, part.decoder)
            self._decoded(entry)
        return entry

    def put(self, entry: Entry) -> None:
        """Remember an entry; one too large for the whole memory, or to be decoded again, is not kept."""
        if len(entry.raw) <= MAX_STORED_BYTES and _stored_cost(entry.raw) <= self._raws.maxsize:
            self._raws[entry.key, entry.tick] = entry.raw
        self._decoded(entry)

    def close(self) -> None:
        """Leave the budget to others."""
        self._budget.leave(self._raws)
        self._budget.leave(self._entries)

    def __contains__(self, name: _Name) -> bool:
        return name in self._entries or name in self._raws

    def _decoded(self, entry: Entry) -> None:
        if _decoded_cost(entry) <= self._entries.maxsize:
            self._entries[entry.key, entry.tick] = entry


def _stored_cost(raw: bytes) -> int:
    return OVERHEAD_BYTES + len(raw)


def _decoded_cost(entry: Entry) -> int:
    return OVERHEAD_BYTES + DECODED_FACTOR * len(entry.raw)
