"""Whoever may write to Redis: what they leave there is no answer, holds up none, and is named in the log."""

from typing import Any, cast

import asyncpg
import msgspec
import pytest
import structlog
from redis.asyncio import Redis

from service.cache.entry import MAX_STORED_BYTES, VERSION
from tests.support.api import PREFIX
from tests.support.builders import Database, insert, job, run
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.reads import know_all_days
from tests.support.statement_log import StatementLog

HOUR_MILLISECONDS = 3_600_000
RUNS = f"{PREFIX}/workflow/failures"
# Of the largest window: no day is then left to be read behind the answer.
SUMMARY = f"{PREFIX}/summary?window_days=90"


async def keys(redis: Redis, part: str) -> list[str]:
    """The service's keys of that part."""
    found = cast("list[bytes]", await redis.keys(f"parallel-ops:{{-}}:v1:{part}:*"))
    return [key.decode() for key in found]


@pytest.mark.parametrize("code", ["no JSON", "", '"x"}, {"id": 7', "1e", "\x00"])
async def test_a_result_code_that_is_no_json_is_read_again(
    database: asyncpg.Connection, serve: Serve, redis: Redis, statements: StatementLog, code: str
) -> None:
    await insert(database, Database(runs=[run(status="failed", created_at=NOW)]))
    async with serve(NOW) as client:
        right = await client.get(RUNS)
    (key,) = await keys(redis, "workflow_failures")
    stored: Any = msgspec.msgpack.decode(cast("bytes", await redis.get(key)))
    stored[4]["rows"][0]["result_code"] = code
    await redis.set(key, msgspec.msgpack.encode(stored), keepttl=True)
    async with serve(NOW, flush=False) as client:
        assert (await client.get(RUNS)).content == right.content
    assert statements.tables()["meta_workflow_custom_action_runs"] == 4  # two statements each time


async def test_a_value_that_is_too_large_to_be_ours_is_not_decoded(
    database: asyncpg.Connection, serve: Serve, redis: Redis
) -> None:
    """It would be a good one: days are decoded from as little as a byte."""
    await insert(database, Database(jobs=[job(created_at=NOW)]))
    async with serve(NOW) as client:
        right = await client.get(SUMMARY)
    (key,) = await keys(redis, "doc_sync")
    stored: Any = msgspec.msgpack.decode(cast("bytes", await redis.get(key)))
    assert (stored[0], stored[4]["days"][-1]) == (VERSION, [1, 1, 0, 0, 1, 0])
    stored[4]["days"] = [[]] * MAX_STORED_BYTES
    await redis.set(key, msgspec.msgpack.encode(stored), keepttl=True)
    with structlog.testing.capture_logs() as logs:
        async with serve(NOW, flush=False) as client:
            assert (await client.get(SUMMARY)).content == right.content
    assert {line["key"] for line in logs if line["event"] == "unreadable entry ignored"} == {
        f"parallel-ops:{{-}}:v1:doc_sync:window_days=*:zone=*:{int(NOW.timestamp())}"
    }


async def test_a_lease_that_lasts_longer_than_ours_holds_up_nobody(
    database: asyncpg.Connection, serve: Serve, redis: Redis
) -> None:
    async with serve(NOW) as client:
        await know_all_days(client)
    names = [f"{key}:lease" for key in await keys(redis, "doc_sync")]
    # All days are read for one tick at a time.
    names += [f"{key.rpartition(':')[0]}:lease" for key in await keys(redis, "readings")]
    assert len(names) == 3
    await redis.flushall()
    for name in names:
        await redis.set(name, "a stranger's", px=HOUR_MILLISECONDS)
    async with serve(NOW, flush=False) as client:
        await know_all_days(client)
    assert await redis.exists(*names) == 0


async def test_counts_that_overflow_are_named_without_a_traceback(
    database: asyncpg.Connection, serve: Serve, redis: Redis
) -> None:
    async with serve(NOW) as client:
        async with redis.pipeline(transaction=False) as pipe:
            for number in range(20_000):
                pipe.hset(f"parallel-ops:{{-}}:overlay:process:p{number}", "entries", str(10**15 - 1))
            await pipe.execute()
        with structlog.testing.capture_logs() as logs:
            answer = (await client.get(SUMMARY)).json()
    assert (answer["degraded"], answer["overlay_cache"]["entries"]) == (["overlay_cache"], 0)
    (line,) = [line for line in logs if line["event"] == "computation failed"]
    assert "parallel-ops:{-}:overlay:process:*, field entries" in line["error"]
    assert not line["exc_info"]
