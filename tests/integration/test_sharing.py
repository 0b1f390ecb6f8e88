"""What instances share through Redis: one computation however long, no garbage, no grudge after a failure."""

import asyncio

import asyncpg
import httpx
from redis.asyncio import Redis

from service.cache.policy import Policy
from tests.support.api import PREFIX
from tests.support.builders import Database, insert, job
from tests.support.clock import NOW, Clock
from tests.support.fixtures import Serve
from tests.support.held import held_jobs
from tests.support.reads import ONE_READING, know_all_days
from tests.support.redis_looks import until_somebody_looks_on
from tests.support.statement_log import StatementLog
from tests.support.waiting import until

# Of the largest window: no day is then left to be read behind the answer.
SUMMARY = f"{PREFIX}/summary?window_days=90"
JOBS = "meta_conversion_jobs"
# Past the 60 s for which an answer hides its refresh, and within the 300 s of a failure.
PAST_STALE = 75
PATIENT = {"statement_timeout_seconds": 100}


async def test_a_lease_is_renewed_for_as_long_as_the_computation_takes(
    database: asyncpg.Connection, serve: Serve, redis: Redis, statements: StatementLog
) -> None:
    clock = Clock(NOW)
    async with serve(clock, **PATIENT) as one, serve(clock, flush=False, **PATIENT) as two:
        # With all days known there is one reading of jobs: no first look of whoever began another section.
        for client in (one, two):
            await know_all_days(client)
        read = statements.tables()[JOBS]
        clock.now += PAST_STALE
        async with held_jobs(database) as hold:
            asked = [asyncio.create_task(client.get(SUMMARY)) for client in (one, two)]
            await until(hold.is_read)
            left, renewed = await _lease_left(redis), 0

            async def is_renewed_twice() -> bool:
                nonlocal left, renewed
                left, before = await _lease_left(redis), left
                renewed += left > before
                return renewed == 2

            assert left <= Policy().lease * 1000
            await until(is_renewed_twice)
            assert await hold.reading() == 1
            await hold.let_go()
            answers = await asyncio.gather(*asked)
        assert statements.tables()[JOBS] == read + ONE_READING[JOBS]
    assert {answer.headers["age"] for answer in answers} == {"0"}
    assert answers[0].content == answers[1].content


async def test_who_waits_for_another_instance_looks_often_whether_it_is_done(
    database: asyncpg.Connection, serve: Serve, redis: Redis
) -> None:
    async with (
        held_jobs(database) as hold,
        serve(NOW, **PATIENT) as one,
        serve(NOW, flush=False, **PATIENT) as two,
    ):
        asked = [asyncio.create_task(client.get(SUMMARY)) for client in (one, two)]
        await until(hold.is_read)
        # A waiter that looks less often than once a second finds no answer for as long.
        await until_somebody_looks_on(redis)
        await hold.let_go()
        assert {answer.status_code for answer in await asyncio.gather(*asked)} == {200}


async def test_garbage_in_redis_is_replaced_by_what_is_computed(
    database: asyncpg.Connection, serve: Serve, redis: Redis, statements: StatementLog
) -> None:
    await insert(database, Database(jobs=[job(created_at=NOW)]))
    async with serve(NOW) as client:
        right = await client.get(SUMMARY)
        await know_all_days(client)
    for key in await redis.keys("parallel-ops:{-}:v1:*"):
        await redis.set(key, b"\x93garbage", keepttl=True)
    async with serve(NOW, flush=False) as client:
        assert (await client.get(SUMMARY)).content == right.content
        await know_all_days(client)
    read = statements.tables()
    assert 2 <= read[JOBS] <= 4  # all days, and first looks
    async with serve(NOW, flush=False) as client:
        again = await client.get(SUMMARY)
    assert (again.headers["x-cache"], again.content) == ("hit", right.content)
    assert statements.tables() == read


async def test_a_failure_that_is_over_stretches_no_later_answer(
    spare: asyncpg.Connection, spare_url: str, serve: Serve
) -> None:
    clock = Clock(NOW)
    async with serve(clock, database_url=spare_url) as client:
        await spare.execute(f"REVOKE SELECT ON {JOBS} FROM parallel_ops_reader")
        assert (await client.get(SUMMARY)).status_code == 503
        await spare.execute(f"GRANT SELECT ON {JOBS} TO parallel_ops_reader")
        await until(lambda: _answers(client))
        clock.now += PAST_STALE
        answer = await client.get(SUMMARY)
    assert (answer.headers["x-cache"], answer.headers["age"]) == ("miss", "0")


async def _answers(client: httpx.AsyncClient) -> bool:
    return (await client.get(SUMMARY)).status_code == 200


async def _lease_left(redis: Redis) -> int:
    """The milliseconds that the lease on jobs has left."""
    (lease,) = await redis.keys("*:doc_sync:*:lease")
    return int(await redis.pttl(lease))
