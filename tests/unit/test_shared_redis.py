"""The one circuit breaker before Redis. The commands here never reach a server."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from redis.exceptions import ClusterDownError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from service.redis_clients import connect
from service.shared_redis import MAX_CONNECTIONS, RedisAway, SharedRedis, UnusableValue
from tests.support.waiting import until


class Commands:
    """Commands that fail while `down`, and how many were made."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.redis = SharedRedis(connect("redis://127.0.0.1:1/0"), clock)
        self.made = 0
        self.down = True
        self.error: Exception = RedisConnectionError("nobody is there")
        self.answer = asyncio.Event()
        self.answer.set()

    async def ask(self) -> bool:
        """Whether a command was answered."""
        try:
            return await self.redis.ask(lambda _: self.answered())
        except RedisAway:
            return False

    async def answered(self) -> bool:
        """One command."""
        self.made += 1
        await self.answer.wait()
        if self.down:
            raise self.error
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


async def test_one_that_refuses_a_command_is_not_left_alone() -> None:
    commands = Commands()
    commands.error = ResponseError("OOM command not allowed when used memory > 'maxmemory'")
    assert not any([await commands.ask() for _ in range(5)])
    assert commands.made == 5
    commands.down = False
    assert await commands.ask()


async def test_a_cluster_that_is_down_is_left_alone_though_it_answers() -> None:
    """It takes its time to say so."""
    commands = Commands()
    commands.error = ClusterDownError("The cluster is down")
    assert not any([await commands.ask() for _ in range(20)])
    assert commands.made == 1


async def test_as_many_ask_at_once_as_there_are_connections() -> None:
    commands = Commands()
    commands.down = False
    commands.answer.clear()
    asked = [asyncio.create_task(commands.ask()) for _ in range(MAX_CONNECTIONS + 8)]
    await until(lambda: commands.made >= MAX_CONNECTIONS)
    assert commands.made == MAX_CONNECTIONS
    commands.answer.set()
    assert all(await asyncio.gather(*asked))


async def test_a_process_that_stood_still_asks_again_before_it_calls_redis_away() -> None:
    commands = Commands(lambda: now)
    commands.error, now = RedisTimeoutError("no answer"), 0.0

    async def stands_still_once(_: Any) -> bool:  # noqa: ANN401
        nonlocal now
        now += 7.0
        commands.down = not commands.made
        return await commands.answered()

    assert await commands.redis.ask(stands_still_once)
    assert commands.made == 2


async def test_what_stands_there_wrongly_is_no_reason_to_leave_redis_alone() -> None:
    commands = Commands()
    commands.down = False

    async def read(_: Any) -> bool:  # noqa: ANN401
        raise UnusableValue("not a count")

    with pytest.raises(UnusableValue):
        await commands.redis.ask(read)
    assert await commands.ask()
