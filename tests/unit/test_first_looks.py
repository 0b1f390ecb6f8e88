"""First looks: one a section in a while, and all days wait for those that have begun."""

import asyncio

import pytest

from service.readings.first_looks import FirstLooks

TICK = 1_773_100_800
EVERY = 300.0


async def test_a_section_is_looked_at_once_in_a_while() -> None:
    looks = FirstLooks(EVERY)
    async with looks.at("jobs", TICK):
        assert [looks.is_free(section, TICK) for section in ("jobs", "runs")] == [False, True]
    later = (TICK, TICK + 15, TICK + 299, TICK + 300)
    assert [looks.is_free("jobs", tick) for tick in later] == [False, False, False, True]
    assert looks.is_free("jobs", TICK - 1)  # the clock was set back


async def test_one_that_fails_is_over_too() -> None:
    looks = FirstLooks(EVERY)
    with pytest.raises(OSError, match="away"):
        async with looks.at("jobs", TICK):
            raise OSError("away")
    await asyncio.wait_for(looks.over(), 10)


async def test_those_that_have_begun_are_waited_for_and_no_later_ones() -> None:
    looks = FirstLooks(EVERY)
    async with looks.at("later", TICK):
        async with looks.at("jobs", TICK):
            waiting = asyncio.create_task(looks.over())
            await asyncio.sleep(0)
        assert not waiting.done()
    async with looks.at("jobs", TICK + 15):
        await asyncio.wait_for(waiting, 10)


async def test_nobody_is_waited_for_who_is_over() -> None:
    looks = FirstLooks(EVERY)
    async with looks.at("jobs", TICK):
        pass
    with pytest.raises(StopIteration):  # without a turn of the loop
        looks.over().__await__().send(None)
