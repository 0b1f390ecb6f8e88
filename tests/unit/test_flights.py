"""Single flight: one computation for all who ask, whoever of them goes away."""

import asyncio

import pytest

from service.cache.budget import Ceiling
from service.cache.flights import Flights, landing
from service.cache.unavailable import Closed


class Computation:
    """Counts how often it is run, and ends when it is let go."""

    def __init__(self) -> None:
        self.runs = 0
        self.let_go = asyncio.Event()

    async def __call__(self) -> int:
        self.runs += 1
        await self.let_go.wait()
        return self.runs


async def test_all_who_ask_share_one_computation() -> None:
    flights, computation = Flights(), Computation()
    waiting = [asyncio.ensure_future(asyncio.shield(flights.start("key", computation))) for _ in range(9)]
    computation.let_go.set()
    assert await asyncio.gather(*waiting) == [1] * 9
    assert computation.runs == 1


async def test_a_caller_who_goes_away_cancels_nobody_else() -> None:
    flights, computation = Flights(), Computation()
    leaving, staying = (
        asyncio.ensure_future(asyncio.shield(flights.start("key", computation))) for _ in range(2)
    )
    await asyncio.sleep(0)
    leaving.cancel()
    computation.let_go.set()
    assert await staying == 1
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_who_asks_after_the_end_starts_another_one() -> None:
    flights, computation = Flights(), Computation()
    computation.let_go.set()
    assert await flights.start("key", computation) == 1
    assert await flights.start("key", computation) == 2
    await asyncio.sleep(0)
    assert len(flights) == 0


async def test_closing_ends_what_still_runs() -> None:
    flights, computation = Flights(), Computation()
    task = flights.start("key", computation)
    await flights.close()
    assert task.cancelled()


async def test_who_waits_goes_away_alone_and_is_told_of_an_end_that_was_not_his() -> None:
    flights, computation = Flights(), Computation()
    staying, leaving = (asyncio.ensure_future(landing(flights.start("key", computation))) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait([leaving])
    assert leaving.cancelled()
    await flights.close()
    with pytest.raises(Closed):
        await staying


async def test_who_waited_when_it_was_closed_cannot_start_it_again() -> None:
    flights, computation = Flights(), Computation()

    async def persistent() -> None:
        while True:
            await asyncio.wait([flights.start("key", computation)])

    waiting = asyncio.ensure_future(persistent())
    await asyncio.sleep(0)
    await flights.close()
    with pytest.raises(Closed):
        await waiting
    assert len(flights) == 0


async def test_what_nobody_asked_for_takes_no_place_under_the_ceiling() -> None:
    """Refreshes come by the hundred at a tick's end, and are no flood."""
    ceiling, computation = Ceiling(most=1), Computation()
    mine, others = Flights(ceiling), Flights(ceiling)
    running = [mine.start(number, computation) for number in range(5)]
    running.append(others.start("asked", computation, "somebody"))
    assert (ceiling.is_reached, mine.asked_for, others.asked_for) == (False, 0, 1)
    running.append(mine.start("asked", computation, "somebody"))
    assert (ceiling.is_reached, mine.asked_for) == (True, 1)
    computation.let_go.set()
    await asyncio.gather(*running)
    assert (ceiling.running, mine.asked_for, others.asked_for) == (0, 0, 0)
