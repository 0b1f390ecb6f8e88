"""What this process remembers: entries by key and tick, bounded in bytes and in age."""

from collections.abc import Callable

from cachetools import TLRUCache

from service.cache.budget import Budget
from service.cache.entry import Entry

# What an entry costs beside its encoded bytes: the decoded structs are several times larger.
OVERHEAD_BYTES = 1024
DECODED_FACTOR = 6


class Memory:
    """Entries whose tick is too old go, and the least recently used make room for new ones.

    `clock` gives Unix seconds, as ticks are.
    """

    def __init__(self, budget: Budget, max_age: float, clock: Callable[[], float]) -> None:
        self._budget = budget
        self._entries: TLRUCache[tuple[str, int], Entry] = budget.joined(
            TLRUCache, lambda _, entry, __: entry.tick + max_age, clock, getsizeof=_cost
        )

    def get(self, key: str, tick: int) -> Entry | None:
        """The entry of a key's tick."""
        return self._entries.get((key, tick))

    def put(self, entry: Entry) -> None:
        """Remember an entry; one too large for the whole memory is not kept."""
        if _cost(entry) <= self._entries.maxsize:
            self._entries[entry.key, entry.tick] = entry

    def close(self) -> None:
        """Leave the budget to others."""
        self._budget.leave(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def _cost(entry: Entry) -> int:
    return OVERHEAD_BYTES + DECODED_FACTOR * entry.size
