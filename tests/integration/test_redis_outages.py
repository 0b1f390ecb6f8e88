"""Redis away in every way it can be: the figures stay right, the answer says what it lacks, and it heals."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import asyncpg
import httpx
import pytest
import structlog
from msgspec.structs import replace
from parallel_ops_recorder.keys import counts_field, counts_key
from redis.asyncio import Redis

from demo.servers import Valkey
from service.app import create_app
from service.settings import Settings
from service.shared_redis import REST_SECONDS, TIMEOUT_SECONDS
from tests.support.api import PREFIX
from tests.support.builders import Database, insert, job
from tests.support.clock import Clock
from tests.support.held import held_jobs
from tests.support.reads import know_all_days
from tests.support.relay import Relay
from tests.support.statement_log import StatementLog
from tests.support.waiting import until

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

# Of the largest window: no day is then left to be read behind the answer.
SUMMARY = f"{PREFIX}/summary?window_days=90"


@pytest.fixture(scope="module")
def own_server(server_folder: Path) -> Iterator[Valkey]:
    """A Valkey that a test may stop."""
    server = Valkey(server_folder / "stopped-valkey")
    yield server
    server.kill()


@pytest.fixture
def own_valkey(own_server: Valkey) -> Valkey:
    """That Valkey, running and empty."""
    own_server.kill()
    own_server.start()
    return own_server


@pytest.fixture
async def rows(database: asyncpg.Connection) -> Database:
    """Two jobs of now."""
    rows = Database(jobs=[job(created_at=NOW), job(created_at=NOW)])
    await insert(database, rows)
    return rows


@pytest.fixture
def own_settings(settings: Settings, own_valkey: Valkey) -> Settings:
    """The service on the Valkey that may be stopped."""
    return replace(settings, redis_url=own_valkey.url)


@pytest.fixture
async def relay(own_valkey: Valkey) -> AsyncIterator[Relay]:
    """A relay before that Valkey, which may fall silent."""
    async with Relay(own_valkey.port) as relay:
        yield relay


class Service:
    """The service in this process, at a time that the test moves on."""

    def __init__(self, settings: Settings) -> None:
        self.clock = Clock(NOW)
        self._app = create_app(settings, self.clock)
        transport = httpx.ASGITransport(self._app)  # type: ignore[arg-type]
        self.client = httpx.AsyncClient(transport=transport, base_url="http://test")

    async def __aenter__(self) -> "Service":
        self._lifespan = self._app.lifespan()
        await self._lifespan.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()
        await self._lifespan.__aexit__(None, None, None)

    async def degraded(self) -> list[str]:
        """What a fresh and right answer lacks."""
        answer = await self.client.get(SUMMARY)
        assert answer.status_code == 200, answer.text
        assert answer.json()["doc_sync"]["total"] == 2
        degraded = answer.json()["degraded"]
        assert isinstance(degraded, list)
        return degraded

    async def is_whole(self) -> bool:
        """Whether nothing is lacking."""
        return await self.degraded() == []

    async def lacks_overlay(self) -> bool:
        """Whether the overlay counters are lacking."""
        return await self.degraded() == ["overlay_cache"]


async def test_stopped_before_the_start(own_settings: Settings, own_valkey: Valkey, rows: Database) -> None:
    own_valkey.stop()
    with structlog.testing.capture_logs() as logs:
        async with Service(own_settings) as service:
            assert await service.degraded() == ["overlay_cache"]
            own_valkey.start()
            await until(service.is_whole)
    assert "redis is away: going on with process memory" in [entry["event"] for entry in logs]
    assert "redis is back" in [entry["event"] for entry in logs]


async def test_stopped_and_started_in_the_middle_of_load(
    own_settings: Settings, own_valkey: Valkey, rows: Database
) -> None:
    async with Service(own_settings) as service:
        assert await service.is_whole()
        load = asyncio.create_task(_ask_until_told(service))
        own_valkey.stop()
        await until(service.lacks_overlay)
        own_valkey.start()
        await until(service.is_whole)
        load.cancel()
        with pytest.raises(asyncio.CancelledError):
            await load


async def test_what_was_told_of_a_tick_is_what_is_told_of_it_when_redis_is_back(
    own_settings: Settings, own_valkey: Valkey, rows: Database, database: asyncpg.Connection
) -> None:
    own_valkey.stop()
    with structlog.testing.capture_logs() as logs:

        async def is_back() -> bool:
            """Whether Redis has been asked again, for what is older than a tick."""
            told.append((await one.client.get(SUMMARY)).json())
            return "redis is back" in [entry["event"] for entry in logs]

        async with Service(own_settings) as one:
            told = [(await one.client.get(SUMMARY)).json()]
            await insert(database, Database(jobs=[job(created_at=NOW)]))
            own_valkey.start()
            async with Service(own_settings) as other:
                theirs = (await other.client.get(SUMMARY)).json()
            async with held_jobs(database) as hold:
                one.clock.now += 20
                await until(is_back)
                told.append((await one.client.get(SUMMARY)).json())
                await hold.let_go()
    assert theirs["doc_sync"]["total"] == 3
    assert {each["generated_at"] for each in (*told, theirs)} == {theirs["generated_at"]}
    assert {each["doc_sync"]["total"] for each in told} == {2}


async def test_frozen(own_settings: Settings, own_valkey: Valkey, rows: Database) -> None:
    async with Service(own_settings) as service:
        own_valkey.pause()
        assert await service.degraded() == ["overlay_cache"]
        service.clock.now += 600
        assert await service.degraded() == ["overlay_cache"]
        own_valkey.resume()
        await until(service.is_whole)


async def test_a_hung_one_costs_a_wait_now_and_then_and_not_one_a_request(
    own_settings: Settings, relay: Relay, rows: Database
) -> None:
    async with Service(replace(own_settings, redis_url=_through(relay))) as service, relay.silent():
        assert await service.degraded() == ["overlay_cache"]
        already, started = relay.asked, time.monotonic()
        for site in range(20):
            await service.client.get(f"{PREFIX}/doc-sync/failures", params={"site_id": f"S{site}"})
        took = time.monotonic() - started
    # One waits until it is given up, and the next ones ask nothing for a while.
    assert relay.asked - already <= 1 + took / (TIMEOUT_SECONDS + REST_SECONDS)


async def test_a_client_that_leaves_while_it_hangs_fails_nobody_else(
    own_settings: Settings, relay: Relay, rows: Database
) -> None:
    settings = replace(own_settings, redis_url=_through(relay, "?socket_timeout=60"))
    async with Service(settings) as service:
        async with relay.silent():
            leaving, staying = (asyncio.create_task(service.client.get(SUMMARY)) for _ in range(2))
            await until(lambda: relay.waiting == 2)  # once for both of them, and once at the start
            leaving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await leaving
        answer = (await staying).json()
    assert (answer["doc_sync"]["total"], answer["degraded"]) == (2, [])


async def test_a_hung_redis_that_counts_callers_delays_one_of_them_at_a_time(
    own_settings: Settings, relay: Relay, rows: Database
) -> None:
    settings = replace(own_settings, redis_url=_through(relay), rate_limit="100000/second")
    callers = 10
    async with Service(settings) as service:
        await know_all_days(service.client)
        async with relay.silent():
            asked = [asyncio.create_task(service.client.get(SUMMARY)) for _ in range(callers)]
            await until(lambda: relay.asked >= callers)
            assert {answer.status_code for answer in await asyncio.gather(*asked)} == {200}
            load = [asyncio.create_task(_ask_on(service)) for _ in range(callers)]
            for probes in (1, 2):
                await until(lambda probes=probes: relay.asked >= callers + probes)  # type: ignore[misc]
                assert relay.waiting <= 1
            for caller in load:
                caller.cancel()
            await asyncio.gather(*load, return_exceptions=True)
            assert [caller.cancelled() for caller in load] == [True] * callers


async def test_flushed_and_restarted_empty(
    own_settings: Settings, own_valkey: Valkey, rows: Database, statements: StatementLog
) -> None:
    async with Service(own_settings) as service, Redis.from_url(own_valkey.url) as redis:
        ways: list[Callable[[], Awaitable[object]]] = [redis.flushall, _restart(own_valkey)]
        await know_all_days(service.client)
        for break_it in ways:
            assert await service.is_whole()
            await break_it()
            assert await service.is_whole()
            service.clock.now += 600
            await until(service.is_whole)
            await know_all_days(service.client)
    assert 3 <= statements.tables()["meta_conversion_jobs"] <= 6  # all days, and first looks


async def test_garbage_under_our_keys(
    own_settings: Settings, own_valkey: Valkey, rows: Database, statements: StatementLog
) -> None:
    async with Redis.from_url(own_valkey.url) as redis:
        async with Service(own_settings) as service:
            await know_all_days(service.client)
        keys = [str(key, "ascii") for key in cast("list[bytes]", await redis.keys("parallel-ops:{-}:v1:*"))]
        foreign = cast("bytes", await redis.get(keys[0]))
        for number, key in enumerate(keys):
            await redis.delete(key)
            for lease in (key, key.rpartition(":")[0]):
                await redis.set(f"{lease}:lease", "nobody's, and it never ends")
            await (
                redis.set(key, (b"\x93garbage", foreign)[number % 2]) if number else redis.rpush(key, "list")
            )
        async with Service(own_settings) as service:
            await know_all_days(service.client)
            assert await service.is_whole()
    assert 2 <= statements.tables()["meta_conversion_jobs"] <= 4  # all days, and first looks


async def test_garbage_in_the_overlay_counters_is_no_number(
    own_settings: Settings, own_valkey: Valkey, rows: Database
) -> None:
    async with Redis.from_url(own_valkey.url) as redis, Service(own_settings) as service:
        key = counts_key(NOW.date())
        await redis.hset(key, counts_field(NOW.hour, "hits"), "many")
        assert await service.degraded() == ["overlay_cache"]
        await redis.delete(key)
        await until(service.is_whole)


async def test_the_cap_on_the_database_holds_while_redis_is_away(
    own_settings: Settings, own_valkey: Valkey, database: asyncpg.Connection
) -> None:
    own_valkey.stop()
    most = 0

    async def watch() -> None:
        nonlocal most
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'parallel-ops'"
        while True:
            most = max(most, await database.fetchval(query))

    async with Service(replace(own_settings, max_database_queries=2)) as service:
        watching = asyncio.create_task(watch())
        asked = [service.client.get(SUMMARY, params={"site_id": f"S{n}"}) for n in range(100)]
        assert {answer.status_code for answer in await asyncio.gather(*asked)} == {200}
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching
    assert most == 2


def _restart(server: Valkey) -> Callable[[], Awaitable[None]]:
    async def restart() -> None:
        server.kill()
        server.start()

    return restart


def _through(relay: Relay, options: str = "") -> str:
    """Redis' address behind the relay."""
    return f"redis://127.0.0.1:{relay.port}/0{options}"


async def _ask_on(service: Service) -> None:
    """What a caller does who never has enough."""
    while True:
        assert (await service.client.get(SUMMARY)).status_code == 200
        await asyncio.sleep(0.01)


async def _ask_until_told(service: Service) -> None:
    while True:
        service.clock.now += 1
        await service.degraded()
        await asyncio.sleep(0)
