"""Days that take longer to read than a few ticks, while other instances go on."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from redis.asyncio import Redis

from tests.oracle import Document
from tests.support.api import PREFIX
from tests.support.builders import Database, insert, job
from tests.support.clock import Clock
from tests.support.fixtures import Serve
from tests.support.held import held_jobs
from tests.support.indexes import optional_indexes
from tests.support.moving_answers import Question, age_of, ask, ask_now, generated_at
from tests.support.reads import ONE_READING, know_all_days
from tests.support.redis_looks import until_somebody_looks_on
from tests.support.statement_log import StatementLog
from tests.support.waiting import until

JOBS = "meta_conversion_jobs"
NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)
# Who waits for what is held waits for longer than this.
HELD_FOR_SECONDS = 20
SUMMARY = f"{PREFIX}/summary?window_days=90"
# The lease under which all days are read, for one tick at a time.
ALL_DAYS = "*:readings:*:lease"
SETTINGS: dict[str, Any] = {
    "refresh_seconds": 1,
    "old_days_seconds": 10,
    "database_share": 1e-6,
    "statement_timeout_seconds": 100,
}


@pytest.mark.usefixtures("indexes")
async def test_who_waits_for_a_slow_reading_is_answered_though_others_are_ticks_ahead(
    database: asyncpg.Connection, spare: asyncpg.Connection, spare_url: str, serve: Serve, redis: Redis
) -> None:
    clock = Clock(NOW)
    for connection in (database, spare):
        await insert(connection, Database(jobs=[job(created_at=NOW)]))
    for statement in optional_indexes():
        await spare.execute(statement)
    async with (
        serve(clock, **SETTINGS) as one,
        serve(clock, flush=False, database_url=spare_url, stale_seconds=1e-3, **SETTINGS) as ahead,
    ):
        await one.get("/")
        await ask_now(one, clock, [Question("/summary", 90)])
        async with held_jobs(database) as hold:
            clock.now += 1
            waiting = asyncio.create_task(one.get(f"{PREFIX}/summary", params={"site_id": "S1"}))
            await until(hold.is_read)
            assert await redis.delete(*await redis.keys(ALL_DAYS)) == 1  # as if it had stood still
            for _ in range(5):
                clock.now += 1
                await ask_now(ahead, clock, [Question("/summary", 90)])
                await hear_of_it(one, clock, redis)
            await hold.let_go()
            answer = await waiting
    assert (answer.status_code, answer.json()["doc_sync"]["total"]) == (200, 1)


@pytest.mark.usefixtures("indexes")
async def test_a_reading_that_outlasts_its_tick_is_what_the_next_one_starts_from(
    database: asyncpg.Connection, serve: Serve, redis: Redis
) -> None:
    clock = Clock(NOW)
    asked: list[asyncio.Task[Document]] = []

    async def wait() -> bool:
        """Whether both sites' jobs are waited for, and all days are to be read for them."""
        of_sites = await redis.keys(f"*:window_days={window_days}:site_id=*:lease")
        return len(of_sites) == 2 and len(await redis.keys(ALL_DAYS)) == 1

    async with serve(clock, **SETTINGS) as one, held_jobs(database) as hold:
        for window_days in (7, 30, 90):
            clock.now += 1
            asked += [asyncio.create_task(ask(one, Question("/trends", window_days, site))) for site in "AB"]
            await until(wait)
        await hold.let_go()
        await asyncio.gather(*asked)
        answer = await ask(one, Question("/trends", 14))
    # Runs are read again as seldom as the share demands.
    assert generated_at(answer) - age_of(answer) == NOW + timedelta(seconds=1)


@pytest.mark.usefixtures("indexes")
async def test_while_one_instance_reads_days_no_other_does_for_a_later_tick(
    database: asyncpg.Connection, serve: Serve, redis: Redis
) -> None:
    clock = Clock(NOW)
    async with serve(clock, **SETTINGS) as one, serve(clock, flush=False, **SETTINGS) as two:
        for instance in (one, two):
            await know_all_days(instance)
        async with held_jobs(database) as hold:
            clock.now += 1
            await one.get(SUMMARY)
            await until(hold.is_read)
            clock.now += 1
            await two.get(SUMMARY)
            await until_somebody_looks_on(redis)  # whether the other one is done
            assert await hold.reading() == 1
            await hold.let_go()
        await until_fresh(two)


async def test_a_pass_that_was_waited_for_is_not_made_again(
    database: asyncpg.Connection, serve: Serve, redis: Redis, statements: StatementLog
) -> None:
    clock = Clock(NOW)
    settings = SETTINGS | {"stale_seconds": 1, "max_stale_seconds": 20}
    async with serve(clock, **settings) as one, serve(clock, flush=False, **settings) as two:
        for instance in (one, two):
            await know_all_days(instance)
        read = statements.tables()[JOBS]
        clock.now += 19  # without an index all is due again as late as may be
        async with held_jobs(database) as hold:
            first = asyncio.create_task(one.get(f"{PREFIX}/summary", params={"window_days": 14}))
            await until(hold.is_read)
            clock.now += 1
            second = asyncio.create_task(two.get(f"{PREFIX}/summary", params={"window_days": 30}))
            await until_somebody_looks_on(redis)
            await hold.let_go()
            answers = await asyncio.gather(first, second)
    assert [answer.status_code for answer in answers] == [200, 200]
    assert {generated_at(answer.json()) for answer in answers} == {NOW + timedelta(seconds=19)}
    assert statements.tables()[JOBS] == read + ONE_READING[JOBS]


async def test_nobody_waits_while_what_is_read_seldom_is_read_again(
    database: asyncpg.Connection, serve: Serve
) -> None:
    clock = Clock(NOW)
    async with serve(clock, **SETTINGS | {"stale_seconds": 1, "max_stale_seconds": 20}) as one:
        await know_all_days(one)
        await ask_now(one, clock, [Question("/summary", 90)])
        clock.now += 19  # all is due again as late as may be, and a tick ago
        async with held_jobs(database) as hold, asyncio.timeout(HELD_FOR_SECONDS):
            asked = [await one.get(f"{PREFIX}/summary", params={"window_days": 90}) for _ in range(3)]
            await until(hold.is_read)
            asked.append(await one.get(f"{PREFIX}/summary", params={"window_days": 90}))
            await hold.let_go()
        await until_fresh(one)
    assert [(answer.status_code, answer.headers["x-cache"]) for answer in asked] == [(200, "stale")] * 4
    assert {generated_at(answer.json()) for answer in asked} == {NOW}


async def until_fresh(client: httpx.AsyncClient) -> None:
    """Wait until what was begun behind answers is there."""

    async def is_fresh() -> bool:
        answer = await client.get(f"{PREFIX}/summary", params={"window_days": 90})
        return generated_at(answer.json()) > NOW

    await until(is_fresh)


async def hear_of_it(client: httpx.AsyncClient, clock: Clock, redis: Redis) -> None:
    """The board is served as it was, and what its filters can be set to is found anew behind it."""

    async def is_found() -> bool:
        await client.get("/")
        return bool(await redis.exists(f"parallel-ops:{{-}}:v1:choices:{int(clock.now)}"))

    await until(is_found)
