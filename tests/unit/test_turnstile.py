"""The turnstile before work behind the scenes."""

import asyncio

import pytest

from service.cache.turnstile import Turnstile
from tests.waiting import until


class Crowd:
    """Visitors of a turnstile; each stays until it is let go."""

    def __init__(self, turnstile: Turnstile, size: int) -> None:
        self.entered: list[int] = []
        self.leave = [asyncio.Event() for _ in range(size)]
        self._turnstile = turnstile
        self.tasks = [asyncio.create_task(self._visit(number)) for number in range(size)]

    async def _visit(self, number: int) -> None:
        async with self._turnstile:
            self.entered.append(number)
            await self.leave[number].wait()


async def test_no_more_are_inside_than_there_is_room_for() -> None:
    crowd = Crowd(Turnstile(2, 0.0), 3)
    await until(lambda: crowd.entered == [0, 1])
    crowd.leave[0].set()
    await until(lambda: crowd.entered == [0, 1, 2])
    for event in crowd.leave:
        event.set()
    await asyncio.gather(*crowd.tasks)


async def test_they_come_one_by_one_though_there_is_room() -> None:
    crowd = Crowd(Turnstile(10, 0.05), 3)
    for event in crowd.leave:
        event.set()
    await until(lambda: bool(crowd.entered))
    assert crowd.entered == [0]
    await until(lambda: crowd.entered == [0, 1, 2])
    await asyncio.gather(*crowd.tasks)


@pytest.mark.parametrize(("most", "pace"), [(1, 0.0), (2, 0.2)], ids=["for room", "for its moment"])
async def test_who_goes_away_while_waiting_takes_no_room(most: int, pace: float) -> None:
    turnstile = Turnstile(most, pace)
    crowd = Crowd(turnstile, 2)
    await until(lambda: crowd.entered == [0])
    crowd.tasks[1].cancel()
    await asyncio.wait([crowd.tasks[1]])
    if most == 1:
        crowd.leave[0].set()
    newcomer = Crowd(turnstile, 1)
    await until(lambda: newcomer.entered == [0])
    for event in (*crowd.leave, *newcomer.leave):
        event.set()
    await asyncio.gather(crowd.tasks[0], *newcomer.tasks)
    assert crowd.entered == [0]
