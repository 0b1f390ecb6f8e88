"""Caches with one bound together: who has most gives way, and nobody else."""

from cachetools import FIFOCache
from hypothesis import given
from hypothesis import strategies as st

from service.cache.budget import Budget


def cache(budget: Budget) -> "FIFOCache[int, int]":
    return budget.joined(FIFOCache, getsizeof=lambda size: size)


def test_a_flood_into_one_takes_nothing_from_another() -> None:
    budget = Budget(100)
    quiet, flooded = cache(budget), cache(budget)
    quiet[0] = 30
    for number in range(1000):
        flooded[number] = 10
    assert quiet.currsize == 30
    assert 60 <= flooded.currsize <= 70


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50), st.integers(1, 40)), max_size=60))
def test_together_they_never_hold_more(puts: list[tuple[int, int, int]]) -> None:
    budget = Budget(100)
    caches = [cache(budget) for _ in range(4)]
    for number, key, size in puts:
        caches[number][key] = size
        assert sum(each.currsize for each in caches) <= 100


def test_a_value_that_comes_looks_at_all_caches_only_when_there_is_no_room() -> None:
    looked = 0

    class Counting(FIFOCache[int, int]):
        @property
        def currsize(self) -> float:
            nonlocal looked
            looked += 1
            return super().currsize

    budget = Budget(10_000)
    caches = [budget.joined(Counting, getsizeof=lambda size: size) for _ in range(100)]
    for number in range(3000):
        caches[number % 100][number] = 10
    assert looked < 7 * 3000
    assert sum(each.currsize for each in caches) <= 10_000


def test_what_leaves_makes_room() -> None:
    budget = Budget(100)
    leaving, staying = cache(budget), cache(budget)
    leaving[0] = 60
    budget.leave(leaving)
    staying[0] = 90
    assert (leaving.currsize, staying.currsize) == (60, 90)
