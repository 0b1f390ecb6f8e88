"""The one circuit breaker before Redis. The commands here never reach a server."""

import asyncio
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from service.shared_redis import RedisAway, SharedRedis, UnusableValue, connect
from tests.support.waiting import until


class Commands:
    """Commands that fail while `down`, and how many were made."""

    def __init__(self) -> None:
        self.redis = SharedRedis(connect("redis://127.0.0.1:1/0"))
        self.made = 0
        self.down = True
        self.answer = asyncio.Event()
        self.answer.set()

    async def ask(self) -> bool:
        """Whether a command was answered."""
        try:
            return await self.redis.ask(self._command)
        except RedisAway:
            return False

    async def _command(self, _: Any) -> bool:  # noqa: ANN401
        self.made += 1
        await self.answer.wait()
        if self.down:
            raise RedisConnectionError("nobody is there")
        return True


async def test_after_a_failure_nobody_asks_for_a_moment_whatever_for() -> None:
    commands = Commands()
    assert not any([await commands.ask() for _ in range(20)])
    assert commands.made == 1


async def test_then_one_finds_out_whether_it_is_back_and_nobody_waits_for_that() -> None:
    commands = Commands()
    await commands.ask()
    commands.answer.clear()
    asked: list[asyncio.Task[bool]] = []

    async def is_probing() -> bool:
        asked.append(asyncio.create_task(commands.ask()))
        await asyncio.sleep(0)
        return commands.made == 2

    await until(is_probing)
    others = [await commands.ask() for _ in range(20)]
    assert (others, commands.made) == ([False] * 20, 2)
    commands.down = False
    commands.answer.set()
    assert (await asyncio.gather(*asked))[-1]
    assert all([await commands.ask() for _ in range(20)])


async def test_what_stands_there_wrongly_is_no_reason_to_leave_redis_alone() -> None:
    commands = Commands()
    commands.down = False

    async def read(_: Any) -> bool:  # noqa: ANN401
        raise UnusableValue("not a count")

    with pytest.raises(UnusableValue):
        await commands.redis.ask(read)
    assert await commands.ask()
