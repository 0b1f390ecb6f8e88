"""The turnstile before work behind the scenes."""

import asyncio

from service.cache.turnstile import Turnstile
from tests.support.waiting import until


async def test_they_come_one_by_one_in_their_order() -> None:
    turnstile, entered = Turnstile(0.05), list[int]()

    async def visit(number: int) -> None:
        await turnstile.enter()
        entered.append(number)

    tasks = [asyncio.create_task(visit(number)) for number in range(3)]
    await until(lambda: bool(entered))
    assert entered == [0]
    await until(lambda: entered == [0, 1, 2])
    await asyncio.gather(*tasks)
