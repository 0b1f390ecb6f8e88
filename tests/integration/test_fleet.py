"""Several server processes on one database and one cache compute everything once."""

import asyncio
import gc
import signal
import weakref
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from service.cache.memory import OVERHEAD_BYTES
from service.cache.observer import Observer
from service.cache.parts import FailedJustNow, NotDue, Part
from service.cache.policy import Policy
from service.cache.shared import SharedCache
from service.cache.store import Store
from service.cache.tick_cache import TickCache
from service.cache.unavailable import Unavailable
from service.settings import Settings
from service.shared_redis import SharedRedis
from tests.support.api import PREFIX
from tests.support.builders import Database, incident, insert, job, run
from tests.support.clock import long_ticks
from tests.support.instances import Instance
from tests.support.reads import is_first_reading
from tests.support.statement_log import StatementLog
from tests.support.waiting import probed, until

StartFleet = Callable[..., AbstractAsyncContextManager[list[Instance]]]
LEASE_SECONDS = Policy().lease
# No test here takes longer.
TEST_SECONDS = 120
DECODER = msgspec.msgpack.Decoder(int)


@pytest.fixture
def fleet(settings: Settings, redis: Redis, tmp_path: Path) -> StartFleet:
    """Starts processes that share a cache, all within one tick: `async with fleet(3) as instances`."""

    @asynccontextmanager
    async def start(size: int, **changes: Any) -> AsyncIterator[list[Instance]]:  # noqa: ANN401
        ours = {"refresh_seconds": long_ticks(TEST_SECONDS), "log_format": "console"}
        configured = replace(settings, **ours | changes)
        instances = [Instance(configured, tmp_path / f"{number}.log") for number in range(size)]
        try:
            for instance in instances:
                instance.start()
            for instance in instances:
                await instance.ready()
            yield instances
        finally:
            for instance in instances:
                instance.kill()

    return start


@pytest.fixture
async def rows(database: asyncpg.Connection) -> Database:
    """A few rows of each kind, of now."""
    now = datetime.now(UTC)
    rows = Database(
        jobs=[job(status="failed", created_at=now) for _ in range(7)],
        runs=[run(created_at=now) for _ in range(5)],
        incidents=[incident(created_at=now) for _ in range(3)],
    )
    await insert(database, rows)
    return rows


async def test_three_hundred_cold_requests_run_each_statement_once(
    fleet: StartFleet, rows: Database, statements: StatementLog
) -> None:
    async with (
        fleet(3) as instances,
        httpx.AsyncClient(timeout=30, limits=httpx.Limits(max_connections=300)) as client,
    ):
        asked = [client.get(f"{instance.url}{PREFIX}/summary") for instance in instances * 100]
        answers = await asyncio.gather(*asked)
        await until(lambda: is_first_reading(statements.tables()))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["etag"] for answer in answers}) == 1
    assert answers[0].json()["doc_sync"]["total"] == len(rows.jobs)


async def test_clients_that_go_away_fail_nobody_else(
    fleet: StartFleet, rows: Database, statements: StatementLog, database: asyncpg.Connection
) -> None:
    async with fleet(1) as (instance,), httpx.AsyncClient(timeout=30) as client:
        async with database.transaction():
            await database.execute("LOCK TABLE meta_conversion_jobs IN ACCESS EXCLUSIVE MODE")
            leaving = [await _ask_and_listen_not(instance) for _ in range(5)]
            staying = asyncio.create_task(client.get(f"{instance.url}{PREFIX}/summary"))
            await until(lambda: _is_waiting_for_a_lock(database))
            for writer in leaving:
                writer.close()
        answer = await staying
        await until(lambda: is_first_reading(statements.tables()))
    assert answer.json()["doc_sync"]["total"] == len(rows.jobs)


async def test_a_killed_computation_is_taken_over_when_its_lease_ends(
    fleet: StartFleet, rows: Database, redis: Redis, database: asyncpg.Connection, statements: StatementLog
) -> None:
    async with fleet(2) as (killed, other), httpx.AsyncClient(base_url=other.url, timeout=30) as client:
        await probed(client)  # what it rehearses is done then
        rehearsed = statements.tables()["meta_conversion_jobs"]
        async with database.transaction():
            await database.execute("LOCK TABLE meta_conversion_jobs IN ACCESS EXCLUSIVE MODE")
            with closing(await _ask_and_listen_not(killed)):
                await until(lambda: _is_waiting_for_a_lock(database))
                killed.signal(signal.SIGKILL)
            leases = await redis.keys("*:lease")
            for lease in leases:
                assert 0 < await redis.pttl(lease) <= LEASE_SECONDS * 1000
        # Until the test has seen what it came for; a lease that lasts longer than ours is nobody's.
        held = asyncio.create_task(_keep(redis, leases))
        asked = asyncio.create_task(client.get(f"{PREFIX}/summary"))
        await until(lambda: _waits_for_a_lease(client))
        assert statements.tables()["meta_conversion_jobs"] == rehearsed
        assert not asked.done()
        held.cancel()
        await asyncio.wait([held])
        for lease in leases:
            await redis.pexpire(lease, 1)
        answer = await asked
        # Its days, and all others.
        await until(lambda: statements.tables()["meta_conversion_jobs"] == rehearsed + 2)
    assert answer.headers["x-cache"] == "miss"
    assert answer.json()["doc_sync"]["total"] == len(rows.jobs)


async def _keep(redis: Redis, leases: Sequence[bytes | str]) -> None:
    while True:
        for lease in leases:
            await redis.pexpire(lease, int(LEASE_SECONDS * 1000))
        await asyncio.sleep(LEASE_SECONDS / 10)


async def test_a_lost_lease_gives_a_tick_no_second_value(redis: Redis) -> None:
    """Its holder stood still for too long, and goes on when another has computed the same."""
    go_on = asyncio.Event()

    async def slow(_tick: int) -> int:
        await go_on.wait()
        return 1

    async def quick(_tick: int) -> int:
        return 2

    async def forgotten() -> bool:
        return bool(await redis.delete("key:60:lease"))

    fleet = SharedCache(Store(SharedRedis(redis), 5), Policy(), Observer())
    held_up, other = (Part("p", "key", compute, DECODER) for compute in (slow, quick))
    first = asyncio.create_task(fleet.obtain(held_up, 60))
    await until(forgotten)
    assert (await fleet.obtain(other, 60)).value == 2
    go_on.set()
    assert (await first).value == 2
    (kept,) = await fleet.recall([other], [60])
    assert kept.value == 2


async def test_what_others_start_from_may_take_longer_than_what_is_made_of_it(redis: Redis) -> None:
    go_on = asyncio.Event()

    async def slow(_tick: int) -> int:
        await go_on.wait()
        return 1

    policy = Policy(compute=0.2)
    cache = TickCache(Store(SharedRedis(redis), policy.lease), policy, lambda: 60.0, Observer())
    all_days = asyncio.create_task(cache.at(Part("all", "all", slow, DECODER, in_turn=True), 60))
    with pytest.raises(TimeoutError):
        await cache.at(Part("one", "one", slow, DECODER), 60)
    await until(lambda: _exists(redis, "all:lease"))
    go_on.set()
    assert await all_days == 1
    await cache.close()


async def test_an_old_answer_stands_until_all_its_parts_are_here_or_it_is_too_old(redis: Redis) -> None:
    now, held = 60.0, {60: asyncio.Event(), 75: asyncio.Event()}
    held[60].set()

    async def slow(tick: int) -> int:
        await held[tick].wait()
        return tick

    async def quick(tick: int) -> int:
        return tick

    parts = [Part(compute.__name__, compute.__name__, compute, DECODER) for compute in (slow, quick)]
    policy = Policy(stale=40.0)
    cache = TickCache(Store(SharedRedis(redis), policy.lease), policy, lambda: now, Observer())
    await cache.get(parts, now)
    now = 75.0
    old = await cache.get(parts, now)
    assert (old.values, old.state) == ((60, 60), "stale")
    await until(lambda: _has(cache, parts[1], 75))
    assert [old.stands(moment) for moment in (75.0, 100.0, 100.1)] == [True, True, False]
    held[75].set()
    await until(lambda: _has(cache, parts[0], 75))
    assert not old.stands(75.0)
    newer = await cache.get(parts, now)
    assert (newer.state, newer.stands(89.0)) == ("hit", True)
    await cache.close()


async def test_who_asks_for_what_stands_is_not_refused_for_another_who_asks_for_what_is_not_due(
    redis: Redis,
) -> None:
    ended = asyncio.Event()

    async def compute(tick: int) -> int:
        if tick > 60:
            await ended.wait()
            raise NotDue(tick, "60 stands")
        return tick

    part, now, policy = Part("value", "value", compute, DECODER), 75.0, Policy()
    cache = TickCache(Store(SharedRedis(redis), policy.lease), policy, lambda: now, Observer())
    not_due = asyncio.create_task(cache.get([part], now))
    standing = asyncio.create_task(cache.get([part], 60.0, is_past=True))
    await asyncio.wait([not_due, standing], timeout=0.1)  # so long that both wait for the same
    ended.set()
    assert (await standing).values == (60,)
    with pytest.raises(Unavailable):
        await not_due
    await cache.close()


async def test_whoever_keeps_an_old_answer_to_ask_whether_it_stands_keeps_none_of_its_values(
    redis: Redis,
) -> None:
    """They may be hundreds of kilobytes, of each answer that is replayed."""

    class Value(msgspec.Struct, weakref=True):
        tick: int

    async def compute(tick: int) -> Value:
        return Value(tick)

    part = Part("value", "value", compute, msgspec.msgpack.Decoder(Value))
    # Room for the bytes that Redis has, and not for a value.
    policy, now = Policy(memory_bytes=OVERHEAD_BYTES + 200), 60.0
    cache = TickCache(Store(SharedRedis(redis), policy.lease), policy, lambda: now, Observer())
    await cache.get([part], now)
    answer = await cache.get([part], now)
    value, stands = weakref.ref(answer.values[0]), answer.stands
    del answer
    gc.collect()
    assert value() is None
    assert stands(now)
    await cache.close()


async def _has(cache: TickCache, part: Part, tick: int) -> bool:
    return cache.holds(part, tick)


async def test_what_fails_for_anothers_failure_rests_no_longer_than_that(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, broken = 100.0, True
    monkeypatch.setattr("service.cache.tick_cache.time", SimpleNamespace(monotonic=lambda: now))

    async def read(_tick: int) -> int:
        if broken:
            raise OSError("broken")
        return 1

    async def made(tick: int) -> int:
        return int(await cache.at(source, tick)) + 1

    source, part = (Part(compute.__name__, compute.__name__, compute, DECODER) for compute in (read, made))
    policy = Policy(retry=10)
    cache = TickCache(Store(SharedRedis(redis), policy.lease), policy, lambda: 60.0, Observer())
    with pytest.raises(OSError, match="broken"):
        await cache.at(source, 60)
    now = 109
    with pytest.raises(FailedJustNow, match="read failed just now"):
        await cache.at(part, 60)
    now, broken = 110.5, False
    assert await cache.at(part, 60) == 2
    await cache.close()


async def _exists(redis: Redis, key: str) -> bool:
    return bool(await redis.exists(key))


async def _ask_and_listen_not(instance: Instance) -> asyncio.StreamWriter:
    _, writer = await asyncio.open_connection("127.0.0.1", instance.port)
    writer.write(f"GET {PREFIX}/summary HTTP/1.1\r\nHost: test\r\n\r\n".encode())
    await writer.drain()
    return writer


async def _waits_for_a_lease(client: httpx.AsyncClient) -> bool:
    """Whether the instance has found that another one computes the section of jobs."""
    metrics = (await client.get("/metrics")).text
    return 'parallel_ops_lease_waits_total{section="doc_sync"} 1.0' in metrics


async def _is_waiting_for_a_lock(database: asyncpg.Connection) -> bool:
    waiting = (
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'meta_conversion_jobs'::regclass"
    )
    return bool(await database.fetchval(waiting))
