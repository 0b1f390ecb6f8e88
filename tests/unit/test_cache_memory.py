"""What a process remembers is bounded, in bytes and in age."""

from service.cache.budget import Budget
from service.cache.entry import Entry
from service.cache.memory import DECODED_FACTOR, OVERHEAD_BYTES, Memory


def entry(tick: int, size: int = 100) -> Entry:
    return Entry("value", "key", tick, 0.1, size)


def test_what_nobody_may_serve_any_more_is_given_up() -> None:
    now = 60.0
    memory = Memory(Budget(10**6), 300, lambda: now)
    memory.put(entry(60))
    now = 359.0
    assert memory.get("key", 60) == entry(60)
    now = 361.0
    assert memory.get("key", 60) is None


def test_the_number_of_ticks_that_are_held_does_not_grow() -> None:
    now = 0.0
    memory = Memory(Budget(10**6), 300, lambda: now)
    sizes = []
    for tick in range(0, 15_000, 15):
        now = tick
        memory.put(entry(tick))
        sizes.append(len(memory))
    assert max(sizes) <= 300 / 15 + 1


def test_the_least_recently_used_make_room() -> None:
    memory = Memory(Budget(2 * (OVERHEAD_BYTES + DECODED_FACTOR * 100)), 300, lambda: 0.0)
    for tick in (15, 30, 45):
        memory.put(entry(tick))
        memory.get("key", 15)
    assert [tick for tick in (15, 30, 45) if memory.get("key", tick)] == [15, 45]
    memory.put(entry(60, size=10**6))
    assert memory.get("key", 60) is None


def test_ticks_of_a_key_are_apart() -> None:
    memory = Memory(Budget(10**6), 300, lambda: 0.0)
    memory.put(entry(15))
    memory.put(entry(30))
    assert memory.get("key", 15) == entry(15)
    assert memory.get("key", 30) == entry(30)
    assert memory.get("key", 45) is None
