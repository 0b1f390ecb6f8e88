"""What instances leave each other in Redis: all that they need while it is there, never a wrong figure."""

from datetime import UTC, datetime
from random import Random
from typing import Any

import asyncpg
import msgspec
import pytest
from redis.asyncio import Redis

from demo.process import free_port
from tests.support.builders import Database, insert
from tests.support.clock import Clock
from tests.support.edge_rows import edge_times, rows_at
from tests.support.fixtures import Serve
from tests.support.moving_answers import Question, age_of, ask_now, assert_right
from tests.support.statement_log import StatementLog
from tests.support.waiting import until

NOW = datetime(2026, 3, 9, 23, 59, 30, tzinfo=UTC)
REFRESH, OLD_DAYS = 15, 60
BOUND = OLD_DAYS + REFRESH
TICKS = [int(NOW.timestamp()) + REFRESH * number for number in range(14)]
SETTINGS: dict[str, Any] = {"database_share": 1e-6, "old_days_seconds": OLD_DAYS, "stale_seconds": 1e-3}
SOME = [Question("/summary", 90), Question("/trends", 30, "A", "Part"), Question("/alerts", 7, "B")]
OTHERS = [Question("/trends", 90, "7"), Question("/summary", 14, None, "ECO"), Question("/summary", 1, "A")]


@pytest.fixture
async def rows(database: asyncpg.Connection) -> Database:
    """Rows on the edges of all ticks and beside them."""
    random = Random(3)
    rows = rows_at(random, edge_times(random, TICKS))
    await insert(database, rows)
    return rows


async def emptied(redis: Redis) -> None:
    await redis.flushall()


async def without_days(redis: Redis) -> None:
    for key in await values(redis):
        if b":day:" in key:
            await redis.delete(key)


async def without_what_belongs_to_ticks(redis: Redis) -> None:
    for key in await values(redis):
        if b":day:" not in key:
            await redis.delete(key)


async def garbage(redis: Redis) -> None:
    await put(redis, dict.fromkeys(await values(redis), b"\x93garbage"))


async def cut_short(redis: Redis) -> None:
    await put(redis, {key: value[:-9] for key, value in (await values(redis)).items()})


async def hollow(redis: Redis) -> None:
    """Of the right version, key and tick, and nothing in it."""
    stored = {key: msgspec.msgpack.decode(value) for key, value in (await values(redis)).items()}
    await put(redis, {key: msgspec.msgpack.encode([*rest, None]) for key, (*rest, _) in stored.items()})


async def exchanged(redis: Redis) -> None:
    """Each has another one's value."""
    found = await values(redis)
    first, *others = found.values()
    await put(redis, dict(zip(found, [*others, first], strict=True)))


async def values(redis: Redis) -> dict[bytes, bytes]:
    """What the service has left there."""
    keys: list[Any] = sorted(await redis.keys("parallel-ops:v1:*"))
    found: list[Any] = await redis.mget(keys)
    return dict(zip(keys, found, strict=True))


async def put(redis: Redis, values: dict[bytes, bytes]) -> None:
    """Leave something else there, for as long."""
    for key, value in values.items():
        await redis.set(key, value, keepttl=True)


SPOILED = (hollow, exchanged, without_days, without_what_belongs_to_ticks, garbage, cut_short, emptied)


@pytest.mark.usefixtures("indexes")
async def test_whatever_becomes_of_redis_every_answer_is_the_contracts(
    serve: Serve, redis: Redis, rows: Database
) -> None:
    clock = Clock(NOW)
    async with serve(clock, **SETTINGS) as one, serve(clock, flush=False, **SETTINGS) as two:
        for spoil in SPOILED:
            for client, other in ((one, two), (two, one)):
                for each, questions in ((client, SOME), (other, OTHERS), (client, OTHERS)):
                    answers = await ask_now(each, clock, questions)
                    assert_right(questions, answers, rows, BOUND)
                    await spoil(redis)
                clock.now += REFRESH


@pytest.mark.usefixtures("indexes")
async def test_a_new_instance_answers_its_first_requests_from_redis_alone(
    serve: Serve, rows: Database, statements: StatementLog
) -> None:
    clock = Clock(NOW)
    async with serve(clock, **SETTINGS) as one:
        for clock.now in TICKS[:3]:
            await ask_now(one, clock, SOME)
        asked = statements.tables()
        for questions in (SOME, OTHERS):
            async with serve(clock, flush=False, **SETTINGS) as new:
                answers = await ask_now(new, clock, questions)
                assert_right(questions, answers, rows, BOUND)
    assert statements.tables() == asked


@pytest.mark.usefixtures("indexes")
async def test_a_new_instance_goes_on_where_the_others_are(serve: Serve, rows: Database) -> None:
    clock = Clock(NOW)
    async with serve(clock, **SETTINGS) as one:
        await ask_now(one, clock, SOME)
    for clock.now in TICKS[1:4]:
        async with serve(clock, flush=False, **SETTINGS) as new:
            answers = await ask_now(new, clock, SOME)
        assert_right(SOME, answers, rows, BOUND)
        # The oldest are those of the first tick: not all has been read again.
        assert age_of(answers[0]).total_seconds() == clock.now - TICKS[0]


async def test_after_a_first_answer_all_days_are_read_and_wait_for_who_asks_for_them(
    serve: Serve, redis: Redis, rows: Database, statements: StatementLog
) -> None:
    clock = Clock(NOW)

    async def all_are_read() -> bool:
        return bool(await redis.exists(f"parallel-ops:v1:readings:window_days=90:{TICKS[0]}"))

    async with serve(clock, **SETTINGS) as one:
        question = Question("/summary", 1)
        assert_right([question], await ask_now(one, clock, [question]), rows, 0)
        await until(all_are_read)
        read = statements.tables()
        assert_right(SOME, await ask_now(one, clock, SOME), rows, 0)
    assert statements.tables() == read


async def test_readings_outlast_all_that_may_be_made_of_them_and_end(
    serve: Serve, redis: Redis, rows: Database
) -> None:
    clock = Clock(NOW)
    async with serve(clock, max_stale_seconds=200, **SETTINGS) as one:
        await ask_now(one, clock, SOME)
    left = [await redis.ttl(key) for key in await values(redis) if b":day:" in key]
    assert len(left) >= 2 * 91
    assert min(left) > 200 + OLD_DAYS
    assert max(left) < 1000


@pytest.mark.usefixtures("indexes")
async def test_without_redis_each_instance_reads_for_itself(serve: Serve, rows: Database) -> None:
    clock = Clock(NOW)
    away = SETTINGS | {"redis_url": f"redis://127.0.0.1:{free_port()}"}
    async with serve(clock, **away) as one, serve(clock, **away) as two:
        for clock.now in TICKS[:6]:
            for client in (one, two):
                answers = await ask_now(client, clock, SOME)
                assert_right(SOME, answers, rows, BOUND, overlay=None)
