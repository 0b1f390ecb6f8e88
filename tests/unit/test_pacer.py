"""The pacer of work behind the scenes."""

import asyncio

from service.cache.pacer import Pacer
from tests.support.waiting import until


async def test_they_come_one_by_one_in_their_order() -> None:
    pacer, begun = Pacer(0.05), list[int]()

    async def work(number: int) -> None:
        await pacer.wait()
        begun.append(number)

    tasks = [asyncio.create_task(work(number)) for number in range(3)]
    await until(lambda: bool(begun))
    assert begun == [0]
    await until(lambda: begun == [0, 1, 2])
    await asyncio.gather(*tasks)
