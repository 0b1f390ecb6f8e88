"""First looks: one a section and tick, and all days wait for those that have begun."""

import asyncio

import pytest

from service.readings.first_looks import FirstLooks

TICK = 1_773_100_800


async def test_a_section_is_looked_at_once_a_tick() -> None:
    looks = FirstLooks()
    with looks.at("jobs", TICK):
        assert [looks.is_free(section, TICK) for section in ("jobs", "runs")] == [False, True]
    assert [looks.is_free("jobs", tick) for tick in (TICK, TICK + 15)] == [False, True]


async def test_one_that_fails_is_over_too() -> None:
    looks = FirstLooks()
    with pytest.raises(OSError, match="away"), looks.at("jobs", TICK):
        raise OSError("away")
    await asyncio.wait_for(looks.over(), 1)


async def test_those_that_have_begun_are_waited_for_and_no_later_ones() -> None:
    looks = FirstLooks()
    with looks.at("later", TICK):
        with looks.at("jobs", TICK):
            waiting = asyncio.create_task(looks.over())
            await asyncio.sleep(0)
        assert not waiting.done()
    with looks.at("jobs", TICK + 15):
        await asyncio.wait_for(waiting, 1)
