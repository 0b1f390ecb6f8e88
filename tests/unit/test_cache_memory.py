"""What a process remembers: bounded in bytes, the least recently used forgotten first."""

from service.cache.entry import Entry
from service.cache.memory import DECODED_FACTOR, OVERHEAD_BYTES, Memory

SIZE = 1000
COST = OVERHEAD_BYTES + DECODED_FACTOR * SIZE


def entry(key: str, tick: int = 15, size: int = SIZE) -> Entry:
    return Entry(value=key, key=key, tick=tick, seconds=0.0, size=size)


def test_the_least_recently_used_makes_room() -> None:
    memory = Memory(3 * COST)
    for key in "abc":
        memory.put(entry(key))
    assert memory.get("a", 15) is not None
    memory.put(entry("d"))
    assert [key for key in "abcd" if memory.get(key, 15)] == ["a", "c", "d"]


def test_ticks_of_a_key_are_apart() -> None:
    memory = Memory(3 * COST)
    memory.put(entry("a", 15))
    memory.put(entry("a", 30))
    assert memory.get("a", 15) != memory.get("a", 30)
    assert memory.get("a", 45) is None


def test_what_is_larger_than_all_of_it_is_not_kept_and_drives_nothing_out() -> None:
    memory = Memory(3 * COST)
    memory.put(entry("a"))
    memory.put(entry("b", size=3 * SIZE + OVERHEAD_BYTES))
    assert memory.get("b", 15) is None
    assert memory.get("a", 15) is not None
