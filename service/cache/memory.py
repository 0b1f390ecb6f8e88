"""What this process remembers: entries by key and tick, bounded in bytes."""

from cachetools import LRUCache

from service.cache.entry import Entry

# What an entry costs beside its encoded bytes: the decoded structs are several times larger.
OVERHEAD_BYTES = 1024
DECODED_FACTOR = 6


class Memory:
    """The least recently used entries make room for new ones."""

    def __init__(self, max_bytes: int) -> None:
        self._entries: LRUCache[tuple[str, int], Entry] = LRUCache(max_bytes, getsizeof=_cost)

    def get(self, key: str, tick: int) -> Entry | None:
        """The entry of a key's tick."""
        return self._entries.get((key, tick))

    def put(self, entry: Entry) -> None:
        """Remember an entry; one too large for the whole memory is not kept."""
        if _cost(entry) <= self._entries.maxsize:
            self._entries[entry.key, entry.tick] = entry


def _cost(entry: Entry) -> int:
    return OVERHEAD_BYTES + DECODED_FACTOR * entry.size
