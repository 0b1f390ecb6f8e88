"""What a process remembers is bounded, in bytes and in age."""

import msgspec

from service.cache.budget import Budget
from service.cache.entry import Entry, encode
from service.cache.memory import DECODED_FACTOR, OVERHEAD_BYTES, Memory
from service.cache.parts import Part


async def no_value(tick: int) -> str:
    raise NotImplementedError(tick)


PART = Part("part", "key", no_value, msgspec.msgpack.Decoder(str))


def entry(tick: int, size: int = 100) -> Entry:
    value = "v" * size
    return Entry(value, "key", tick, 0.1, encode("key", tick, 0.1, value))


def held(memory: Memory, *ticks: int) -> list[int]:
    return [tick for tick in ticks if ("key", tick) in memory]


def test_what_nobody_may_serve_any_more_is_given_up() -> None:
    now = 60.0
    memory = Memory(Budget(10**6), 300, lambda: now)
    memory.put(entry(60))
    now = 359.0
    assert memory.get(PART, 60) == entry(60)
    now = 361.0
    assert memory.get(PART, 60) is None


def test_the_number_of_ticks_that_are_held_does_not_grow() -> None:
    now = 15_000.0
    budget, one = Budget(10**9), Budget(10**9)
    Memory(one, 300, lambda: now).put(entry(15_000))
    memory, sizes = Memory(budget, 300, lambda: now), []
    for tick in range(0, 15_000, 15):
        now = tick
        memory.put(entry(tick))
        sizes.append(budget.taken)
    assert max(sizes) <= (300 / 15 + 1) * one.taken


def test_the_least_recently_used_make_room() -> None:
    memory = Memory(Budget(50_000), 300, lambda: 0.0)
    ticks = range(15, 15 * 31, 15)
    for tick in ticks:
        memory.put(entry(tick, 1000))
        memory.get(PART, 15)
    kept = held(memory, *ticks)
    assert 2 < len(kept) < len(ticks)
    assert kept == [15, *ticks[1 - len(kept) :]]
    memory.put(entry(600, size=10**6))
    assert memory.get(PART, 600) is None


def test_what_was_not_used_of_late_is_decoded_again() -> None:
    first, second = entry(15), entry(30)
    one = OVERHEAD_BYTES + DECODED_FACTOR * len(first.raw)
    memory = Memory(Budget(round(1.9 * one)), 300, lambda: 0.0)
    memory.put(first)
    assert memory.get(PART, 15) is first
    memory.put(second)
    again = memory.get(PART, 15)
    assert again == first
    assert again is not first


def test_ticks_of_a_key_are_apart() -> None:
    memory = Memory(Budget(10**6), 300, lambda: 0.0)
    memory.put(entry(15))
    memory.put(entry(30))
    assert memory.get(PART, 15) == entry(15)
    assert memory.get(PART, 30) == entry(30)
    assert memory.get(PART, 45) is None
